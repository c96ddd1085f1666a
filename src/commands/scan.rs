//! `undock scan`: what is in a live cluster. Reads, never writes.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::cluster::{ClusterOptions, block_on};
use super::output::{FailOn, Output, write_all};
use super::{Exit, fail};
use crate::api::path::is_dns_label;
use crate::check::{Checked, github, junit, markdown, sarif};
use crate::config::Config;
use crate::decision::Mode;
use crate::scan::{Progress, Scope, json, scan, server_time, table};

/// Flags of `undock scan`.
#[derive(Debug, Args)]
pub struct Options {
    /// Namespace; may be repeated [default: all]
    #[arg(
        short,
        long,
        env = "UNDOCK_NAMESPACE",
        value_name = "NAME",
        value_delimiter = ','
    )]
    namespace: Vec<String>,
    /// All namespaces, which is the default; wins over --namespace
    #[arg(short = 'A', long, env = "UNDOCK_ALL_NAMESPACES")]
    all_namespaces: bool,
    /// Label selector for workloads, Pods and configuration
    #[arg(
        short = 'l',
        long,
        env = "UNDOCK_SELECTOR",
        default_value = "",
        hide_default_value = true
    )]
    selector: String,
    #[command(flatten)]
    cluster: ClusterOptions,
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
    /// The mode to judge by, whatever modes the namespaces have [default: enforce]
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
    /// undock.scan/v1
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

/// Scans the cluster and prints the result.
pub fn run(options: Options) -> Exit {
    let Options {
        namespace,
        all_namespaces,
        selector,
        cluster,
        output,
        mode,
        fail_on,
        config,
    } = options;
    let config = match config.map_or_else(|| Ok(Config::default()), |path| Config::read(&path)) {
        Ok(config) => config,
        Err(error) => return fail(Exit::Usage, &error.to_string()),
    };
    let namespaces = if all_namespaces {
        Vec::new()
    } else {
        namespace
    };
    if let Some(wrong) = namespaces.iter().find(|name| !is_dns_label(name)) {
        return fail(Exit::Usage, &format!("{wrong:?} is no name of a namespace"));
    }
    // As for check, the question is what enforce would refuse; the modes of the namespaces are listed.
    let policy = config.policy(Some(mode.unwrap_or(Mode::Enforce)));
    let scope = Scope {
        namespaces,
        selector,
    };
    let mut line = ProgressLine::default();
    let scanned = block_on(async {
        let client = cluster.client().await?;
        let began = server_time(&client)
            .await
            .unwrap_or_else(jiff::Timestamp::now);
        let read = scan(&client, &scope, &policy, &mut |progress| {
            line.show(progress)
        })
        .await;
        read.map(|scanned| (began, scanned))
            .map_err(|error| error.to_string())
    });
    line.clear();
    let (began, scanned) = match scanned.map_err(|error| error.to_string()).flatten() {
        Ok(read) => read,
        Err(error) => return fail(Exit::Failed, &error),
    };
    let about = json::About {
        cluster: &config.cluster,
        time: began.to_string(),
        scope: &scope,
    };
    let worst = scanned.worst();
    let is_complete = scanned.errors.is_empty();
    let is_native =
        |output: &&Output<Format>| matches!(output.format(), Format::Table | Format::Json);
    let (native, borrowed): (Vec<_>, Vec<_>) = output.iter().partition(is_native);
    let written = write_all(native, |format, out, colour| match format {
        Format::Json => json::write(out, &scanned, &policy, &about),
        _ => table::write(out, &scanned, &policy, colour),
    });
    // The other formats are check's. They are written last, from the same findings.
    let checked = if borrowed.is_empty() {
        Checked::default()
    } else {
        scanned.into_checked()
    };
    let written = written.and_then(|()| {
        write_all(borrowed, |format, out, _| match format {
            Format::Sarif => sarif::write(out, &checked),
            Format::Junit => junit::write(out, &checked),
            Format::Github => github::write(out, &checked),
            Format::Markdown | Format::Table | Format::Json => markdown::write(out, &checked),
        })
    });
    if let Err(error) = written {
        return fail(Exit::Failed, &error);
    }
    if !is_complete {
        Exit::Incomplete
    } else if fail_on.is_reached(worst) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

/// One line on a terminal that is written over; nothing anywhere else.
struct ProgressLine {
    is_shown: bool,
}

impl Default for ProgressLine {
    fn default() -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
        }
    }
}

impl ProgressLine {
    #[expect(clippy::print_stderr, reason = "progress is for the terminal alone")]
    fn show(&mut self, progress: Progress<'_>) {
        if self.is_shown {
            eprint!("\r\u{1b}[Kreading {} {}", progress.part, progress.objects);
        }
    }

    #[expect(clippy::print_stderr, reason = "see above")]
    fn clear(&mut self) {
        if self.is_shown {
            eprint!("\r\u{1b}[K");
        }
    }
}
