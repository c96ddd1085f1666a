//! `undock check`: manifests from files, folders and standard input; no cluster.

mod chart;
mod files;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use files::{Files, Found};
use rayon::prelude::*;

use super::output::{CheckFormat, FailOn, Outputs};
use super::{Exit, Failure, config_file, failed, usage};
use crate::check::{Baseline, CheckError, Checked, Input, InputKind, check};
use crate::decision::Mode;
use crate::output::{check_json, check_table};

/// Flags of `undock check`.
#[derive(Debug, Args)]
pub struct Options {
    /// Files, folders (their .yaml, .yml and .json files, recursively, without hidden ones and what
    /// .gitignore names), or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    output: Outputs<CheckFormat>,
    /// Namespace of objects that name none
    #[arg(short, long, env = "UNDOCK_NAMESPACE", default_value = "")]
    namespace: String,
    /// The mode to check against [default: enforce]
    #[arg(long, env = "UNDOCK_MODE", value_enum)]
    mode: Option<Mode>,
    /// The weakest outcome that makes the exit code 1
    #[arg(long, env = "UNDOCK_FAIL_ON", value_enum, default_value = "deny")]
    fail_on: FailOn,
    /// Leave out what matches, as in .gitignore; may be repeated, and adds to `exclude` of the
    /// configuration
    #[arg(
        long,
        env = "UNDOCK_EXCLUDE",
        value_name = "GLOB",
        value_delimiter = ','
    )]
    exclude: Vec<String>,
    /// Render Helm charts with the helm on PATH, with their own values, and check the result
    #[arg(long, env = "UNDOCK_HELM")]
    helm: bool,
    /// Count only findings that this output of an earlier `undock check -o json` does not have
    #[arg(long, env = "UNDOCK_BASELINE", value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Exit with 0 where there is no Kubernetes object to check
    #[arg(long, env = "UNDOCK_ALLOW_EMPTY")]
    allow_empty: bool,
    /// Configuration file (YAML)
    #[arg(long, env = "UNDOCK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Checks what is named and prints the result.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
    let config = config_file::read(options.config.as_deref()).map_err(usage)?;
    let baseline = options.baseline.as_deref().map(read_baseline).transpose();
    let baseline = baseline.map_err(usage)?;
    let exclude = [options.exclude.as_slice(), &config.exclude].concat();
    let found = files::find(&options.paths, &exclude).map_err(usage)?;
    // A check asks what enforce would refuse: the file's mode is the cluster's, not the question's.
    let policy = config.policy(Some(options.mode.unwrap_or(Mode::Enforce)));
    let inputs = read(&found, options.helm);
    let mut checked = check(&inputs, &options.namespace, &policy);
    checked.excluded = found.excluded;
    if !options.helm {
        checked.not_rendered = found.charts.iter().map(|chart| show(chart)).collect();
    }
    if !options.allow_empty {
        let folders = found.empty.iter().map(|folder| {
            let what = "no .yaml, .yml or .json file in this folder, hidden and ignored ones aside";
            nothing_in(&show(folder), what)
        });
        let files = checked
            .empty
            .iter()
            .map(|file| nothing_in(file, "no Kubernetes object in it"));
        let empty: Vec<_> = folders.chain(files).collect();
        checked.errors.extend(empty);
    }
    if let Some(baseline) = &baseline {
        checked.compare(baseline);
    }
    let written = options.output.write_checked(
        &&checked,
        |out, colour| check_table::write(out, &checked, colour),
        |out| check_json::write(out, &checked),
    );
    written.map_err(failed)?;
    exit(&checked, &options)
}

/// A finding is certain, whatever else could not be read.
fn exit(checked: &Checked, options: &Options) -> Result<Exit, Failure> {
    if options.fail_on.is_reached(checked.worst()) {
        return Ok(Exit::Findings);
    }
    if !checked.errors.is_empty() {
        return Ok(Exit::Incomplete);
    }
    if checked.objects.is_empty() && !options.allow_empty {
        let charts = match checked.not_rendered.len() {
            0 => "",
            _ => "; charts are not rendered, --helm does it",
        };
        let message = format!("nothing to check: no Kubernetes object in what was named{charts}");
        return Err((Exit::Incomplete, message));
    }
    Ok(Exit::Clean)
}

fn nothing_in(path: &str, what: &str) -> CheckError {
    CheckError {
        file: path.to_owned(),
        line: 0,
        column: 0,
        message: what.to_owned(),
    }
}

fn read_baseline(path: &Path) -> Result<Baseline, String> {
    let shown = path.display();
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read the baseline {shown}: {error}"))?;
    Baseline::parse(&bytes).map_err(|error| format!("the baseline {shown} is {error}"))
}

/// The contents of what was found, in its order; charts, if they are to be rendered, after the
/// files.
fn read(found: &Files, render: bool) -> Vec<Input> {
    let files = found.files.par_iter().map(|file| Input {
        file: show(&file.path),
        content: content(file),
        kind: if file.is_named {
            InputKind::Named
        } else {
            InputKind::Found
        },
    });
    let mut inputs: Vec<_> = files.collect();
    if render {
        let charts: Vec<_> = found.charts.iter().collect();
        let rendered = charts.into_par_iter().map(|chart| Input {
            file: show(chart),
            content: chart::render(chart),
            kind: InputKind::Chart,
        });
        inputs.extend(rendered.collect::<Vec<_>>());
    }
    inputs
}

/// A path as it is shown: without the `./` that a check of the current folder brings.
fn show(path: &Path) -> String {
    let plain = path.strip_prefix("./").unwrap_or(path);
    let plain = if plain.as_os_str().is_empty() {
        path
    } else {
        plain
    };
    plain.display().to_string()
}

fn content(file: &Found) -> Result<Vec<u8>, String> {
    let read = match &file.error {
        Some(error) => Err(io::Error::other(error.clone())),
        None if file.path == Path::new("-") => read_all(io::stdin().lock()),
        None => read_file(&file.path),
    };
    read.map_err(|error| format!("cannot read file: {error}"))
}

/// A file's bytes. To open a pipe or a device can wait forever, unless it is open already, as the
/// shell's `<(command)` is.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let is_open = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    if !is_open && !fs::metadata(path)?.is_file() {
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
