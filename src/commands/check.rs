//! `undock check`: manifests from files, folders and standard input; no cluster.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::output::{FailOn, Output, write_all};
use super::{Exit, fail};
use crate::check::{Input, check, github, json, junit, markdown, sarif, table};
use crate::config::Config;
use crate::decision::Mode;

/// Flags of `undock check`.
#[derive(Debug, Args)]
pub struct Options {
    /// Files, folders (their .yaml, .yml and .json files, recursively), or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Output format, and the file it goes to if not standard output; may be repeated
    #[arg(
        short,
        long,
        env = "UNDOCK_OUTPUT",
        value_name = "FORMAT[=FILE]",
        default_value = "table",
        value_delimiter = ','
    )]
    output: Vec<Output<Format>>,
    /// Namespace of objects that name none
    #[arg(short, long, env = "UNDOCK_NAMESPACE", default_value = "")]
    namespace: String,
    /// The mode to check against [default: enforce]
    #[arg(long, env = "UNDOCK_MODE", value_enum)]
    mode: Option<Mode>,
    /// The weakest outcome that makes the exit code 1
    #[arg(long, env = "UNDOCK_FAIL_ON", value_enum, default_value = "deny")]
    fail_on: FailOn,
    /// Configuration file (YAML)
    #[arg(long, env = "UNDOCK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// undock.check/v1
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit XML
    Junit,
    /// Workflow commands of GitHub Actions
    Github,
    /// A table for a comment
    Markdown,
}

/// Checks what is named and prints the result.
pub fn run(options: Options) -> Exit {
    let Options {
        paths,
        output,
        namespace,
        mode,
        fail_on,
        config,
    } = options;
    let config = match config.map_or_else(|| Ok(Config::default()), |path| Config::read(&path)) {
        Ok(config) => config,
        Err(error) => return fail(Exit::Usage, &error.to_string()),
    };
    // A check asks what enforce would refuse: the file's mode is the cluster's, not the question's.
    let policy = config.policy(Some(mode.unwrap_or(Mode::Enforce)));
    let mut inputs = Vec::new();
    for path in &paths {
        read(path, true, &mut |file, read| {
            inputs.push(Input {
                file: file.display().to_string(),
                content: read.map_err(|error| format!("cannot read it: {error}")),
            });
        });
    }
    let checked = check(&inputs, &namespace, &policy);
    let written = write_all(&output, |format, out, colour| match format {
        Format::Table => table::write(out, &checked, colour),
        Format::Json => json::write(out, &checked),
        Format::Sarif => sarif::write(out, &checked),
        Format::Junit => junit::write(out, &checked),
        Format::Github => github::write(out, &checked),
        Format::Markdown => markdown::write(out, &checked),
    });
    if let Err(error) = written {
        return fail(Exit::Failed, &error);
    }
    if checked.objects.is_empty() && checked.errors.is_empty() {
        return fail(
            Exit::Incomplete,
            "nothing to check: no Kubernetes object in what was named",
        );
    }
    if !checked.errors.is_empty() {
        Exit::Incomplete
    } else if fail_on.is_reached(checked.worst()) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

/// Gives each file's bytes to `take`, folders in the order of their names. Links to folders are not followed: they can be loops.
fn read(path: &Path, named: bool, take: &mut dyn FnMut(&Path, io::Result<Vec<u8>>)) {
    if named && path == Path::new("-") {
        return take(path, read_all(io::stdin().lock()));
    }
    let metadata = if named {
        fs::metadata(path)
    } else {
        fs::symlink_metadata(path)
    };
    match metadata {
        Err(error) => take(path, Err(error)),
        Ok(metadata) if metadata.is_dir() => {
            match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                Err(error) => take(path, Err(error)),
                Ok(entries) => {
                    let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
                    paths.sort();
                    paths.iter().for_each(|path| read(path, false, take));
                }
            }
        }
        Ok(metadata) if named => take(path, read_file(path, &metadata)),
        Ok(_) if is_manifest(path) => match fs::metadata(path) {
            Ok(target) if target.is_dir() => {}
            target => take(path, target.and_then(|target| read_file(path, &target))),
        },
        Ok(_) => {}
    }
}

/// A file's bytes. To open a pipe or a device can wait forever, unless it is open already, as the shell's `<(command)` is.
fn read_file(path: &Path, metadata: &Metadata) -> io::Result<Vec<u8>> {
    if !(metadata.is_file() || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd")) {
        return Err(io::Error::other(
            "it is a pipe or a device; give its content on standard input, with - as the path",
        ));
    }
    read_all(File::open(path)?)
}

fn read_all(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(MAX_INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(io::Error::other(
            "it is larger than 512 MiB; check it in parts",
        ));
    }
    Ok(bytes)
}

/// Bytes of one input: more than the manifests of a large cluster.
const MAX_INPUT: u64 = 512 << 20;

fn is_manifest(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    ["yaml", "yml", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}
