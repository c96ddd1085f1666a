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

#[cfg(test)]
mod tests {
    use super::super::{HostEntry, read_script};
    use super::*;
    use crate::workload::budget::{Budget, within};

    #[test]
    fn what_is_too_long_stays_as_it_is_written() {
        let long = "b".repeat(MAX_LENGTH + 1);
        for (script, last) in [
            (format!("A={long}\nx $A"), "${A}"),
            (format!("A=a\nx {long}$A"), &*format!("{long}a")),
            (
                format!("A={0}\nx $A-$A", &long[2..]),
                &format!("{}-$A", &long[2..]),
            ),
        ] {
            let found = read_script(&script);
            assert_eq!(found[0].words.last().unwrap(), last);
        }
        let both = read_script(&format!("A=a\nA={long}\nx $A"));
        let words = both.iter().map(|call| call.words[1].as_str());
        assert_eq!(words.collect::<Vec<_>>(), ["a", "${A}"]);
    }

    #[test]
    fn a_path_that_linux_does_not_take_is_not_followed() {
        let long = "a".repeat(4096);
        for script in [
            format!("cd /{long}"),
            format!("chroot /{long} sh -c docker"),
        ] {
            let (found, spent) = within(Budget::OBJECT, || read_script(&script));
            assert!(spent.is_exceeded(), "{}", &script[..20]);
            let is_unknown = |way: &HostEntry| *way == HostEntry::Chroot("$()".into());
            assert!(
                found
                    .iter()
                    .all(|call| call.on_host.as_ref().is_none_or(is_unknown))
            );
        }
        let script = format!("cd /{}; docker ps", &long[1..]);
        assert!(
            !within(Budget::OBJECT, || read_script(&script))
                .1
                .is_exceeded()
        );
    }
}
