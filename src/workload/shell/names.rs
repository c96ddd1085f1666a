//! Names that stand for other programs in a script: `DOCKER="sudo docker"`, `alias docker=podman`.

use std::collections::HashMap;

/// Names that one script can introduce; more are left alone.
const MAX_NAMES: usize = 32;
/// Longest text that a name stands for.
const MAX_LENGTH: usize = 128;

/// What names stand for, as far as Docker is concerned: variables as `$NAME`, aliases and functions as their own name.
#[derive(Default)]
pub(super) struct Names {
    stand_for: HashMap<String, Vec<String>>,
}

impl Names {
    /// Notes a variable whose value calls Docker.
    pub(super) fn assign(&mut self, pair: &str) {
        let Some((name, value)) = pair.split_once('=') else { return };
        let calls_docker = value.len() <= MAX_LENGTH && value.split_whitespace().any(|word| word.rsplit('/').next() == Some("docker"));
        let variable = format!("${}", name.get(..MAX_LENGTH.min(name.len())).unwrap_or_default());
        if calls_docker {
            self.note(variable, value);
        } else {
            self.stand_for.remove(&variable);
        }
    }

    /// Notes an alias of Docker, or for it.
    pub(super) fn alias(&mut self, pair: &str) {
        let Some((name, value)) = pair.split_once('=').filter(|(_, value)| value.len() <= MAX_LENGTH) else { return };
        if name == "docker" || value.split_whitespace().any(|word| word.rsplit('/').next() == Some("docker")) {
            self.note(name.to_owned(), value);
        }
    }

    /// Notes a function that takes Docker's name for another runtime's client, which its body starts with.
    pub(super) fn define(&mut self, name: &str, body: &str) {
        if name == "docker" && matches!(body, "podman" | "nerdctl" | "buildah") {
            self.note(name.to_owned(), body);
        }
    }

    /// Puts what the first word stands for in its place; a variable that says `sudo` stands for nothing else.
    pub(super) fn resolve(&self, words: &mut Vec<String>) {
        let Some(first) = words.first() else { return };
        if first.starts_with('$') && first.len() <= MAX_LENGTH && first.to_ascii_lowercase().contains("sudo") {
            words.remove(0);
            return;
        }
        let inside = first.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let found = match inside {
            Some(name) => self.stand_for.get(&format!("${name}")),
            None => self.stand_for.get(first.as_str()),
        };
        if let Some(found) = found.filter(|found| !found.is_empty()) {
            words.splice(..1, found.iter().cloned());
        }
    }

    fn note(&mut self, name: String, value: &str) {
        if self.stand_for.len() < MAX_NAMES {
            self.stand_for.insert(name, value.split_whitespace().map(str::to_owned).collect());
        }
    }
}
