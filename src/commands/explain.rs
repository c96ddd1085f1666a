//! `undock explain`: the page of a rule, or the list of all rules.

use clap::{Args, ValueEnum};

use super::output::{Output, write_all};
use super::{Exit, fail};
use crate::explain;
use crate::rules::{self, RULES};

/// Flags of `undock explain`.
#[derive(Debug, Args)]
pub struct Options {
    /// Code or name of a rule, such as DKR101 or docker-socket-mount
    rule: Option<String>,
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
pub fn run(options: Options) -> Exit {
    let Options { rule, output } = options;
    let rule = match rule.as_deref().map(|name| rules::find(name).ok_or(name)) {
        None => None,
        Some(Ok(rule)) => Some(rule),
        Some(Err(name)) => {
            return fail(
                Exit::Usage,
                &format!("there is no rule {name:?}; `undock explain` lists them"),
            );
        }
    };
    let written = write_all(&output, |format, out, _| match (rule, format) {
        (Some(rule), Format::Json) => explain::write_json(out, &[rule]),
        (Some(rule), Format::Table | Format::Markdown) => out.write_all(rule.page.as_bytes()),
        (None, Format::Json) => explain::write_json(out, RULES),
        (None, format) => explain::write_list(out, format == Format::Markdown),
    });
    written.map_or_else(|error| fail(Exit::Failed, &error), |()| Exit::Clean)
}
