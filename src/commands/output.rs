//! `-o FORMAT[=FILE]` and `--fail-on`, for every verb that has them.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use crate::decision::Outcome;

/// A format and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Output<F> {
    format: F,
    /// `None` for standard output.
    file: Option<PathBuf>,
}

impl<F: Copy> Output<F> {
    /// The format.
    pub(super) fn format(&self) -> F {
        self.format
    }

    /// The folder that it goes to: a name that ends in a slash, or that is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        let is_folder =
            |path: &&PathBuf| path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir();
        self.file.as_ref().filter(is_folder).map(PathBuf::as_path)
    }
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

/// Writes every output with `write`, which gets the format, the writer, and whether colours help.
///
/// # Errors
/// Names the output that could not be written. A closed pipe is no error: the reader has seen enough.
pub(super) fn write_all<'o, F: Copy + 'o>(
    outputs: impl IntoIterator<Item = &'o Output<F>>,
    write: impl Fn(F, &mut dyn Write, bool) -> io::Result<()>,
) -> Result<(), String> {
    for output in outputs {
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
                let place = output.file.as_ref().map_or_else(
                    || "standard output".to_owned(),
                    |path| path.display().to_string(),
                );
                let folder = output
                    .file
                    .as_deref()
                    .and_then(std::path::Path::parent)
                    .filter(|folder| !folder.as_os_str().is_empty());
                let cure = match folder.filter(|folder| !folder.is_dir()) {
                    Some(folder) => format!("; make the folder {} first", folder.display()),
                    None => String::new(),
                };
                return Err(format!("cannot write {place}: {error}{cure}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// True for a terminal that was not told otherwise (no-color.org).
fn wants_colour() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
