//! `-o FORMAT[=FILE]` and `--fail-on`, for every verb that has them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValue, TypedValueParser, ValueParserFactory};
use clap::{Arg, Args, Command, ValueEnum};

use crate::check::Checked;
use crate::decision::Outcome;
use crate::output::{github, junit, markdown, sarif};

/// The flag `-o` of a verb with the formats `F`.
#[derive(Debug, Args)]
pub(super) struct Outputs<F: Format> {
    /// Output format, and the file it goes to if not standard output; may be repeated
    #[arg(
        short,
        long,
        env = "UNDOCK_OUTPUT",
        value_name = "FORMAT[=FILE]",
        default_value = "table",
        value_delimiter = ','
    )]
    output: Vec<Output<F>>,
}

/// The formats of a verb.
pub(super) trait Format: ValueEnum + Copy + Send + Sync + 'static {}

impl<F: ValueEnum + Copy + Send + Sync + 'static> Format for F {}

/// A format and where it goes.
#[derive(Clone, Debug)]
struct Output<F> {
    format: F,
    /// `None` for standard output.
    file: Option<PathBuf>,
}

impl<F: ValueEnum> FromStr for Output<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("the file name after = is empty".to_owned()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = F::from_str(name, true).map_err(|_| {
            let names: Vec<_> = F::value_variants()
                .iter()
                .filter_map(F::to_possible_value)
                .map(|value| value.get_name().to_owned())
                .collect();
            format!(
                "there is no format {name:?}; choose from {}",
                names.join(", ")
            )
        })?;
        Ok(Self { format, file })
    }
}

/// Reads an [`Output`], and tells `--help` and the completions of shells which formats there are.
#[derive(Clone)]
struct OutputParser<F>(PhantomData<F>);

impl<F: Format> ValueParserFactory for Output<F> {
    type Parser = OutputParser<F>;

    fn value_parser() -> Self::Parser {
        OutputParser(PhantomData)
    }
}

impl<F: Format> TypedValueParser for OutputParser<F> {
    type Value = Output<F>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Output<F>, clap::Error> {
        let parse = |text: &str| text.parse::<Output<F>>();
        TypedValueParser::parse_ref(&parse, command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let formats = F::value_variants().iter();
        Some(Box::new(formats.filter_map(F::to_possible_value)))
    }
}

/// The output formats of `check` and `scan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// For people
    Table,
    /// undock.check/v1, undock.scan/v1
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

impl Outputs<CheckFormat> {
    /// Writes every output: as `table` or `json` does, or `checked` as an outside tool reads it.
    ///
    /// # Errors
    /// As for [`Outputs::write`].
    pub(super) fn write_checked(
        &self,
        checked: &impl Deref<Target = Checked>,
        table: impl Fn(&mut dyn Write, bool) -> io::Result<()>,
        json: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), String> {
        self.write(|format, out, colour| match format {
            CheckFormat::Table => table(out, colour),
            CheckFormat::Json => json(out),
            CheckFormat::Sarif => sarif::write(out, checked),
            CheckFormat::Junit => junit::write(out, checked),
            CheckFormat::Github => github::write(out, checked),
            CheckFormat::Markdown => markdown::write(out, checked),
        })
    }
}

/// What counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Deny,
    Warn,
    Record,
    None,
}

impl FailOn {
    /// True if `worst` is a failure.
    pub(super) fn is_reached(self, worst: Outcome) -> bool {
        match self {
            Self::Deny => worst >= Outcome::Deny,
            Self::Warn => worst >= Outcome::Warn,
            Self::Record => worst >= Outcome::Record,
            Self::None => false,
        }
    }
}

impl<F: Format + PartialEq> Outputs<F> {
    /// The folders that `format` goes to: names that end in a slash, or that are folders. They are
    /// not written by [`Outputs::write`].
    pub(super) fn take_folders(&mut self, format: F) -> Vec<PathBuf> {
        let is_folder =
            |path: &PathBuf| path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir();
        let of_format = |output: &Output<F>| {
            output.format == format && output.file.as_ref().is_some_and(is_folder)
        };
        let outputs = self.output.extract_if(.., |output| of_format(output));
        outputs.filter_map(|output| output.file).collect()
    }
}

impl<F: Format> Outputs<F> {
    /// Writes every output with `write`, which gets the format, the writer, and whether colours
    /// help.
    ///
    /// # Errors
    /// Names the output that could not be written. A closed pipe is no error: the reader has seen
    /// enough.
    pub(super) fn write(
        &self,
        write: impl Fn(F, &mut dyn Write, bool) -> io::Result<()>,
    ) -> Result<(), String> {
        for output in &self.output {
            let written = match &output.file {
                Some(path) => File::create(path).and_then(|file| {
                    let mut out = BufWriter::new(file);
                    write(output.format, &mut out, false)?;
                    out.flush()
                }),
                None => {
                    let mut out = BufWriter::new(io::stdout().lock());
                    write(output.format, &mut out, wants_colour()).and_then(|()| out.flush())
                }
            };
            match written {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    return Err(cannot_write(output.file.as_deref(), &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn cannot_write(file: Option<&Path>, error: &io::Error) -> String {
    let Some(file) = file else {
        return format!("cannot write standard output: {error}");
    };
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let cure = match folder.filter(|folder| !folder.is_dir()) {
        Some(folder) => format!("; make the folder {} first", folder.display()),
        None => String::new(),
    };
    format!("cannot write {}: {error}{cure}", file.display())
}

/// True for a terminal that was not told otherwise (no-color.org).
fn wants_colour() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
