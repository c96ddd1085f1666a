//! Names that stand for other programs in a script: `DOCKER="sudo docker"`, `alias docker=podman`.

use std::collections::HashMap;

use crate::workload::budget::keep;

/// Names that one script can introduce; more are left alone.
const MAX_NAMES: usize = 32;
/// Longest text that a name stands for.
const MAX_LENGTH: usize = 128;

/// What names stand for, as far as Docker and the way onto the node are concerned: variables as
/// `$NAME`, aliases and functions as their own name.
#[derive(Default)]
pub(super) struct Names {
    stand_for: HashMap<String, Vec<String>>,
}

impl Names {
    /// Notes a variable whose value calls Docker, or leads onto the node.
    pub(super) fn assign(&mut self, pair: &str) {
        let Some((name, value)) = pair.split_once('=') else {
            return;
        };
        let variable = format!(
            "${}",
            name.get(..MAX_LENGTH.min(name.len())).unwrap_or_default()
        );
        if value.len() <= MAX_LENGTH && value.split_whitespace().any(is_of_interest) {
            self.note(variable, value);
        } else {
            self.stand_for.remove(&variable);
        }
    }

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

    /// Notes a function by the first command of its body: one that takes Docker's name for another
    /// runtime's client, and one that runs its arguments on the node.
    pub(super) fn define(&mut self, name: &str, body: &[String]) {
        let Some((first, rest)) = body.split_first() else {
            return;
        };
        if name == "docker" && matches!(first.as_str(), "podman" | "nerdctl" | "buildah") {
            self.note(name.to_owned(), first);
        } else if rest
            .last()
            .is_some_and(|word| matches!(word.as_str(), "$@" | "$*"))
            && is_of_interest(first)
        {
            self.note(
                name.to_owned(),
                &body[..rest.len().min(MAX_NAMES)].join(" "),
            );
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
        let inside = first
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        let found = match inside {
            Some(name) => self.stand_for.get(&format!("${name}")),
            None => self.stand_for.get(first.as_str()),
        };
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
