//! The commands of a container: `command` and `args`, lifecycle hooks and probes, read by the shell
//! reader.

use std::borrow::Cow;
use std::collections::HashMap;

use super::container::{Command, Container};
use super::texts::names_program;
use crate::workload::budget::{keep, spend};
use crate::workload::catalog;
use crate::workload::object;
use crate::workload::pod::TextField;
use crate::workload::search::mentions;
use crate::workload::shell::{self, HostEntry};

impl Container<'_> {
    /// The programs that the container runs, as far as the object shows them.
    ///
    /// Only texts that name Docker are read: everything else cannot hold a finding.
    pub(crate) fn commands(&self) -> &[Command] {
        if !self.mentions_docker() {
            return &[];
        }
        self.commands.get_or_init(|| read(self))
    }
}

/// A word of a command, and the field in which it stands.
type Word<'t> = (TextField, Cow<'t, str>);

/// The commands of `container` in those texts that name Docker, in the order command, postStart,
/// preStop, probes, script.
fn read(container: &Container<'_>) -> Vec<Command> {
    // The name can come out of a variable, too.
    let is_wanted = |word: &str| mentions(word, "docker") || mentions(word, "$");
    let word = |field, text| {
        let text = container.expanded_text(field, text);
        (field, fill_programs(container, text))
    };
    let mut found = Vec::new();
    // Arguments alone go to the program of the image, which a few images are named after.
    let program = container.image().name();
    let is_entrypoint = container.raw.command.is_empty() && catalog::ENTRYPOINTS.contains(&program);
    let entrypoint = is_entrypoint.then_some(program);
    read_vectors(container.raw, entrypoint, word, is_wanted, &mut found);
    for (at, variable) in container.raw.env.iter().enumerate() {
        let field = TextField::Env(at);
        let script = container.expanded_text(field, &variable.value);
        if !(script.contains('\n') && mentions(script, "docker")) {
            continue;
        }
        if let Some(on_host) = runs_variable(container, &variable.name, script) {
            let invocations = shell::read_script_on(script, on_host).into_iter();
            found.extend(invocations.map(|invocation| Command { field, invocation }));
        }
    }
    if let Some((field, script)) = (container.script()).filter(|(_, script)| is_wanted(script)) {
        let script = fill_programs(container, script);
        let invocations = shell::read_script(&script).into_iter();
        found.extend(invocations.map(|invocation| Command { field, invocation }));
    }
    found
}

/// Where `container` runs the script in its variable `name`: on the node or not. `None` where
/// nothing shows that it runs it.
fn runs_variable(container: &Container<'_>, name: &str, script: &str) -> Option<Option<HostEntry>> {
    // The interpreter in its first line says that a text is a script, and a script that a container
    // gets is run.
    let interpreter = script.trim_start().strip_prefix("#!");
    let is_shell = interpreter
        .and_then(|rest| rest.lines().next())
        .is_some_and(|line| line.split_whitespace().any(|word| word.ends_with("sh")));
    let known = catalog::script_variable(container.image(), name);
    let on_node = match known {
        Some(on_node) => on_node,
        None if is_shell => container.shares_node(),
        None => return None,
    };
    Some(on_node.then_some(HostEntry::Nsenter))
}

/// The commands of `container` in those texts that hold `needle`.
pub(crate) fn read_naming(container: &object::Container<'_>, needle: &str) -> Vec<Command> {
    let word = |field, text| (field, Cow::Borrowed(text));
    let mut found = Vec::new();
    let is_wanted = |word: &str| mentions(word, needle);
    read_vectors(container, None, word, is_wanted, &mut found);
    found
}

/// Reads what `container` starts, `command` with `args`, then hooks and probes, each word of it as
/// `word` gives it. `entrypoint` is the program that the image itself starts.
fn read_vectors<'c>(
    container: &'c object::Container<'_>,
    entrypoint: Option<&'c str>,
    word: impl Fn(TextField, &'c str) -> Word<'c>,
    is_wanted: impl Fn(&str) -> bool,
    found: &mut Vec<Command>,
) {
    let command = container.command.iter().enumerate();
    let command = command.map(|(i, text)| word(TextField::Command(i), text));
    let args = container.args.iter().enumerate();
    let args = args.map(|(i, text)| word(TextField::Args(i), text));
    let program = entrypoint.map(|program| (TextField::Args(0), Cow::Borrowed(program)));
    read_argv(
        program.into_iter().chain(command).chain(args),
        &is_wanted,
        found,
    );
    for (place, words) in container.hooks() {
        let words = words.iter().enumerate();
        let words = words.map(|(i, text)| word(TextField::Hook(place, i), text));
        read_argv(words, &is_wanted, found);
    }
}

