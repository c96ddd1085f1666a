//! A tolerant shell reader: which programs does a script run, and with which words?
//!
//! Only words at command position count, so a name in a comment, a string or an `echo` is not a
//! call. It never fails: a script that is cut off, templated or wrong yields the commands up to the
//! fault and goes on behind it. Time is linear in the script; nesting is cut at `MAX_DEPTH`. Where
//! the budget of the evaluation does not suffice, the rest is left unread.

mod arguments;
pub(crate) mod cron;
mod escapes;
mod fields;
mod files;
mod learn;
mod lexer;
mod names;
mod options;
pub(crate) mod pattern;
mod prefix;
mod scope;
mod values;
mod word;

use std::sync::Arc;

use memchr::memrchr2;

pub(crate) use arguments::found_paths;

use super::budget::{exceed, keep, spend};
use arguments::Input;
use lexer::{Lexer, RawCommand};
use names::Names;
use scope::Scope;
use values::Values;

/// Scripts inside scripts (`sh -c "sh -c …"`, `$( … )`) are followed this deep.
const MAX_DEPTH: usize = 12;

/// One simple command: the words as the program gets them, quotes removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Program and arguments; never empty in what this module returns.
    pub words: Vec<String>,
    /// Assignments in front of the command and in `env`, as `NAME=value`.
    pub assignments: Vec<String>,
    /// Assignments before it that point Docker clients to their daemon, shared among the commands
    /// of a script.
    pub exported: Arc<[String]>,
    /// Files that its output is written to.
    pub written: Vec<String>,
    /// Directories in which it may run, shared among the commands of a script.
    pub directories: Arc<[String]>,
    /// True for a shell that runs what another command writes, of which nothing is known.
    pub runs_unseen: bool,
    /// How the command leaves the container for the node, if it does.
    pub on_host: Option<HostEntry>,
}

/// How a command gets into the node's namespaces or file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEntry {
    /// `nsenter` with a target process.
    Nsenter,
    /// `chroot DIRECTORY`.
    Chroot(Arc<str>),
}

impl Invocation {
    /// The program's name without its directory and without Windows' ending.
    pub fn program(&self) -> &str {
        let word = self.words.first().map_or("", String::as_str);
        let directory = memrchr2(b'/', b'\\', word.as_bytes());
        let name = directory.map_or(word, |at| &word[at + 1..]);
        name.strip_suffix(".exe").unwrap_or(name)
    }

    /// The words after the program.
    pub fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The value that a variable has by assignment: in front of the command, else before it.
    pub fn assigned(&self, name: &str) -> Option<&str> {
        let pairs = self.assignments.iter().rev().chain(self.exported.iter());
        pairs
            .into_iter()
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The variables of an environment.
pub(crate) trait Environment {
    /// The value of the variable `name`.
    fn value(&self, name: &str) -> Option<&str>;
}

/// Nothing is known.
impl Environment for () {
    fn value(&self, _: &str) -> Option<&str> {
        None
    }
}

/// What is known of where a script runs.
pub(crate) struct ShellContext<'e> {
    pub(crate) environment: &'e dyn Environment,
    /// Its working directory.
    pub(crate) directory: &'e str,
}

impl ShellContext<'_> {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self {
        environment: &(),
        directory: "/",
    };
}

/// All commands of a script, in the order in which they are written.
pub fn read_script(script: &str) -> Vec<Invocation> {
    read_script_in(script, None, &ShellContext::UNKNOWN)
}

/// The same for a script that runs where `on_host` leads, and of whose `context` something is
/// known.
pub(crate) fn read_script_in(
    script: &str,
    on_host: Option<HostEntry>,
    context: &ShellContext<'_>,
) -> Vec<Invocation> {
    let mut found = Vec::new();
    let outer = Invocation {
        on_host,
        ..Invocation::default()
    };
    read_nested(script, &outer, &mut Values::new(context), 0, &mut found);
    found
}

/// The command of an exec form (`command` and `args`), and what it runs in turn.
pub fn read_argv<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Invocation> {
    read_argv_in(words, &ShellContext::UNKNOWN)
}

/// The same where something is known of its `context`.
pub(crate) fn read_argv_in<'a>(
    words: impl IntoIterator<Item = &'a str>,
    context: &ShellContext<'_>,
) -> Vec<Invocation> {
    let words = words.into_iter();
    let words: Vec<String> = words
        .take_while(|word| keep(size_of::<String>() + word.len()))
        .map(str::to_owned)
        .collect();
    let values = Values::new(context);
    let invocation = Invocation {
        words,
        directories: Arc::clone(&values.directories),
        ..Invocation::default()
    };
    let mut found = Vec::new();
    prefix::unwrap(invocation, &Input::default(), (&values, 0), 0, &mut found);
    found
}

