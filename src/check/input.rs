//! Inputs of a check: their bytes, and the documents in them.

use crate::manifest::{Document, Manifest, ManifestError, documents};

/// One input: a file, or standard input.
#[derive(Debug)]
pub struct Input {
    /// Its path, `-` for standard input.
    pub file: String,
    /// Its content, or why there is none.
    pub content: Result<Vec<u8>, String>,
}

impl Input {
    /// An input that was read.
    pub fn new(file: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            file: file.to_owned(),
            content: Ok(content.into()),
        }
    }
}

/// An input with its documents.
pub(super) struct ParsedInput<'i> {
    pub(super) file: &'i str,
    pub(super) text: &'i str,
    pub(super) documents: Vec<Result<ParsedDocument<'i>, ManifestError>>,
}

/// A document that was parsed.
pub(super) struct ParsedDocument<'i> {
    /// The template that Helm made it from.
    pub(super) source: Option<&'i str>,
    pub(super) manifest: Manifest<'i>,
}

impl ParsedInput<'_> {
    /// False for an input whose bytes could not be had.
    pub(super) fn is_read(&self) -> bool {
        !matches!(self.documents.first(), Some(Err(error)) if error.line == 0)
    }
}

/// Parses every document of `input`.
pub(super) fn parse(input: &Input) -> ParsedInput<'_> {
    let (text, documents) = match text_of(input) {
        Ok(text) => (text, documents(text).iter().map(parse_document).collect()),
        Err(error) => ("", vec![Err(error)]),
    };
    ParsedInput {
        file: &input.file,
        text,
        documents,
    }
}

fn parse_document<'i>(document: &Document<'i>) -> Result<ParsedDocument<'i>, ManifestError> {
    Ok(ParsedDocument {
        source: document.source,
        manifest: Manifest::parse(document)?,
    })
}

fn text_of(input: &Input) -> Result<&str, ManifestError> {
    let error = |line, column, message: &str| ManifestError {
        line,
        column,
        message: message.to_owned(),
    };
    let bytes = input
        .content
        .as_ref()
        .map_err(|message| error(0, 0, message))?;
    // Windows writes it: no text begins with its byte order marks or with NUL.
    if matches!(
        bytes.as_slice(),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..]
    ) {
        return Err(error(1, 1, "UTF-16 text: save it as UTF-8"));
    }
    std::str::from_utf8(bytes).map_err(|invalid| {
        let before = &bytes[..invalid.valid_up_to()];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
        error(line, column, "not UTF-8 text")
    })
}
