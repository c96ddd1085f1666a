//! `undock doctor`: is undock installed as it should be? Writes nothing.

use clap::{Args, ValueEnum};

use super::cluster::{ClusterOptions, block_on};
use super::output::Outputs;
use super::{Exit, Failure, failed};
use crate::doctor::{Health, Installation, examine, write_json, write_table};
use crate::registration::NAMESPACE;

/// For `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 all is well, 1 a check failed, 2 wrong usage, \
3 something could not be read (1 wins over 3), 4 could not run";

/// Flags of `undock doctor`.
#[derive(Debug, Args)]
pub struct Options {
    /// Namespace in which undock is installed
    #[arg(short, long, env = "UNDOCK_NAMESPACE", value_name = "NAME", default_value = NAMESPACE)]
    namespace: String,
    /// Namespace of the probe, a dry run that stores nothing
    #[arg(
        long,
        env = "UNDOCK_PROBE_NAMESPACE",
        value_name = "NAME",
        default_value = "default"
    )]
    probe_namespace: String,
    #[command(flatten)]
    cluster: ClusterOptions,
    #[command(flatten)]
    output: Outputs<Format>,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// undock.doctor/v1
    Json,
}

/// Examines the installation and prints the result.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
    let Options {
        namespace,
        probe_namespace,
        cluster,
        output,
    } = options;
    let installation = Installation {
        namespace,
        probe_namespace,
    };
    let examined = block_on(async {
        let client = cluster.client().await?;
        examine(&client, &installation)
            .await
            .map_err(|error| error.to_string())
    });
    let examined = examined.map_err(failed)?.map_err(failed)?;
    let written = output.write(|format, out, colour| match format {
        Format::Table => write_table(out, &examined, colour),
        Format::Json => write_json(out, &examined),
    });
    written.map_err(failed)?;
    // A failed check is certain, whatever else could not be looked at.
    Ok(if examined.count(Health::Fail) > 0 {
        Exit::Findings
    } else if examined.checks.iter().any(|check| check.is_incomplete) {
        Exit::Incomplete
    } else {
        Exit::Clean
    })
}
