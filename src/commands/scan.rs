//! `undock scan`: what is in a live cluster. Reads, never writes.

use std::cell::LazyCell;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use super::cluster::{ClusterOptions, block_on};
use super::output::{CheckFormat, FailOn, Outputs};
use super::{Exit, Failure, config_file, failed, usage};
use crate::api::path::is_dns_label;
use crate::decision::Mode;
use crate::output::{scan_json, scan_table};
use crate::scan::{Progress, Scope, scan, server_time};

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
    #[command(flatten)]
    output: Outputs<CheckFormat>,
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

/// Scans the cluster and prints the result.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
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
    let config = config_file::read(config.as_deref()).map_err(usage)?;
    let namespaces = if all_namespaces {
        Vec::new()
    } else {
        namespace
    };
    if let Some(wrong) = namespaces.iter().find(|name| !is_dns_label(name)) {
        return Err(usage(format!("{wrong:?} is no name of a namespace")));
    }
    // As for check, the question is what enforce would refuse; the modes of the namespaces are
    // listed.
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
    let (began, scanned) = scanned.map_err(failed)?.map_err(failed)?;
    let about = scan_json::About {
        cluster: &config.cluster,
        time: began.to_string(),
        scope: &scope,
    };
    let checked = LazyCell::new(|| scanned.to_checked());
    let written = output.write_checked(
        &checked,
        |out, colour| scan_table::write(out, &scanned, &policy, colour),
        |out| scan_json::write(out, &scanned, &policy, &about),
    );
    written.map_err(failed)?;
    // A finding is certain, whatever else could not be read.
    Ok(if fail_on.is_reached(scanned.worst()) {
        Exit::Findings
    } else if !scanned.errors.is_empty() {
        Exit::Incomplete
    } else {
        Exit::Clean
    })
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