/// `script` with those variables of the container's environment filled in that call Docker or lead
/// onto the node: `$DOCKER ps`, `sh -c "$CMD"`. A name that the script sets itself is the script's.
fn fill_programs<'t>(container: &'t Container<'_>, script: &'t str) -> Cow<'t, str> {
    // A default is given as `${NAME:-DEFAULT}`.
    if !script.contains('$') || !container.has_program_variables() && !mentions(script, ":-") {
        return Cow::Borrowed(script);
    }
    let mut programs = HashMap::new();
    let (mut filled, mut rest, mut room) = (String::new(), script, MAX_FILLED);
    while let Some(at) = rest.find('$') {
        let (front, reference) = rest.split_at(at);
        filled.push_str(front);
        rest = &reference[1..];
        let value = reference_at(reference);
        let length = match value {
            Some((.., after)) => reference.len() - after.len(),
            // A brace that nothing closes was looked for up to the end.
            None if reference.starts_with("${") => reference.len(),
            None => 1,
        };
        if !spend(REFERENCE_STEPS + length) {
            break;
        }
        let value = value.and_then(|(name, default, after)| {
            let value = match programs.get(name) {
                Some(value) => *value,
                None if programs.len() < MAX_PROGRAMS => {
                    let value = program_in(container, script, name, default);
                    programs.insert(name, value);
                    value
                }
                None => None,
            };
            Some((value?, after))
        });
        match value.filter(|(value, _)| value.len() <= room) {
            Some((value, after)) => {
                filled.push_str(value);
                room -= value.len();
                rest = after;
            }
            None => filled.push('$'),
        }
    }
    filled.push_str(rest);
    Cow::Owned(filled)
}

/// Name and default of `$NAME`, `${NAME}` or `${NAME:-DEFAULT}`, with which `text` begins, and what
/// follows it.
fn reference_at(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let behind = &text[1..];
    let (inside, after) = match behind.strip_prefix('{') {
        Some(inner) => {
            let end = inner.find(['}', '\n'])?;
            (&inner[..end], inner[end..].strip_prefix('}')?)
        }
        None => behind.split_at(behind.find(|c| !is_name(c)).unwrap_or(behind.len())),
    };
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, default, after))
}

/// The value of the variable `name` if it calls Docker or leads onto the node, and `script` does
/// not set it.
fn program_in<'t>(
    container: &'t Container<'_>,
    script: &str,
    name: &str,
    default: Option<&'t str>,
) -> Option<&'t str> {
    let value = container.variable(name).map(|value| &*value.text);
    let value = value.or(default)?;
    (names_program(value) && !mentions(script, &format!("{name}="))).then_some(value)
}

/// What it costs to look a reference up.
const REFERENCE_STEPS: usize = 8;

/// Bytes that variables can add to a script.
const MAX_FILLED: usize = 64 * 1024;

/// Programs that are looked for in the texts of a container; scripts that run more share the last
/// one's place.
const MAX_PROGRAMS: usize = 256;

/// Reads one argument vector of `words`.
fn read_argv<'t>(
    words: impl Iterator<Item = Word<'t>>,
    is_wanted: &impl Fn(&str) -> bool,
    found: &mut Vec<Command>,
) {
    let words: Vec<Word<'t>> = words
        .take_while(|word| spend(1) && keep(size_of_val(word)))
        .collect();
    if !words.iter().any(|(_, word)| is_wanted(word)) {
        return;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut last = 0;
    for invocation in shell::read_argv(words.iter().map(|(_, word)| &**word)) {
        let program = &invocation.words[0];
        let place = places.get(program).copied().or_else(|| {
            if places.len() >= MAX_PROGRAMS {
                return None;
            }
            // The word itself, else the first script that mentions the program.
            let exact = words.iter().position(|(_, word)| **word == **program);
            let place = exact
                .or_else(|| words.iter().position(|(_, word)| contains(word, program)))
                .unwrap_or(0);
            places.insert(program.clone(), place);
            Some(place)
        });
        last = place.unwrap_or(last);
        found.push(Command {
            field: words[last].0,
            invocation,
        });
    }
}

/// True if `text` holds `program`; the search looks at many bytes in one step.
fn contains(text: &str, program: &str) -> bool {
    spend(1 + text.len() / 16)
        && memchr::memmem::find(text.as_bytes(), program.as_bytes()).is_some()
}
