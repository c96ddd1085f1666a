//! `undock explain`: the page of a rule, or the list of all rules.

use clap::{Args, ValueEnum};

use super::output::Outputs;
use super::{Exit, Failure, failed, usage};
use crate::explain;
use crate::rules::{self, RULES};

/// For `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 explained, 2 wrong usage or no such rule, 4 could not write";

/// Flags of `undock explain`.
#[derive(Debug, Args)]
pub struct Options {
    /// Code or name of a rule, such as DKR101 or docker-socket-mount
    rule: Option<String>,
    #[command(flatten)]
    output: Outputs<Format>,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// The page as in docs/rules
    Markdown,
}

/// Prints the rule, or all of them.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
    let Options { rule, output } = options;
    let unknown = |name: &str| {
        usage(format!(
            "there is no rule {name:?}; `undock explain` lists them"
        ))
    };
    let find = |name: &str| rules::find(name).ok_or_else(|| unknown(name));
    let rule = rule.as_deref().map(find).transpose()?;
    let written = output.write(|format, out, _| match (rule, format) {
        (Some(rule), Format::Json) => explain::write_json(out, &[rule]),
        (Some(rule), Format::Table | Format::Markdown) => out.write_all(rule.page.as_bytes()),
        (None, Format::Json) => explain::write_json(out, RULES),
        (None, format) => explain::write_list(out, format == Format::Markdown),
    });
    written.map(|()| Exit::Clean).map_err(failed)
}
