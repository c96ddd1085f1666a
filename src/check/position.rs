//! Where a finding stands: at the value of its field, or inside it where the value is a text of
//! several words.

use std::collections::HashMap;

use super::lines::Lines;
use crate::embedded::aligned;
use crate::finding::Finding;
use crate::manifest::{Item, Manifest};

/// A place in a file, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
    /// Characters of the evidence there; `None` for the whole value.
    pub(super) width: Option<usize>,
}

/// Finds the places of the findings of one object.
pub(super) struct Positions<'p, 'm, 't> {
    manifest: &'p Manifest<'m>,
    item: &'p Item,
    lines: &'p mut Lines<'t>,
    /// How often an evidence was looked for in a field: each finding has an occurrence of its own.
    looked: HashMap<(String, String), usize>,
}

impl<'p, 'm, 't> Positions<'p, 'm, 't> {
    pub(super) fn new(
        manifest: &'p Manifest<'m>,
        item: &'p Item,
        lines: &'p mut Lines<'t>,
    ) -> Self {
        Self {
            manifest,
            item,
            lines,
            looked: HashMap::new(),
        }
    }

    /// The text of line `number`.
    pub(super) fn line(&mut self, number: usize) -> &'t str {
        self.lines.get(number)
    }

    /// The place of `finding`.
    pub(super) fn of(&mut self, finding: &Finding) -> Position {
        let (line, column) = self.manifest.locate(self.item, &finding.field);
        let whole = Position {
            line,
            column,
            width: None,
        };
        let text = self.manifest.text(self.item, &finding.field);
        // A path, an image or an address is shown whole.
        let Some(text) = text.filter(|text| text.trim().contains(char::is_whitespace)) else {
            return whole;
        };
        let Some((offset, evidence)) = self.evidence(finding, text) else {
            return whole;
        };
        let Some(start) = self.lines.offset(line, column) else {
            return whole;
        };
        let source = &self.lines.text()[start..];
        match aligned(text, offset, source) {
            None => whole,
            Some(at) => {
                let (line, column) = self.lines.place(start + at);
                // What is written with escapes is longer in the file; the pointer shows where it
                // begins.
                let is_plain = source[at..].starts_with(evidence);
                let width = if is_plain {
                    evidence.chars().count()
                } else {
                    1
                };
                Position {
                    line,
                    column,
                    width: Some(width),
                }
            }
        }
    }

    /// Where the evidence begins in `text`, and what of it is to be shown.
    fn evidence<'x>(&mut self, finding: &Finding, text: &'x str) -> Option<(usize, &'x str)> {
        let evidence = finding.evidence.trim();
        if let Some(offset) = finding.offset.filter(|at| text.is_char_boundary(*at)) {
            let rest = text[offset..].trim_start();
            let offset = text.len() - rest.len();
            let shown = if rest.starts_with(evidence) {
                &rest[..evidence.len()]
            } else {
                rest.split_whitespace().next()?
            };
            return Some((offset, shown));
        }
        let key = (finding.field.clone(), evidence.to_owned());
        let number = self.looked.entry(key).or_default();
        let found = occurrence(text, evidence, *number);
        *number += 1;
        found
            .map(|at| (at, &text[at..at + evidence.len()]))
            .or_else(|| in_one_line(text, evidence))
    }
}

/// The `number`th place of `evidence` in `text`, from 0, the last where there are fewer: as a word
/// of its own and outside of comments where it stands there.
fn occurrence(text: &str, evidence: &str, number: usize) -> Option<usize> {
    if evidence.is_empty() {
        return None;
    }
    let all: Vec<usize> = text.match_indices(evidence).map(|(at, _)| at).collect();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_word = |at: usize| {
        let is_first = !evidence.starts_with(is_part) || !text[..at].ends_with(is_part);
        let is_last =
            !evidence.ends_with(is_part) || !text[at + evidence.len()..].starts_with(is_part);
        is_first && is_last
    };
    let is_comment = |at: usize| {
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        line.trim_start().starts_with('#')
    };
    let best: Vec<usize> = all
        .iter()
        .copied()
        .filter(|at| is_word(*at) && !is_comment(*at))
        .collect();
    let candidates = if best.is_empty() { all } else { best };
    let last = candidates.last().copied();
    candidates.get(number).copied().or(last)
}

/// The first line of `text` with all words of `evidence` in their order, where quotes, options or
/// spaces stand between them: the start of the first word, and that word.
fn in_one_line<'t>(text: &'t str, evidence: &str) -> Option<(usize, &'t str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words: Vec<&str> = evidence
        .split(|c| !is_part(c))
        .filter(|word| !word.is_empty())
        .collect();
    let first = words.first()?;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut from = 0;
        let has_all = words.iter().all(|word| {
            let at = line[from..].find(word);
            from += at.map_or(0, |at| at + word.len());
            at.is_some()
        });
        if let Some(at) = line.find(first).filter(|_| has_all) {
            return Some((start + at, &line[at..at + first.len()]));
        }
        start += line.len();
    }
    None
}
