//! What the variables of a script can hold, and the words that come out of it.
//!
//! Every value that the script gives a name anywhere counts wherever the name is used: a function
//! may run before or after, a branch may be taken or not. A command then stands for one call with
//! each of the values. Where nothing shows a value, the reference stays as it is written.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::ShellContext;
use super::fields::{Fields, MAX_LENGTH, MAX_VALUES, VALUE_BYTES, combine};
use super::files::{File, Files};
use super::word::{Parameter, Reference, Word};
use crate::workload::budget::{exceed, keep, spend};
use crate::workload::host_path::PATH_MAX;

/// Characters that can separate words besides blanks.
const MAX_SEPARATORS: usize = 16;

/// What it costs to copy a word of a command.
const WORD_STEPS: usize = 4;

/// What it costs to look up a name.
const NAME_STEPS: usize = 8;

/// The values at one place of a script.
pub(super) struct Values<'e> {
    context: &'e ShellContext<'e>,
    /// Those of the script around it.
    outer: Option<&'e Self>,
    variables: HashMap<String, Vec<String>>,
    /// The variables that have a value, whichever branches were taken.
    certain: HashSet<String>,
    /// The files that the script writes.
    pub(super) files: Files,
    /// Files that this script was read from, one by the other.
    pub(super) from_files: usize,
    /// The words that a function or, with number 0, the script itself is called with: one list for
    /// each call.
    arguments: HashMap<usize, Vec<Vec<String>>>,
    /// The function of the script around it whose words it is called with, too.
    inherits: Option<usize>,
    /// Where the script may be: the value of `PWD`.
    pub(super) directories: Arc<[String]>,
    /// What separates words besides blanks: the value of `IFS`.
    separators: String,
}

