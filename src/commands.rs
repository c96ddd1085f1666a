//! The command line: one file for each verb. Only here is anything printed, and only `main` ends
//! the process.

pub mod check;
pub mod cluster;
mod completion;
mod config_file;
pub mod controller;
pub mod doctor;
pub mod explain;
mod output;
mod process;
pub mod report;
pub mod scan;
pub mod serve;

use std::fmt::Display;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// How a verb ended, for all verbs alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above `--fail-on`.
    Clean = 0,
    /// Findings.
    Findings = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Some input could not be read, or there was none; findings win over it.
    Incomplete = 3,
    /// Could not run.
    Failed = 4,
}

/// Moves Kubernetes clusters off Docker Engine: finds what depends on the node's Docker, warns or
/// refuses.
#[derive(Debug, Parser)]
#[command(
    name = "undock",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the webhook; without certificates it makes its own and listens on 127.0.0.1:8443
    #[command(after_help = process::EXIT_CODES)]
    Serve(serve::Options),
    /// Run scans, reports and Events in the cluster, in a process separate from the webhook
    #[command(after_help = process::EXIT_CODES)]
    Controller(controller::Options),
    /// Check manifests: files, folders, or - for standard input; needs no cluster
    #[command(after_help = EXIT_CODES)]
    Check(check::Options),
    /// Scan the live cluster, read-only: nodes by runtime, workloads, volumes, configuration
    #[command(after_help = EXIT_CODES)]
    Scan(scan::Options),
    /// Turn records, audit logs and scans into the migration report
    #[command(after_help = EXIT_CODES)]
    Report(report::Options),
    /// Explain a rule: why, what breaks, how to fix it; without a rule, list all of them
    #[command(after_help = explain::EXIT_CODES)]
    Explain(explain::Options),
    /// Check an installation: registration, CA, reachability, versions, missed writes
    #[command(after_help = doctor::EXIT_CODES)]
    Doctor(doctor::Options),
    /// Print completions for a shell: source <(undock completion bash)
    #[command(after_help = completion::EXIT_CODES)]
    Completion(completion::Options),
}

/// Of the verbs with `--fail-on`.
const EXIT_CODES: &str = "\
Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong usage or configuration, \
3 some input unreadable, forbidden or empty (1 wins over 3), 4 could not run";

impl Cli {
    /// Reads the arguments of the process. Installed as `kubectl-undock`, it calls itself as people
    /// call it.
    pub fn from_arguments() -> Self {
        let program = std::env::args_os().next().map(std::path::PathBuf::from);
        let name = program
            .as_deref()
            .and_then(|path| path.file_stem()?.to_str())
            .unwrap_or_default();
        let command = if name == "kubectl-undock" {
            Self::command().bin_name("kubectl undock")
        } else {
            Self::command()
        };
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// Runs the verb, and says in one line why it does not go on, if it does not.
    #[expect(clippy::print_stderr, reason = "the one place for it")]
    pub fn run(self) -> Exit {
        let ended = match self.verb {
            Verb::Serve(options) => serve::run(options),
            Verb::Controller(options) => controller::run(options),
            Verb::Check(options) => check::run(options),
            Verb::Scan(options) => scan::run(options),
            Verb::Report(options) => report::run(options),
            Verb::Explain(options) => explain::run(options),
            Verb::Doctor(options) => doctor::run(options),
            Verb::Completion(options) => completion::run(options),
        };
        ended.unwrap_or_else(|(exit, message)| {
            eprintln!("undock: {message}");
            exit
        })
    }
}

/// Why a verb does not go on, for people.
type Failure = (Exit, String);

/// What was asked for cannot be done: flags, configuration, what they name.
fn usage(error: impl Display) -> Failure {
    (Exit::Usage, error.to_string())
}

/// It could not be done.
fn failed(error: impl Display) -> Failure {
    (Exit::Failed, error.to_string())
}
