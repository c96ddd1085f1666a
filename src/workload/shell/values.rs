//! What the variables of a script can hold, and the words that come out of it.
//!
//! Every value that the script gives a name anywhere counts wherever the name is used: a function
//! may run before or after, a branch may be taken or not. A command then stands for one call with
//! each of the values. Where nothing shows a value, the reference stays as it is written.

use std::collections::{HashMap, HashSet};

use super::ShellContext;
use super::cron;
use super::word::{Parameter, Reference, Word};
use crate::workload::budget::{keep, spend};

/// Values of one name, and calls that one command stands for. More are left out, the last first.
const MAX_VALUES: usize = 16;

/// Longest text that is made of values.
const MAX_LENGTH: usize = 16 * 1024;

/// What it costs to look up a name.
const NAME_STEPS: usize = 8;

/// What a value takes, without its text.
const VALUE_BYTES: usize = 2 * size_of::<String>();

/// The values at one place of a script.
pub(super) struct Values<'e> {
    context: &'e ShellContext<'e>,
    /// Those of the script around it.
    outer: Option<&'e Self>,
    variables: HashMap<String, Vec<String>>,
    /// The variables that have a value, whichever branches were taken.
    certain: HashSet<String>,
    /// The files that the script writes.
    files: HashMap<String, File>,
    /// Files that this script was read from, one by the other.
    pub(super) from_files: usize,
    /// The words that a function or, with number 0, the script itself is called with: one list for
    /// each call.
    arguments: HashMap<usize, Vec<Vec<String>>>,
    /// Where the script may be: the value of `PWD`.
    pub(super) directories: Vec<String>,
    /// What separates words besides blanks: the value of `IFS`.
    separators: String,
}

/// A file that a script writes.
#[derive(Default)]
pub(super) struct File {
    /// All that is known of it: what replaces it and what is added to it, line after line.
    pub(super) text: String,
    /// Something is written to it that nothing shows.
    pub(super) is_open: bool,
}

/// What a reference becomes.
enum Value {
    /// One text, which may come apart at separators.
    Text(String),
    /// Words of their own: `"$@"`.
    Words(Vec<String>),
    /// Nothing is known; it stays as it is written.
    Open,
}

/// Words so far, the last of which may go on.
#[derive(Clone, Default)]
struct Fields {
    done: Vec<String>,
    last: Option<String>,
}

