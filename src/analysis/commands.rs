//! The commands of a container: `command` and `args`, lifecycle hooks and probes, read by the shell
//! reader.

use std::collections::HashMap;

use super::container::{Command, Container};
use crate::workload::budget::{keep, spend};
use crate::workload::catalog;
use crate::workload::object;
use crate::workload::pod::TextField;
use crate::workload::search::mentions;
use crate::workload::shell::{self, Environment, HostEntry, ShellContext};

impl Container<'_> {
    /// The programs that the container runs, as far as the object shows them.
    ///
    /// Only texts that name Docker are read, and all of them where a container has a way to its
    /// socket: everything else cannot hold a finding.
    pub(crate) fn commands(&self) -> &[Command] {
        if !(self.text_prefilter().docker || self.has_way_to_socket()) {
            return &[];
        }
        self.commands.get_or_init(|| read(self))
    }
}

/// A word of a command, and the field in which it stands.
type Word<'t> = (TextField, &'t str);

/// The commands of `container` in those texts that name Docker, in the order command, postStart,
/// preStop, probes, script.
fn read(container: &Container<'_>) -> Vec<Command> {
    // The name can come out of a variable, too, or of parts.
    let reads_all = container.has_way_to_socket();
    let is_wanted = |word: &str| reads_all || mentions(word, "docker") || mentions(word, "$");
    let word = |field, text| (field, container.expanded_text(field, text));
    let context = ShellContext {
        environment: container,
        directory: &container.working_directory(),
    };
    let mut found = Vec::new();
    // Arguments alone go to the program of the image, which a few images are named after.
    let entrypoint = match container.raw.command.is_empty() {
        true => catalog::entrypoint(container.image().name()),
        false => &[],
    };
    read_vectors(
        container.raw,
        entrypoint,
        word,
        (&is_wanted, &context),
        &mut found,
    );
    for (at, variable) in container.raw.env.iter().enumerate() {
        let field = TextField::Env(at);
        let script = container.expanded_text(field, &variable.value);
        let may_be_script = script.contains('\n') || is_expanded_by_shells(&variable.name, script);
        if !(may_be_script && (reads_all || mentions(script, "docker"))) {
            continue;
        }
        if let Some(on_host) = runs_variable(container, &variable.name, script) {
            let invocations = shell::read_script_in(script, on_host, &context).into_iter();
            found.extend(invocations.map(|invocation| Command { field, invocation }));
        }
    }
    if let Some((field, script)) = (container.script()).filter(|(_, script)| is_wanted(script)) {
        let invocations = shell::read_script_in(script, None, &context).into_iter();
        found.extend(invocations.map(|invocation| Command { field, invocation }));
    }
    found
}

impl Environment for Container<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.variable(name).map(|value| &*value.text)
    }
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
    let is_known = catalog::runs_on_node(container.image(), name);
    if !(is_known || is_shell || is_expanded_by_shells(name, script)) {
        return None;
    }
    let on_node = is_known || is_shell && container.shares_node();
    Some(on_node.then_some(HostEntry::Nsenter))
}

/// True for a variable whose substitutions a shell runs of itself: when it starts, before it asks,
/// or with `set -x` (Shell Variables in the Bash Reference Manual).
fn is_expanded_by_shells(name: &str, text: &str) -> bool {
    let is_such = matches!(name, "BASH_ENV" | "ENV" | "PS0" | "PS1" | "PS2" | "PS4");
    name == "PROMPT_COMMAND" || is_such && (text.contains("$(") || text.contains('`'))
}

/// The commands of `container` in those texts that hold `needle`.
pub(crate) fn read_naming(container: &object::Container<'_>, needle: &str) -> Vec<Command> {
    let mut found = Vec::new();
    let is_wanted = |word: &str| mentions(word, needle);
    let how = (&is_wanted as &dyn Fn(&str) -> bool, &ShellContext::UNKNOWN);
    read_vectors(container, &[], |field, text| (field, text), how, &mut found);
    found
}

/// Reads what `container` starts, `command` with `args`, then hooks and probes, each word of it as
/// `word` gives it. `entrypoint` is what the image itself starts. A vector is read
/// where one of its words is wanted.
fn read_vectors<'c>(
    container: &'c object::Container<'_>,
    entrypoint: &'c [&'c str],
    word: impl Fn(TextField, &'c str) -> Word<'c>,
    how: (&dyn Fn(&str) -> bool, &ShellContext<'_>),
    found: &mut Vec<Command>,
) {
    let command = container.command.iter().enumerate();
    let command = command.map(|(i, text)| word(TextField::Command(i), text));
    let args = container.args.iter().enumerate();
    let args = args.map(|(i, text)| word(TextField::Args(i), text));
    let program = entrypoint.iter().map(|word| (TextField::Args(0), *word));
    read_argv(program.chain(command).chain(args), how, found);
    for (place, words) in container.hooks() {
        let words = words.iter().enumerate();
        let words = words.map(|(i, text)| word(TextField::Hook(place, i), text));
        read_argv(words, how, found);
    }
}

/// Programs that are looked for in the texts of a container; scripts that run more share the last
/// one's place.
const MAX_PROGRAMS: usize = 256;

/// Reads one argument vector of `words`.
fn read_argv<'t>(
    words: impl Iterator<Item = Word<'t>>,
    (is_wanted, context): (&dyn Fn(&str) -> bool, &ShellContext<'_>),
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
    for invocation in shell::read_argv_in(words.iter().map(|(_, word)| *word), context) {
        let program = &invocation.words[0];
        let place = places.get(program).copied().or_else(|| {
            if places.len() >= MAX_PROGRAMS || !spend(words.len() / 8) {
                return None;
            }
            // The word itself, else the first script that mentions the program.
            let exact = words.iter().position(|(_, word)| *word == program);
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
