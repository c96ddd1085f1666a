//! The texts of a container as its programs see them, with variables filled in, and what they
//! mention.

use std::collections::HashMap;

use super::container::Container;
use super::prefilter::Prefilter;
use crate::workload::budget::{keep, spend};
use crate::workload::catalog;
use crate::workload::object::EnvVar;
use crate::workload::pod::{FEW, TextField};
use crate::workload::variables::{self, Expanded, Variables};

/// What it costs to fill in and to keep a text with references, and what it takes, without its
/// length.
const EXPANSION_STEPS: usize = 64;
const EXPANSION_BYTES: usize = 96;

/// What it costs a rule to go on to the next text.
const TEXT_STEPS: usize = 4;

/// What it costs to look up a variable.
const VARIABLE_STEPS: usize = 16;

/// Longest text that a shell's variables are filled into; a few of them can ask for more than there
/// is memory.
const MAX_FILLED: usize = 16 * 1024;

impl<'w> Container<'w> {
    /// True if a command, an argument, a variable or a hook names Docker at all; if not, no rule
    /// needs to read them.
    pub(crate) fn mentions_docker(&self) -> bool {
        self.prefilter().docker
    }

    /// What its commands, arguments, variables and hooks mention: as they are written, and where
    /// the container has a way to Docker's socket, as shells put them together.
    pub(crate) fn prefilter(&self) -> Prefilter {
        *self.prefilter.get_or_init(|| {
            let mut found = self.text_prefilter();
            if !found.docker && self.has_way_to_socket() {
                let words = self
                    .commands()
                    .iter()
                    .flat_map(|command| &command.invocation.words);
                words.for_each(|word| found.add(word));
            }
            found
        })
    }

    /// What the texts mention as they are written.
    pub(super) fn text_prefilter(&self) -> Prefilter {
        *self.text_prefilter.get_or_init(|| {
            let mut found = Prefilter::default();
            self.raw_texts().for_each(|(_, text)| found.add(text));
            found.docker |= catalog::sets_provider(&self.raw.env);
            if found.reference {
                let values = self.variables().values();
                values.for_each(|value| found.add(&value.text));
                let expanded = self.expanded.get_or_init(|| self.expand_texts());
                expanded.values().for_each(|text| found.add(text));
            }
            found
        })
    }

