//! Names that stand for other programs in a script: `alias docker=podman`, `$SUDO`.

use std::collections::HashMap;

use memchr::memchr3;

use super::pattern::matches;
use super::word::Word;
use crate::workload::budget::keep;

/// Names that one script can introduce; more are left alone.
const MAX_NAMES: usize = 32;
/// Longest text that a name stands for.
const MAX_LENGTH: usize = 128;

/// What aliases and functions stand for, as far as Docker and the way onto the node are concerned.
#[derive(Default)]
pub(super) struct Names {
    stand_for: HashMap<String, Vec<String>>,
}

impl Names {
    /// Notes an alias of Docker, or for it.
    pub(super) fn alias(&mut self, pair: &str) {
        let Some((name, value)) = pair
            .split_once('=')
            .filter(|(_, value)| value.len() <= MAX_LENGTH)
        else {
            return;
        };
        if name == "docker" || value.split_whitespace().any(is_of_interest) {
            self.note(name.to_owned(), value);
        }
    }

    /// Notes a function by the first command of its body, if it takes Docker's name for another
    /// runtime's client.
    pub(super) fn define(&mut self, name: Option<&Word>, body: &[Word]) {
        let (Some(name), Some(first)) = (name, body.first()) else {
            return;
        };
        if name.text == "docker" && matches!(first.as_str(), "podman" | "nerdctl" | "buildah") {
            self.note(name.text.clone(), &first.text);
        }
    }

    /// Puts what the first word stands for in its place; a variable that says `sudo` stands for
    /// nothing else.
    pub(super) fn resolve(&self, words: &mut Vec<String>) {
        let Some(first) = words.first() else { return };
        if first.starts_with('$')
            && first.len() <= MAX_LENGTH
            && first.to_ascii_lowercase().contains("sudo")
        {
            words.remove(0);
            return;
        }
        let found = self.stand_for.get(first.as_str());
        let size = |found: &Vec<String>| found.len() * (size_of::<String>() + MAX_LENGTH);
        if let Some(found) = found.filter(|found| !found.is_empty() && keep(size(found))) {
            words.splice(..1, found.iter().cloned());
        }
    }

    fn note(&mut self, name: String, value: &str) {
        if self.stand_for.len() < MAX_NAMES {
            self.stand_for
                .insert(name, value.split_whitespace().map(str::to_owned).collect());
        }
    }
}

/// True for a program that finds Docker or leads to it.
fn is_of_interest(word: &str) -> bool {
    matches!(
        word.rsplit('/').next(),
        Some("docker" | "nsenter" | "chroot")
    )
}

/// Writes out a program that is named by a pattern which only it could be meant by: `/bin/d*ker`.
pub(super) fn spell_out(word: &mut String) {
    /// Letters that a pattern has to have.
    const LETTERS: usize = 3;
    if memchr3(b'*', b'?', b'[', word.as_bytes()).is_none() {
        return;
    }
    let start = word.rfind('/').map_or(0, |at| at + 1);
    let pattern = &word[start..];
    let letters = pattern.bytes().filter(u8::is_ascii_alphabetic).count();
    let programs = ["docker", "nsenter", "chroot"];
    let program = programs.iter().find(|program| matches(pattern, program));
    if let Some(program) = program.filter(|_| letters >= LETTERS) {
        word.replace_range(start.., program);
    }
}
