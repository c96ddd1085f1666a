//! The words that a word of a script comes apart into, and what several values make of them.

use crate::workload::budget::{keep, spend};

/// Values of one name, and calls that one command stands for. More are left out, the last first.
pub(super) const MAX_VALUES: usize = 16;

/// Longest text that is made of values.
pub(super) const MAX_LENGTH: usize = 16 * 1024;

/// What a value takes, without its text.
pub(super) const VALUE_BYTES: usize = 2 * size_of::<String>();

/// Words so far, the last of which may go on.
#[derive(Clone, Default)]
pub(super) struct Fields {
    done: Vec<String>,
    last: Option<String>,
    /// Bytes of the last one that values brought in.
    filled: usize,
}

impl Fields {
    /// Adds a text as it is written, which makes no word where it is empty.
    pub(super) fn push(&mut self, text: &str) {
        if !text.is_empty() && keep(text.len()) {
            self.last.get_or_insert_default().push_str(text);
        }
    }

    /// Adds a value, of which an empty one makes a word, too. False if it is too long.
    pub(super) fn push_quoted(&mut self, value: &str) -> bool {
        if self.filled + value.len() > MAX_LENGTH || !keep(value.len()) {
            return false;
        }
        self.filled += value.len();
        self.last.get_or_insert_default().push_str(value);
        true
    }

    /// The same for a value of several words.
    pub(super) fn push_words(&mut self, words: &[String]) -> bool {
        words.iter().enumerate().all(|(number, word)| {
            if number > 0 {
                self.end_word();
            }
            spend(1) && self.push_quoted(word)
        })
    }

    /// The same for one that comes apart at blanks and `separators`.
    pub(super) fn push_apart(&mut self, value: &str, separators: &str) -> bool {
        if !spend(value.len() * (1 + separators.len() / 4)) {
            return false;
        }
        let is_separator = |c: char| c.is_whitespace() || separators.contains(c);
        value.split(is_separator).enumerate().all(|(number, part)| {
            if number > 0 {
                self.end_word();
            }
            part.is_empty() || self.push_quoted(part)
        })
    }

    fn end_word(&mut self) {
        self.filled = 0;
        if let Some(word) = self.last.take().filter(|_| keep(VALUE_BYTES)) {
            self.done.push(word);
        }
    }

    /// All of its words.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.end_word();
        self.done
    }

    /// The bytes that a copy takes.
    pub(super) fn size(&self) -> usize {
        let words = self.done.iter().chain(&self.last);
        words.map(|word| VALUE_BYTES + word.len()).sum()
    }
}

/// Adds each of `parts` to each of `all`, copies of which take their `size`; where that are too
/// many, each part to one at least, and false.
pub(super) fn combine<A: Clone, P>(
    all: &mut Vec<A>,
    parts: &[P],
    size: impl Fn(&A) -> usize,
    add: impl Fn(&mut A, &P),
) -> bool {
    if parts.is_empty() {
        return true;
    }
    let before = all.len();
    let product = before * parts.len();
    let is_product = product <= MAX_VALUES;
    let count = if is_product {
        product
    } else {
        before.max(parts.len().min(MAX_VALUES))
    };
    for at in before..count {
        if !keep(size(&all[at % before])) {
            return false;
        }
        all.push(all[at % before].clone());
    }
    for (at, one) in all.iter_mut().enumerate() {
        let part = if is_product { at / before } else { at };
        add(one, &parts[part % parts.len()]);
    }
    is_product
}