    /// The variable `name` as the container sees it, if the object sets it.
    pub(crate) fn variable(&self, name: &str) -> Option<&Expanded<'w>> {
        // Of a few it is quicker to look than to fill them all in.
        if self.raw.env.len() <= FEW {
            self.env(name)?;
        }
        self.variables().get(name)
    }

    fn variables(&self) -> &Variables<'w> {
        self.variables.get_or_init(|| {
            let pod = self.pod;
            Variables::of(self.raw, pod.spec, pod.identity, &pod.room)
        })
    }

    /// All texts in which a path or an address can stand, with their field below the container:
    /// command, args, env values. References to variables are filled in as kubelet does.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (TextField, &str)> {
        self.all_texts().filter(|(field, _)| !field.is_hook())
    }

    /// The same, and the words of lifecycle hooks and probes.
    pub(crate) fn all_texts(&self) -> impl Iterator<Item = (TextField, &str)> {
        self.raw_texts()
            .take_while(|_| spend(TEXT_STEPS))
            .map(|(field, text)| (field, self.expanded_text(field, text)))
    }

    /// Those of [`Self::all_texts`] that mention what `is_meant` asks for: what Docker is called,
    /// its ports or its bridge. Each text is looked at once for all rules.
    pub(crate) fn texts_with(
        &self,
        is_meant: impl Fn(Prefilter) -> bool,
    ) -> impl Iterator<Item = (TextField, &str)> {
        let telling = self.telling.get_or_init(|| {
            let texts = self.all_texts().map(|(field, text)| {
                let mut found = Prefilter::default();
                found.add(text);
                (field, found)
            });
            texts
                .filter(|(_, found)| found.docker | found.docker_port | found.bridge)
                .take_while(|telling| keep(size_of_val(telling)))
                .collect()
        });
        telling
            .iter()
            .filter(move |(_, found)| is_meant(*found))
            .filter_map(|(field, _)| Some((*field, self.text_at(*field)?)))
    }

    /// The text at `field`, with its references to variables filled in.
    pub(crate) fn text_at(&self, field: TextField) -> Option<&str> {
        let raw = self.raw;
        let text = match field {
            TextField::Command(i) => raw.command.get(i),
            TextField::Args(i) => raw.args.get(i),
            TextField::Env(i) => raw.env.get(i).map(|variable| &variable.value),
            TextField::Hook(place, i) => {
                let mut hooks = raw.hooks();
                hooks.find(|(of, _)| *of == place)?.1.get(i)
            }
            TextField::Script => Some(&raw.script),
            TextField::Source => Some(&raw.source),
        };
        text.map(|text| self.expanded_text(field, text))
    }

    /// `text`, which stands at `field`, with its references to variables filled in.
    pub(crate) fn expanded_text<'t>(&'t self, field: TextField, text: &'t str) -> &'t str {
        if !self.text_prefilter().reference {
            return text;
        }
        if let TextField::Env(index) = field {
            return (self.variables().at(index)).map_or(text, |value| &value.text);
        }
        let expanded = self.expanded.get_or_init(|| self.expand_texts());
        expanded.get(&field).map_or(text, String::as_str)
    }

    /// `text` with the container's variables filled in as a shell does. Kubernetes' references are
    /// filled in already.
    pub(crate) fn fill(&self, text: &str) -> String {
        if text.len() > MAX_FILLED || !text.contains('$') {
            return text.to_owned();
        }
        let (mut expanded, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find('$') {
            expanded.push_str(&rest[..at]);
            let behind = &rest[at + 1..];
            let (name, length) = match behind.strip_prefix('{').and_then(|inner| inner.find('}')) {
                Some(end) => (&behind[1..=end], end + 2),
                None => {
                    let length = behind
                        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                        .unwrap_or(behind.len());
                    (&behind[..length], length)
                }
            };
            let (name, default) = name
                .split_once(":-")
                .map_or((name, None), |(name, default)| (name, Some(default)));
            let value = match self.variable(name) {
                Some(variable) => Some(&*variable.text),
                None => default.filter(|_| !self.raw.env_from.0),
            };
            let before = expanded.len();
            match value.filter(|value| expanded.len() + value.len() <= MAX_FILLED) {
                Some(value) => expanded.push_str(value),
                None => expanded.push_str(&rest[at..=at + length]),
            }
            let added = (expanded.len() - before) / 16;
            rest = &behind[length..];
            // A brace that nothing closes was looked for up to the end.
            let is_open = length == 0 && behind.starts_with('{');
            let searched = if is_open { behind.len() / 16 } else { length };
            if !spend(VARIABLE_STEPS + searched + added) {
                break;
            }
        }
        expanded.push_str(rest);
        expanded
    }

    /// The words that references to variables change.
    fn expand_texts(&self) -> HashMap<TextField, String> {
        let mut found = HashMap::new();
        let is_word = |field: &TextField| !matches!(field, TextField::Env(_));
        let texts = (self.raw_texts()).filter(|(field, text)| is_word(field) && text.contains('$'));
        let texts = texts.take_while(|_| spend(EXPANSION_STEPS) && keep(EXPANSION_BYTES));
        for (field, text) in texts {
            let values = match field {
                TextField::Command(_) | TextField::Args(_) => self.variables(),
                // Probes get the values as they are written, lifecycle hooks none
                // (ExpandContainerCommandOnlyStatic).
                TextField::Hook(place, _) if !place.starts_with("lifecycle") => self
                    .written_variables
                    .get_or_init(|| Variables::as_written(self.raw)),
                _ => continue,
            };
            let expanded = variables::expand(text, |name| values.get(name), &self.pod.room);
            if let Some(expanded) = expanded.filter(|expanded| *expanded.text != **text) {
                found.insert(field, expanded.text.into_owned());
            }
        }
        found
    }

    /// The words of `command` and `args` with what can change after the review left open, if
    /// anything can.
    pub(super) fn changing_words(&self) -> Vec<(TextField, String)> {
        if !self.raw.env.iter().any(EnvVar::can_change) {
            return Vec::new();
        }
        let lasting = |name: &str| self.variables().get_lasting(self.raw, name);
        let words = self.raw_texts().filter(|(field, text)| {
            matches!(field, TextField::Command(_) | TextField::Args(_)) && text.contains("$(")
        });
        let words = words.take_while(|_| spend(EXPANSION_STEPS) && keep(EXPANSION_BYTES));
        let expanded = words.filter_map(|(field, text)| {
            let expanded = variables::expand(text, lasting, &self.pod.room)?;
            expanded
                .is_open
                .then(|| (field, expanded.text.into_owned()))
        });
        expanded.collect()
    }
}
