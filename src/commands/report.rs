//! `undock report`: records, audit logs and scans from files, folders and standard input; `undock
//! report diff` compares two reports.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::output::Outputs;
use super::{Exit, Failure, config_file, failed, usage};
use crate::decision::Mode;
use crate::report::model::{Report, Status, Verdict};
use crate::report::{
    Options as ReportOptions, Reporter, Selection, Since, csv, diff, html, json, markdown, table,
};

/// Flags of `undock report`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Options {
    /// Records, API-server audit logs and their cloud exports, scans in JSON, plain or gzip: files,
    /// folders, or - for standard input
    #[arg(required_unless_present = "cluster", value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    output: Outputs<Format>,
    /// Target date for the burn-down
    #[arg(long, env = "UNDOCK_DEADLINE", value_name = "DATE")]
    deadline: Option<Date>,
    /// What ended earlier is left out; would-deny and missed writes count from here: YYYY-MM-DD, or
    /// 14d before the newest input
    #[arg(long, env = "UNDOCK_SINCE", value_name = "DATE|DAYS")]
    since: Option<Since>,
    /// Leave out what is later: a day or an RFC 3339 timestamp. Without it, what is dated more than
    /// a day after the present is an error
    #[arg(long, env = "UNDOCK_AS_OF", value_name = "TIME", value_parser = as_of)]
    as_of: Option<Timestamp>,
    /// Days that the inputs must cover before a namespace is READY
    #[arg(long, env = "UNDOCK_WINDOW", value_name = "DAYS", default_value = "14",
        value_parser = clap::value_parser!(u32).range(1..))]
    window: u32,
    /// The cluster of inputs that name none [default: the one that the others name]; as NAME=FILE,
    /// an input of that cluster. May be repeated
    #[arg(long, env = "UNDOCK_CLUSTER_NAME", value_name = "NAME[=FILE]")]
    cluster: Vec<String>,
    /// An earlier report (-o json): keeps when findings were first seen, how they ended and the
    /// burn-down, so that rotated logs lose nothing. It covers no day of the window
    #[arg(long, env = "UNDOCK_HISTORY", value_name = "FILE")]
    history: Option<PathBuf>,
    /// Only findings of this team; may be repeated
    #[arg(long, env = "UNDOCK_TEAM", value_name = "TEAM")]
    team: Vec<String>,
    /// Only this namespace; may be repeated
    #[arg(short, long, env = "UNDOCK_NAMESPACE", value_name = "NAMESPACE")]
    namespace: Vec<String>,
    /// Only findings of this status; may be repeated
    #[arg(long, env = "UNDOCK_STATUS", value_enum, value_name = "STATUS")]
    status: Vec<Status>,
    /// Evaluate the logged objects (audit level Request or above): a report before anything is
    /// installed
    #[arg(long, env = "UNDOCK_REPLAY")]
    replay: bool,
    /// The weakest open finding that makes the exit code 1
    #[arg(long, env = "UNDOCK_FAIL_ON", value_enum, default_value = "deny")]
    fail_on: FailOn,
    /// Configuration file (YAML), for --replay
    #[arg(long, env = "UNDOCK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Compare two reports in JSON: what is new, fixed, changed
    Diff(DiffOptions),
}

/// Flags of `undock report diff`.
#[derive(Debug, Args)]
struct DiffOptions {
    /// The earlier report, as written by -o json
    old: PathBuf,
    /// The later report
    new: PathBuf,
    /// Exit with 1 if a finding is new or open again
    #[arg(long, env = "UNDOCK_FAIL_ON_NEW")]
    fail_on_new: bool,
    #[command(flatten)]
    output: Outputs<DiffFormat>,
}

/// The end of a day in UTC, or a moment.
fn as_of(text: &str) -> Result<Timestamp, String> {
    let end_of_day = |date: Date| {
        let next = date.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
        next.timestamp()
            .checked_sub(jiff::SignedDuration::from_millis(1))
            .ok()
    };
    match text.parse() {
        Ok(date) => end_of_day(date),
        Err(_) => text.parse().ok(),
    }
    .ok_or_else(|| "write YYYY-MM-DD, or a timestamp as 2026-11-20T10:00:00Z".to_owned())
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// undock.report/v1
    Json,
    /// One row for each finding
    Csv,
    /// One row for each exemption
    CsvExemptions,
    /// For a page or a comment
    Markdown,
    /// One page without scripts; html=DIR/ writes an index, and a page for each team
    Html,
}

/// Output formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For people
    Table,
    /// undock.diff/v1
    Json,
    /// For a page or a comment
    Markdown,
}

/// What counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Open or stale findings that enforce refuses
    Deny,
    /// Open or stale findings that are at least a warning
    Warn,
    /// Any open or stale finding
    Record,
    /// A namespace that is not READY
    NotReady,
    None,
}

impl FailOn {
    fn is_reached(self, report: &Report) -> bool {
        if self == Self::NotReady {
            let mut namespaces = report.namespaces.iter();
            return namespaces.any(|own| own.verdict != Verdict::Ready);
        }
        report
            .findings
            .iter()
            .filter(|finding| matches!(finding.status, Status::Open | Status::Stale))
            .any(|finding| match self {
                Self::Deny => finding.denies,
                Self::Warn => finding.denies || finding.impact != "advisory",
                Self::Record => true,
                Self::NotReady | Self::None => false,
            })
    }
}

