//! A word of a script as it is written, with what a shell fills in.

use std::rc::Rc;

/// A word: its text with quotes removed, and where a shell puts something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// In the order of the text.
    pub(super) references: Vec<Reference>,
}

/// A `$` or a `~` in a word that no quotes take the meaning of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Where in the text it stands.
    pub(super) at: usize,
    /// What is put there stays one word.
    pub(super) is_quoted: bool,
    /// What the command in it writes, where that is known; the text has `$()` there. Shared,
    /// because a word is copied with what its references hold.
    pub(super) output: Option<Rc<Word>>,
}

/// What stands behind a `$`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parameter<'w> {
    /// `$(…)`
    Command,
    /// A variable, a number or `@`, and the place of its default in the text.
    Named(&'w str, Option<usize>),
    /// Something that is not followed, such as `${NAME%x}`.
    Other,
}

impl Word {
    /// A word in which nothing is filled in.
    pub(super) fn literal(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            references: Vec::new(),
        }
    }

    /// `$NAME`
    pub(super) fn reference(name: &str) -> Self {
        let mut word = Self::default();
        word.refer(true, None);
        word.text = format!("${name}");
        word
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Notes that something is filled in at the end of the text.
    pub(super) fn refer(&mut self, is_quoted: bool, output: Option<Self>) {
        self.references.push(Reference {
            at: self.text.len(),
            is_quoted,
            output: output.map(Rc::new),
        });
    }

    /// Adds `other` behind `separator`.
    pub(super) fn append(&mut self, separator: &str, other: &Self) {
        self.text.push_str(separator);
        let start = self.text.len();
        self.text.push_str(&other.text);
        let moved = other.references.iter().cloned();
        let moved = moved.map(|reference| Reference {
            at: start + reference.at,
            ..reference
        });
        self.references.extend(moved);
    }

    /// The part from `start` to `end`.
    pub(super) fn slice(&self, start: usize, end: usize) -> Self {
        let before = |end: usize| self.references.partition_point(|found| found.at < end);
        let inside = self.references.get(before(start)..before(end));
        let inside = inside.unwrap_or_default().iter();
        Self {
            text: self.text.get(start..end).unwrap_or_default().to_owned(),
            references: inside
                .map(|reference| Reference {
                    at: reference.at - start,
                    ..reference.clone()
                })
                .collect(),
        }
    }

    /// Name and value of `NAME=VALUE` or `NAME+=VALUE`, and whether it is the second.
    pub(super) fn assignment(&self) -> Option<(&str, Self, bool)> {
        let (name, _) = self.text.split_once('=')?;
        let value = self.slice(name.len() + 1, self.text.len());
        match name.strip_suffix('+') {
            Some(name) => Some((name, value, true)),
            None => Some((name, value, false)),
        }
    }

    /// Bytes that a copy takes.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.references.len() * size_of::<Reference>()
    }

    /// What the reference at `at` refers to, and where that ends.
    pub(super) fn parameter(&self, at: usize) -> (Parameter<'_>, usize) {
        let behind = self.text.get(at + 1..).unwrap_or_default();
        if self.text[at..].starts_with('~') {
            return (Parameter::Named("HOME", None), at + 1);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if behind.starts_with("()") {
            return (Parameter::Command, at + 3);
        }
        if let Some(inner) = behind.strip_prefix('{') {
            let start = at + 2;
            let length = closing_brace(inner);
            let inner = &inner[..length];
            let end = (start + length + 1).min(self.text.len());
            let name_length = match inner.starts_with(['@', '*']) {
                true => 1,
                false => inner.find(|c| !is_name(c)).unwrap_or(length),
            };
            let (name, rest) = inner.split_at(name_length);
            let default = [":-", ":=", "-", "="].into_iter().find_map(|operator| {
                rest.strip_prefix(operator)
                    .map(|_| start + name_length + operator.len())
            });
            let is_plain = matches!(rest, "" | "[@]" | "[*]");
            return match name.is_empty() || !(is_plain || default.is_some()) {
                true => (Parameter::Other, end),
                false => (Parameter::Named(name, default), end),
            };
        }
        let length = match behind.chars().next() {
            Some(c) if c.is_ascii_digit() || matches!(c, '@' | '*') => 1,
            _ => behind.find(|c| !is_name(c)).unwrap_or(behind.len()),
        };
        match length {
            0 => (Parameter::Other, at + 1),
            length => (Parameter::Named(&behind[..length], None), at + 1 + length),
        }
    }
}

/// Where the brace closes that `inner` stands behind.
fn closing_brace(inner: &str) -> usize {
    let mut open = 1_usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    inner.len()
}
