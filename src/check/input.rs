//! Inputs of a check: their bytes, and the documents in them.

use memchr::memmem;

use crate::manifest::{Document, Manifest, ManifestError, documents, may_be_file};

/// One input: a file, or standard input.
#[derive(Debug)]
pub struct Input {
    /// Its path, `-` for standard input.
    pub file: String,
    /// Its content, or why there is none.
    pub content: Result<Vec<u8>, String>,
    /// What it is.
    pub kind: InputKind,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Named: whatever cannot be read in it is an error.
    Named,
    /// Found in a folder among files of all kinds: what is no manifest is none, and no error.
    Found,
    /// What Helm made of the chart in the folder `file`.
    Chart,
}

impl Input {
    /// An input that was read.
    pub fn new(file: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            file: file.to_owned(),
            content: Ok(content.into()),
            kind: InputKind::Named,
        }
    }
}

/// An input with its documents.
pub(super) struct ParsedInput<'i> {
    pub(super) file: &'i str,
    pub(super) text: &'i str,
    pub(super) documents: Vec<Result<ParsedDocument<'i>, ManifestError>>,
    /// Documents that are no manifests, without a look inside.
    pub(super) skipped: usize,
}

/// A document that was parsed.
pub(super) struct ParsedDocument<'i> {
    /// The template that Helm made it from.
    pub(super) source: Option<String>,
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
    let mut parsed = ParsedInput {
        file: &input.file,
        text: "",
        documents: Vec::new(),
        skipped: 0,
    };
    match text_of(input) {
        Ok(text) => parsed.text = text,
        Err(_) if input.kind == InputKind::Found && is_other_text(input) => parsed.skipped += 1,
        Err(error) => parsed.documents.push(Err(error)),
    }
    for document in documents(parsed.text) {
        if input.kind == InputKind::Found && !may_be_manifest(document.text) {
            parsed.skipped += 1;
            continue;
        }
        match Manifest::parse(&document) {
            Err(_) if input.kind == InputKind::Found && !has_both_names(document.text) => {
                parsed.skipped += 1;
            }
            Err(error) => parsed.documents.push(Err(hint(error, document.text))),
            Ok(manifest) => parsed.documents.push(Ok(ParsedDocument {
                source: source_of(input, &document),
                manifest,
            })),
        }
    }
    parsed
}

/// False for a text that has no `kind`, not even one written with escapes, and is no file whose queries are read.
fn may_be_manifest(text: &str) -> bool {
    text.contains("kind") || text.contains('\\') || may_be_file(text)
}

/// True for a text that somebody may have meant as a manifest.
fn has_both_names(text: &str) -> bool {
    text.contains("kind") && text.contains("apiVersion")
}

/// True for bytes that are no text of ours: neither UTF-16 nor with the names of a manifest's fields.
fn is_other_text(input: &Input) -> bool {
    let Ok(bytes) = &input.content else {
        return false;
    };
    let has = |name: &str| memmem::find(bytes, name.as_bytes()).is_some();
    let is_wide = bytes.contains(&0);
    let has_both_names = has("kind") && has("apiVersion");
    !is_wide && !has_both_names
}

/// Says what the parser cannot know: that a text is a template.
fn hint(mut error: ManifestError, text: &str) -> ManifestError {
    if text.contains("{{") {
        error.message = format!(
            "an unrendered Helm or Go template, not YAML ({}); render it first, for example with helm template",
            error.message
        );
    }
    error
}

/// The template of `document`. Helm names it below the name of the chart, a repository below the chart's folder.
fn source_of(input: &Input, document: &Document<'_>) -> Option<String> {
    let source = document.source?;
    match source.split_once('/') {
        Some((_, inside)) if input.kind == InputKind::Chart && input.file == "." => {
            Some(inside.to_owned())
        }
        Some((_, inside)) if input.kind == InputKind::Chart => {
            Some(format!("{}/{inside}", input.file.trim_end_matches('/')))
        }
        _ => Some(source.to_owned()),
    }
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