/// Reads `script` as run by `outer`, whose assignments and way onto the host it inherits.
fn read_nested(
    script: &str,
    outer: &Invocation,
    values: &mut Values<'_>,
    depth: usize,
    found: &mut Vec<Invocation>,
) {
    if depth > MAX_DEPTH {
        return exceed();
    }
    if !spend(script.len() / lexer::READ_AT_ONCE) {
        return;
    }
    // Only what a Docker client reads is handed on: everything else would be copied once for every
    // command.
    let mut scope = Scope::of(outer);
    let mut names = Names::default();
    let commands = Lexer::new(script).read();
    learn::learn(&commands, values);
    let directories = Arc::clone(&values.directories);
    let mut piped = Input::default();
    for (at, raw) in commands.iter().enumerate() {
        if !spend(0) {
            return;
        }
        let mut input = std::mem::take(&mut piped);
        if let Some(text) = &raw.here_document {
            input.texts = vec![text.clone()];
        }
        if raw.pipes {
            piped.is_piped = true;
            piped.texts = learn::output_of(raw, values);
        }
        scope.enter(raw.branch);
        let body = commands.get(at + 1);
        if raw.defines > 0 {
            names.define(raw.words.first(), body.map_or(&[], |body| &body.words));
        }
        let one = |word| one_text(values, word, raw.function);
        let assignments: Vec<String> = raw.assignments.iter().map(one).collect();
        if raw.words.is_empty() {
            // A variable that is set alone is seen by clients only if it is exported somewhere,
            // which nearly all scripts do.
            assignments.iter().for_each(|pair| scope.export(pair));
            settle(raw, values);
            continue;
        }
        set_names(raw, values, &mut scope, &mut names);
        let written: Vec<String> = raw.written.iter().map(one).collect();
        let texts = assignments.iter().chain(&written);
        let size = texts.map(|text| size_of::<String>() + text.len()).sum();
        for mut words in values.calls(&raw.words, raw.function) {
            names.resolve(&mut words);
            if !keep(size) {
                return;
            }
            let invocation = Invocation {
                words,
                assignments: assignments.clone(),
                exported: Arc::clone(&scope.exported),
                written: written.clone(),
                directories: Arc::clone(&directories),
                runs_unseen: false,
                on_host: outer.on_host.clone(),
            };
            prefix::unwrap(invocation, &input, (values, raw.function), depth, found);
        }
        settle(raw, values);
    }
    for table in values.files.cron_tables() {
        let mut values = values.inside(0, None);
        read_nested(&cron::script(&table), outer, &mut values, depth + 1, found);
    }
}

/// The one text that `word` stands for; as it is written where it may stand for several.
fn one_text(values: &Values<'_>, word: &word::Word, function: usize) -> String {
    let mut texts = values.texts(word, function);
    match texts.len() {
        1 => texts.remove(0),
        _ => word.text.clone(),
    }
}

/// Notes what `raw` says about the names of later commands.
fn set_names(raw: &RawCommand, values: &Values<'_>, scope: &mut Scope, names: &mut Names) {
    let Some((program, words)) = raw.words.split_first() else {
        return;
    };
    let texts = || {
        words
            .iter()
            .map(|word| one_text(values, word, raw.function))
    };
    match program.as_str() {
        "export" => texts().for_each(|pair| scope.export(&pair)),
        "unset" => texts().for_each(|name| scope.unset(&name)),
        "alias" => texts().for_each(|pair| names.alias(&pair)),
        _ => {}
    }
}

/// Notes which variables have a value behind `raw`, whichever branches are taken.
fn settle(raw: &RawCommand, values: &mut Values<'_>) {
    if raw.branch.depth > 0 || raw.function > 0 {
        return;
    }
    let is_declaration = raw.words.first().is_some_and(|program| {
        matches!(
            program.as_str(),
            "export" | "readonly" | "declare" | "typeset"
        )
    });
    let declared = raw.words.iter().filter(|_| is_declaration);
    for word in raw.assignments.iter().chain(declared) {
        if let Some((name, ..)) = word.assignment() {
            values.settle(name);
        }
    }
    if let Some(name) = raw.data.first() {
        values.settle(name.as_str());
    }
}

#[cfg(test)]
mod tests;