impl<'e> Values<'e> {
    pub(super) fn new(context: &'e ShellContext<'e>) -> Self {
        Self {
            context,
            outer: None,
            variables: HashMap::new(),
            certain: HashSet::new(),
            files: HashMap::new(),
            from_files: 0,
            arguments: HashMap::new(),
            directories: vec![context.directory.to_owned()],
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
        let arguments = match arguments {
            Some(arguments) => vec![arguments],
            None => self.arguments.get(&function).cloned().unwrap_or_default(),
        };
        Values {
            context: self.context,
            outer: Some(self),
            variables: HashMap::new(),
            certain: HashSet::new(),
            files: HashMap::new(),
            from_files: self.from_files,
            arguments: HashMap::from([(0, arguments)]),
            directories: self.directories.clone(),
            separators: self.separators.clone(),
        }
    }

    /// Notes that the variable `name` has one of its values from here on.
    pub(super) fn settle(&mut self, name: &str) {
        if self.variables.contains_key(name) && !self.certain.contains(name) && keep(VALUE_BYTES) {
            self.certain.insert(name.to_owned());
        }
    }

    /// Adds a value of the variable `name`.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if name == "IFS" && value.len() < MAX_VALUES {
            self.separators.push_str(value);
        }
        if !self.variables.contains_key(name) {
            if !keep(VALUE_BYTES + name.len()) {
                return;
            }
            self.variables.insert(name.to_owned(), Vec::new());
        }
        let values = self.variables.get_mut(name);
        if let Some(values) = values.filter(|_| value.len() <= MAX_LENGTH) {
            let are_all = values.len() < MAX_VALUES || values.iter().any(|known| known == value);
            add(values, value.to_owned());
            if !are_all {
                leave_open(values, name);
            }
        }
    }

    /// Adds a call of a function, or of the script itself.
    pub(super) fn add_arguments(&mut self, function: usize, words: Vec<String>) {
        let calls = self.arguments.entry(function).or_default();
        let bytes = words.iter().map(|word| VALUE_BYTES + word.len()).sum();
        if calls.len() < MAX_VALUES && spend(words.len()) && !calls.contains(&words) && keep(bytes)
        {
            calls.push(words);
        }
    }

    /// Notes that the script writes one of `texts` to the file at `path`; none if nothing shows
    /// them.
    pub(super) fn write(&mut self, path: &str, texts: &[String]) {
        let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
        if path.starts_with("/dev/") || !keep(2 * VALUE_BYTES + path.len() + bytes) {
            return;
        }
        let path = path.trim_start_matches("./").to_owned();
        let file = self.files.entry(path).or_default();
        file.is_open |= texts.is_empty();
        for text in texts {
            file.text.push_str(text);
            file.text.push('\n');
        }
    }

    /// The file at `path`, if the script or one around it writes it.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        let own = self.files.get(path.trim_start_matches("./"));
        own.or_else(|| self.outer?.file(path))
    }

    /// The file at `path` of the node, if the script or one around it writes it below a mount of
    /// the node's root directory.
    pub(super) fn file_on_host(&self, path: &str) -> Option<&File> {
        let is_there = |written: &str| path.starts_with('/') && written.ends_with(path);
        let files = self.files.iter().take_while(|_| spend(NAME_STEPS));
        let own = files.filter(|(written, _)| is_there(written));
        let own = own.min_by_key(|(written, _)| *written);
        let own = own.map(|(_, file)| file);
        own.or_else(|| self.outer?.file_on_host(path))
    }

    /// What the script writes into tables of cron.
    pub(super) fn cron_tables(&self) -> Vec<String> {
        let files = self.files.iter();
        let mut tables: Vec<_> = files.filter(|(path, _)| cron::is_table(path)).collect();
        tables.sort_by_key(|(path, _)| *path);
        let tables = tables.into_iter().map(|(_, file)| file.text.clone());
        tables.take_while(|text| keep(text.len())).collect()
    }

    /// Notes that the script may go to `directory`, of which a part can be open.
    pub(super) fn go(&mut self, directory: &str) {
        if directory.is_empty() || directory == "-" {
            return;
        }
        if directory.starts_with(['/', '$']) {
            add(&mut self.directories, directory.to_owned());
        } else {
            for outer in self.directories.clone() {
                add(&mut self.directories, format!("{outer}/{directory}"));
            }
        }
    }

    /// The calls that `words`, in the body of `function`, stand for.
    pub(super) fn calls(&self, words: &[Word], function: usize) -> Vec<Vec<String>> {
        let mut calls = vec![Vec::with_capacity(words.len())];
        for word in words {
            if word.references.is_empty() {
                calls
                    .iter_mut()
                    .for_each(|call| call.push(word.text.clone()));
                continue;
            }
            let fields = self.fields(word, function);
            combine(&mut calls, &fields, |call, fields| {
                call.extend(fields.iter().cloned());
            });
        }
        // Those of the first were counted when they were read.
        let bytes = |call: &Vec<String>| call.iter().map(|word| VALUE_BYTES + word.len()).sum();
        let kept = calls.iter().skip(1).take_while(|call| keep(bytes(call)));
        let kept = 1 + kept.count();
        calls.truncate(kept);
        calls
    }

    /// The texts that `word` stands for where it does not come apart, as in an assignment.
    pub(super) fn texts(&self, word: &Word, function: usize) -> Vec<String> {
        if word.references.is_empty() {
            return vec![word.text.clone()];
        }
        let quoted = word.references.iter().cloned().map(|reference| Reference {
            is_quoted: true,
            ..reference
        });
        let word = Word {
            text: word.text.clone(),
            references: quoted.collect(),
        };
        let fields = self.fields(&word, function).into_iter();
        fields.map(|fields| fields.join(" ")).collect()
    }

    /// The words that `word` comes apart into, for each of the values in it; it itself too, where
    /// they make more words than are kept.
    fn fields(&self, word: &Word, function: usize) -> Vec<Vec<String>> {
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
                break;
            }
            let front = &word.text[at..reference.at];
            all.iter_mut().for_each(|fields| fields.push(front));
            let values = self.values(word, reference, &parameter, (function, end));
            let written = &word.text[reference.at..end];
            let is_quoted = reference.is_quoted && !written.ends_with("[@]}");
            is_whole &= combine(&mut all, &values, |fields, value| match value {
                Value::Text(text) if is_quoted => fields.push_quoted(text),
                Value::Text(text) => fields.push_apart(text, &self.separators),
                Value::Words(words) if reference.is_quoted => fields.push_words(words),
                Value::Words(words) => fields.push_apart(&words.join(" "), &self.separators),
                Value::Open => fields.push(written),
            });
            at = end;
        }
        let rest = &word.text[at..];
        let finished = all.into_iter().map(|mut fields| {
            fields.push(rest);
            fields.done.extend(fields.last);
            fields.done
        });
        let left_open = (!is_whole && keep(word.text.len())).then(|| vec![word.text.clone()]);
        finished.chain(left_open).collect()
    }

    /// What `reference` can become.
    fn values(
        &self,
        word: &Word,
        reference: &Reference,
        parameter: &Parameter<'_>,
        (function, end): (usize, usize),
    ) -> Vec<Value> {
        let texts = |texts: Vec<String>| texts.into_iter().map(Value::Text).collect();
        let (name, default) = match (parameter, &reference.output) {
            (Parameter::Command, Some(output)) => return texts(self.texts(output, function)),
            (Parameter::Named(name, default), _) => (*name, *default),
            _ => return vec![Value::Open],
        };
        let mut found: Vec<Value> = match name {
            "@" | "*" => {
                let calls = self.arguments.get(&function).into_iter().flatten();
                let words = calls.map(|words| words.get(1..).unwrap_or_default().to_vec());
                words.map(Value::Words).collect()
            }
            "IFS" if self.variable(name).is_none() => vec![Value::Text(" ".to_owned())],
            "PWD" | "OLDPWD" if self.variable(name).is_none() => texts(self.directories.clone()),
            _ => match name.parse::<usize>() {
                Ok(number) => {
                    let calls = self.arguments.get(&function).into_iter().flatten();
                    let words = calls.filter_map(|words| words.get(number).cloned());
                    words.map(Value::Text).collect()
                }
                Err(_) => texts(self.variable(name).cloned().unwrap_or_default()),
            },
        };
        if !found.is_empty() && self.is_certain(name) {
            return found;
        }
        if let Some(value) = (self.context.variable)(name) {
            // What a branch may have set does not hide what the container has.
            found.push(Value::Text(value));
        } else if let Some(start) = default {
            let closing = end - usize::from(word.text[..end].ends_with('}'));
            let default = word.slice(start, closing.max(start));
            let default = self.texts(&default, function).into_iter();
            found
                .extend(default.map(|text| Value::Text(text.trim_matches(['"', '\'']).to_owned())));
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

impl Fields {
    fn push(&mut self, text: &str) {
        if !text.is_empty() {
            self.push_quoted(text);
        }
    }

    /// An empty text makes a word, too.
    fn push_quoted(&mut self, text: &str) {
        let last = self.last.get_or_insert_default();
        if last.len() + text.len() <= MAX_LENGTH && keep(text.len()) {
            last.push_str(text);
        }
    }

    fn push_words(&mut self, words: &[String]) {
        for (number, word) in words.iter().enumerate() {
            if number > 0 {
                self.done.extend(self.last.take());
            }
            self.push_quoted(word);
        }
    }

    fn push_apart(&mut self, text: &str, separators: &str) {
        let is_separator = |c: char| c.is_whitespace() || separators.contains(c);
        for (number, part) in text.split(is_separator).enumerate() {
            if number > 0 {
                self.done.extend(self.last.take());
            }
            self.push(part);
        }
    }
}

/// Adds `value` to `values`. Where they are too many, those that are telling stay.
fn add(values: &mut Vec<String>, value: String) {
    if values.contains(&value) || !spend(values.len()) || !keep(VALUE_BYTES + value.len()) {
        return;
    }
    if values.len() < MAX_VALUES {
        values.push(value);
        return;
    }
    if is_telling(&value) {
        let other = values.iter_mut().find(|other| !is_telling(other));
        if let Some(other) = other {
            *other = value;
        }
    }
}

/// Says among the `values` of the variable `name`, which are too many, that it has others.
fn leave_open(values: &mut [String], name: &str) {
    let open = format!("${{{name}}}");
    if !values.contains(&open)
        && let Some(other) = values.iter_mut().rfind(|other| !is_telling(other))
    {
        *other = open;
    }
}

/// True for a value that could be a path of a socket or a program that leads to one.
fn is_telling(value: &str) -> bool {
    ["docker", ".sock", "nsenter", "chroot"]
        .iter()
        .any(|word| value.contains(word))
}

/// Adds each of `parts` to each of `all`; where that are too many, each part to one at least, and
/// false.
fn combine<A: Clone, P>(all: &mut Vec<A>, parts: &[P], add: impl Fn(&mut A, &P)) -> bool {
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
        all.push(all[at % before].clone());
    }
    for (at, one) in all.iter_mut().enumerate() {
        let part = if is_product { at / before } else { at };
        add(one, &parts[part % parts.len()]);
    }
    is_product
}