/// What a reference becomes.
enum Value<'v> {
    /// One text, which may come apart at separators.
    Text(Cow<'v, str>),
    /// Words of their own: `"$@"`.
    Words(&'v [String]),
    /// Nothing is known; it stays as it is written.
    Open,
}

impl<'e> Values<'e> {
    pub(super) fn new(context: &'e ShellContext<'e>) -> Self {
        let directory = within_limits(context.directory).unwrap_or("/");
        Self {
            context,
            outer: None,
            variables: HashMap::new(),
            certain: HashSet::new(),
            files: Files::default(),
            from_files: 0,
            arguments: HashMap::new(),
            inherits: None,
            directories: [directory.to_owned()].into(),
            separators: String::new(),
        }
    }

    /// Those of a script that runs with `arguments`, `$0` first, inside this one; without any it
    /// sees what `function` sees.
    pub(super) fn inside<'i>(
        &'i self,
        function: usize,
        arguments: Option<Vec<String>>,
    ) -> Values<'i> {
        let inherits = arguments.is_none().then_some(function);
        let own = arguments.map(|arguments| (0, vec![arguments]));
        Values {
            context: self.context,
            outer: Some(self),
            variables: HashMap::new(),
            certain: HashSet::new(),
            files: Files::default(),
            from_files: self.from_files,
            arguments: own.into_iter().collect(),
            inherits,
            directories: Arc::clone(&self.directories),
            separators: self.separators.clone(),
        }
    }

    /// Notes that the variable `name` has one of its values from here on.
    pub(super) fn settle(&mut self, name: &str) {
        let is_new = self.variables.contains_key(name) && !self.certain.contains(name);
        if is_new && keep(VALUE_BYTES + name.len()) {
            self.certain.insert(name.to_owned());
        }
    }

    /// Adds a value of the variable `name`. False if the budget is exceeded.
    pub(super) fn add(&mut self, name: &str, value: &str) -> bool {
        if !spend(NAME_STEPS + name.len() + value.len()) {
            return false;
        }
        if name == "IFS" && value.len() < MAX_VALUES {
            self.separate(value);
        }
        if !self.variables.contains_key(name) {
            if !keep(VALUE_BYTES + name.len()) {
                return false;
            }
            self.variables.insert(name.to_owned(), Vec::new());
        }
        if let Some(values) = self.variables.get_mut(name) {
            let is_short = value.len() <= MAX_LENGTH;
            let has_room = values.len() < MAX_VALUES;
            let are_all = is_short && (has_room || values.iter().any(|known| known == value));
            if is_short {
                add(values, value);
            }
            if !are_all {
                leave_open(values, name);
            }
        }
        spend(0)
    }

    /// Takes the characters of `value`, one of `IFS`, for separators; what is open names none.
    fn separate(&mut self, value: &str) {
        if value.contains('$') {
            return;
        }
        for separator in value.chars() {
            if self.separators.contains(separator) {
                continue;
            }
            if self.separators.chars().count() >= MAX_SEPARATORS {
                return exceed();
            }
            self.separators.push(separator);
        }
    }

    /// Adds a call of a function, or of the script itself.
    pub(super) fn add_arguments(&mut self, function: usize, words: Vec<String>) {
        if !spend(words.len()) || self.calls_of(function).any(|call| *call == words) {
            return;
        }
        let calls = self.arguments.entry(function).or_default();
        if calls.len() < MAX_VALUES && keep(size_of_words(&words)) {
            calls.push(words);
        }
    }

    /// The words that `function` is called with, those first that the script inherits.
    fn calls_of(&self, function: usize) -> Box<dyn Iterator<Item = &Vec<String>> + '_> {
        let inherited = self.inherits.filter(|_| function == 0);
        let inherited = inherited.and_then(|outer| Some(self.outer?.calls_of(outer)));
        let own = self.arguments.get(&function).into_iter().flatten();
        Box::new(inherited.into_iter().flatten().chain(own).take(MAX_VALUES))
    }

    /// The file at `path`, if the script or one around it writes it.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        let own = self.files.at(path);
        own.or_else(|| self.outer?.file(path))
    }

    /// The file at `path` of the node, if the script or one around it writes it.
    pub(super) fn file_on_host(&self, path: &str) -> Option<&File> {
        let own = self.files.on_host(path);
        own.or_else(|| self.outer?.file_on_host(path))
    }

    /// Notes that the script may go to `directory`, of which a part can be open.
    pub(super) fn go(&mut self, directory: &str) {
        if directory.is_empty() || directory == "-" {
            return;
        }
        let is_absolute = directory.starts_with(['/', '$']);
        let fronts = if is_absolute {
            1
        } else {
            self.directories.len()
        };
        let mut directories: Vec<String> = Vec::new();
        for at in 0..fronts {
            let front = (!is_absolute).then(|| self.directories[at].as_str());
            let length = front.map_or(0, |front| front.len() + 1) + directory.len();
            if length > PATH_MAX {
                return exceed();
            }
            let path = match front {
                Some(front) => format!("{front}/{directory}"),
                None => directory.to_owned(),
            };
            let known = if directories.is_empty() {
                &*self.directories
            } else {
                &directories
            };
            if !spend(NAME_STEPS + length) {
                return;
            }
            if known.contains(&path) || known.len() >= MAX_VALUES && !is_telling(&path) {
                continue;
            }
            if directories.is_empty() {
                // Commands hold the directories before.
                if !keep(size_of_words(&self.directories)) {
                    return;
                }
                directories = self.directories.to_vec();
            }
            add(&mut directories, &path);
        }
        if !directories.is_empty() {
            self.directories = directories.into();
        }
    }

    /// The calls that `words`, in the body of `function`, stand for; none where the budget does not
    /// suffice.
    pub(super) fn calls(&self, words: &[Word], function: usize) -> Vec<Vec<String>> {
        // What the first takes of the words as they are written was counted when they were read.
        let mut calls = vec![Vec::with_capacity(words.len())];
        for word in words {
            if word.references.is_empty() {
                let others = (calls.len() - 1) * (VALUE_BYTES + word.text.len());
                if !(spend(WORD_STEPS) && keep(others)) {
                    return Vec::new();
                }
                calls
                    .iter_mut()
                    .for_each(|call| call.push(word.text.clone()));
                continue;
            }
            let mut fields = self.fields(word, (function, false));
            if let ([call], [words]) = (&mut calls[..], &mut fields[..]) {
                call.append(words);
                continue;
            }
            let size = |call: &Vec<String>| size_of_words(call);
            combine(&mut calls, &fields, size, |call, fields| {
                if keep(size_of_words(fields)) {
                    call.extend(fields.iter().cloned());
                }
            });
        }
        if spend(0) { calls } else { Vec::new() }
    }

    /// The texts that `word` stands for where it does not come apart, as in an assignment.
    pub(super) fn texts(&self, word: &Word, function: usize) -> Vec<String> {
        if word.references.is_empty() {
            return vec![word.text.clone()];
        }
        let fields = self.fields(word, (function, true)).into_iter();
        fields.map(|fields| fields.join(" ")).collect()
    }

    /// The words that `word` comes apart into, for each of the values in it; it itself too, where
    /// they make more words than are kept. All references are taken for quoted ones where it stays
    /// one word. None where the budget does not suffice.
    fn fields(&self, word: &Word, (function, is_one): (usize, bool)) -> Vec<Vec<String>> {
        let mut all = vec![Fields::default()];
        let mut is_whole = true;
        let mut at = 0;
        for reference in &word.references {
            // It stands in a default that was taken or left with what is around it.
            if reference.at < at {
                continue;
            }
            let (parameter, end) = word.parameter(reference.at);
            let end = end.min(word.text.len());
            if !spend(NAME_STEPS + all.len() * (end - at)) {
                return Vec::new();
            }
            let front = &word.text[at..reference.at];
            all.iter_mut().for_each(|fields| fields.push(front));
            let values = self.values(word, reference, &parameter, (function, end));
            let written = &word.text[reference.at..end];
            let stays_one = is_one || reference.is_quoted;
            let is_quoted = stays_one && !written.ends_with("[@]}");
            is_whole &= combine(&mut all, &values, Fields::size, |fields, value| {
                let fits = match value {
                    Value::Text(text) if is_quoted => fields.push_quoted(text),
                    Value::Text(text) => fields.push_apart(text, &self.separators),
                    Value::Words(words) if stays_one => fields.push_words(words),
                    Value::Words(words) => {
                        let mut words = words.iter().enumerate();
                        words.all(|(number, word)| {
                            (number == 0 || fields.push_apart(" ", ""))
                                && fields.push_apart(word, &self.separators)
                        })
                    }
                    Value::Open => false,
                };
                if !fits {
                    fields.push(written);
                }
            });
            if !spend(0) {
                return Vec::new();
            }
            at = end;
        }
        let rest = &word.text[at..];
        let finished = all.into_iter().map(|mut fields| {
            fields.push(rest);
            fields.finish()
        });
        let left_open = (!is_whole && keep(word.text.len())).then(|| vec![word.text.clone()]);
        finished.chain(left_open).collect()
    }

    /// What `reference` can become.
    fn values<'v>(
        &'v self,
        word: &Word,
        reference: &Reference,
        parameter: &Parameter<'_>,
        (function, end): (usize, usize),
    ) -> Vec<Value<'v>> {
        let text = |text: &'v String| Value::Text(text.into());
        let (name, default) = match (parameter, &reference.output) {
            (Parameter::Command, Some(output)) => {
                let texts = self.texts(output, function).into_iter();
                return texts.map(|text| Value::Text(text.into())).collect();
            }
            (Parameter::Named(name, default), _) => (*name, *default),
            _ => return vec![Value::Open],
        };
        let mut found: Vec<Value<'v>> = match name {
            "@" | "*" => {
                let calls = self.calls_of(function);
                let words = calls.map(|words| words.get(1..).unwrap_or_default());
                words.map(Value::Words).collect()
            }
            "IFS" if self.variable(name).is_none() => vec![Value::Text(" ".into())],
            "PWD" | "OLDPWD" if self.variable(name).is_none() => {
                self.directories.iter().map(text).collect()
            }
            _ => match name.parse::<usize>() {
                Ok(number) => {
                    let calls = self.calls_of(function);
                    let words = calls.filter_map(|words| words.get(number));
                    words.map(text).collect()
                }
                Err(_) => {
                    let values = self.variable(name).into_iter().flatten();
                    values.map(text).collect()
                }
            },
        };
        if !found.is_empty() && self.is_certain(name) {
            return found;
        }
        if let Some(value) = self.context.environment.value(name) {
            // What a branch may have set does not hide what the container has.
            found.push(Value::Text(value.into()));
        } else if let Some(start) = default {
            let closing = end - usize::from(word.text[..end].ends_with('}'));
            let default = word.slice(start, closing.max(start));
            if !keep(default.size()) {
                return found;
            }
            let default = self.texts(&default, function).into_iter();
            found.extend(default.map(|text| {
                let text = text.trim_matches(['"', '\'']);
                Value::Text(text.to_owned().into())
            }));
        } else {
            found.push(Value::Open);
        }
        found
    }

    /// True for a name that has a value at this place, whichever branches were taken.
    fn is_certain(&self, name: &str) -> bool {
        let is_special = matches!(name, "PWD" | "OLDPWD" | "IFS")
            || name.starts_with(|c: char| c.is_ascii_digit() || c == '@' || c == '*');
        let is_set = || self.certain.contains(name);
        is_special || is_set() || self.outer.is_some_and(|outer| outer.is_certain(name))
    }

    /// The values of the variable `name` here, else in the script around.
    fn variable(&self, name: &str) -> Option<&Vec<String>> {
        let own = self.variables.get(name);
        own.or_else(|| self.outer?.variable(name))
    }
}