/// Makes the report and prints it.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
    let Options {
        inputs,
        mut output,
        deadline,
        since,
        as_of,
        window,
        cluster,
        history,
        team,
        namespace,
        status,
        replay,
        fail_on,
        config,
        verb,
    } = options;
    if let Some(Verb::Diff(options)) = verb {
        return run_diff(&options);
    }
    let config = config_file::read(config.as_deref()).map_err(usage)?;
    // What enforce would have refused is the question of a replay.
    let replay = replay.then(|| config.policy(Some(Mode::Enforce)));
    let (of_cluster, named): (Vec<_>, Vec<_>) =
        cluster.iter().partition(|cluster| cluster.contains('='));
    let default_cluster = match named.as_slice() {
        [] => "",
        [name] => name.as_str(),
        _ => {
            return Err(usage(
                "--cluster names the cluster of all inputs once; of one input: --cluster NAME=FILE",
            ));
        }
    };
    let mut reporter = Reporter::new(ReportOptions {
        cluster: default_cluster.to_owned(),
        deadline,
        since,
        as_of,
        present: Some(Timestamp::now()),
        window_days: window,
        replay,
    });
    for input in &inputs {
        read(&mut reporter, input, default_cluster, true);
    }
    for (name, input) in of_cluster
        .iter()
        .filter_map(|cluster| cluster.split_once('='))
    {
        read(&mut reporter, Path::new(input), name, true);
    }
    if let Some(path) = history {
        reporter.keep_history(&path.display().to_string(), load(&path)?);
    }
    let mut report = reporter.finish();
    Selection {
        teams: team,
        namespaces: namespace,
        statuses: status,
    }
    .apply(&mut report);
    if report.as_of.is_empty() && report.errors.is_empty() {
        let message = "nothing to report: no record, no audit event and no scan in what was named";
        return Err((Exit::Incomplete, message.to_owned()));
    }
    for folder in output.take_folders(Format::Html) {
        html::write_folder(&folder, &report)
            .map_err(|error| failed(format!("cannot write {}: {error}", folder.display())))?;
    }
    let written = output.write(|format, out, colour| match format {
        Format::Table => table::write(out, &report, style(colour)),
        Format::Json => json::write(out, &report),
        Format::Csv => csv::write(out, &report),
        Format::CsvExemptions => csv::write_exemptions(out, &report),
        Format::Markdown => markdown::write(out, &report),
        Format::Html => html::write(out, &report),
    });
    written.map_err(failed)?;
    // A finding is certain, whatever else could not be read.
    Ok(if fail_on.is_reached(&report) {
        Exit::Findings
    } else if report.coverage.unreadable > 0 || !report.notices.is_empty() {
        Exit::Incomplete
    } else {
        Exit::Clean
    })
}

/// The terminal's width, and its colours where they are wanted.
fn style(colour: bool) -> table::Style {
    table::Style {
        colour,
        width: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
    }
}

/// Reads files of `cluster`, and folders in the order of their names. Links to folders are not
/// followed: they can be loops.
fn read(reporter: &mut Reporter, path: &Path, cluster: &str, named: bool) {
    let name = path.display().to_string();
    if named && path == Path::new("-") {
        return reporter.read_of("-", io::stdin().lock(), cluster);
    }
    let is_folder = if named {
        path.is_dir()
    } else {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
    };
    if is_folder {
        match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Err(error) => reporter.fail(&name, &format!("cannot read folder: {error}")),
            Ok(entries) if entries.is_empty() => reporter.fail(&name, "the folder is empty"),
            Ok(entries) => {
                let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
                paths.sort();
                paths
                    .iter()
                    .for_each(|path| read(reporter, path, cluster, false));
            }
        }
        return;
    }
    // In a folder, notes and pages beside the logs are no logs.
    let is_note = ["md", "html"]
        .iter()
        .any(|other| path.extension().is_some_and(|own| own == *other));
    if !named && (is_note || !path.is_file()) {
        return;
    }
    match File::open(path) {
        Ok(file) => reporter.read_of(&name, file, cluster),
        Err(error) => reporter.fail(&name, &format!("cannot read file: {error}")),
    }
}

/// A report that -o json wrote.
fn load(path: &Path) -> Result<Report, Failure> {
    let shown = path.display();
    let report = fs::read(path)
        .map_err(|error| format!("cannot read {shown}: {error}"))
        .and_then(|bytes| {
            json::read(&bytes).map_err(|error| {
                format!(
                    "{shown} is no report of undock: {error}; write one with undock report -o json"
                )
            })
        });
    report.map_err(|message| (Exit::Incomplete, message))
}

fn run_diff(options: &DiffOptions) -> Result<Exit, Failure> {
    let (old, new) = (load(&options.old)?, load(&options.new)?);
    if let Some(problem) = diff::incomparable(&old, &new) {
        return Err(usage(problem));
    }
    let diff = diff::Diff::new(&old, &new);
    let written = options.output.write(|format, out, _| match format {
        DiffFormat::Table => diff.write_table(out),
        DiffFormat::Json => diff.write_json(out),
        DiffFormat::Markdown => diff.write_markdown(out),
    });
    written.map_err(failed)?;
    Ok(match options.fail_on_new && !diff.new.is_empty() {
        true => Exit::Findings,
        false => Exit::Clean,
    })
}