/// `path`, if Linux takes one of that length, and there is room for it.
pub(super) fn within_limits(path: &str) -> Option<&str> {
    if path.len() > PATH_MAX {
        exceed();
        return None;
    }
    keep(VALUE_BYTES + path.len()).then_some(path)
}

/// The bytes that a copy of `words` takes.
fn size_of_words(words: &[String]) -> usize {
    words.iter().map(|word| VALUE_BYTES + word.len()).sum()
}

/// Adds `value` to `values`. Where they are too many, those that are telling stay.
fn add(values: &mut Vec<String>, value: &str) {
    if values.iter().any(|known| known == value) || !spend(values.len()) {
        return;
    }
    if values.len() < MAX_VALUES {
        if keep(VALUE_BYTES + value.len()) {
            values.push(value.to_owned());
        }
        return;
    }
    if is_telling(value) && spend(values.iter().map(String::len).sum()) {
        let other = values.iter_mut().find(|other| !is_telling(other));
        if let Some(other) = other.filter(|_| keep(VALUE_BYTES + value.len())) {
            value.clone_into(other);
        }
    }
}

/// Says among the `values` of the variable `name`, which are too many or too long, that it has
/// others.
fn leave_open(values: &mut Vec<String>, name: &str) {
    let bytes = values.iter().map(String::len).sum();
    let is_open = |value: &String| {
        let inner = value
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        inner == Some(name)
    };
    if values.iter().any(is_open) || !spend(bytes) || !keep(VALUE_BYTES + name.len()) {
        return;
    }
    let open = format!("${{{name}}}");
    if values.len() < MAX_VALUES {
        values.push(open);
    } else if let Some(other) = values.iter_mut().rfind(|other| !is_telling(other)) {
        *other = open;
    }
}

/// True for a value that could be a path of a socket or a program that leads to one.
fn is_telling(value: &str) -> bool {
    ["docker", ".sock", "nsenter", "chroot"]
        .iter()
        .any(|word| value.contains(word))
}
