//! The commands of a container: `command` and `args`, lifecycle hooks and probes, read by the shell reader.

use std::collections::HashMap;

use super::object::Container;
use super::pod::{self, mentions};
use super::shell::{self, Invocation};
use super::text::Text;

/// A program that the container runs, and the field that shows it.
#[derive(Debug)]
pub(crate) struct Command {
    /// Field path below the container: of the word that names the program, or of the script that holds it.
    pub(crate) field: String,
    pub(crate) invocation: Invocation,
}

/// The commands of `container` in those texts that name Docker, in the order command, postStart, preStop, probes, script.
pub(crate) fn read(container: &pod::Container<'_>) -> Vec<Command> {
    // The name can come out of a variable, too.
    let mut found = read_where(container.raw, |word| mentions(word, "docker") || mentions(word, "$"));
    if let Some((field, script)) = container.script().filter(|(_, script)| mentions(script, "docker")) {
        found.extend(shell::read_script(script).into_iter().map(|invocation| Command { field: field.path(), invocation }));
    }
    found
}

/// The commands of `container` in those texts that hold `needle`.
pub(crate) fn read_naming(container: &Container<'_>, needle: &str) -> Vec<Command> {
    read_where(container, |word| mentions(word, needle))
}

fn read_where(container: &Container<'_>, is_wanted: impl Fn(&str) -> bool) -> Vec<Command> {
    let mut found = Vec::new();
    let main: Vec<(String, &Text<'_>)> = (container.command.iter().enumerate().map(|(i, word)| (format!("command[{i}]"), word)))
        .chain(container.args.iter().enumerate().map(|(i, word)| (format!("args[{i}]"), word)))
        .collect();
    read_argv(&main, &is_wanted, &mut found);
    for (place, words) in container.hooks() {
        let words: Vec<_> = words.iter().enumerate().map(|(i, word)| (format!("{place}.exec.command[{i}]"), word)).collect();
        read_argv(&words, &is_wanted, &mut found);
    }
    found
}

/// Programs that are looked for in the texts of a container; scripts that run more share the last one's place.
const MAX_PROGRAMS: usize = 256;

fn read_argv(words: &[(String, &Text<'_>)], is_wanted: &impl Fn(&str) -> bool, found: &mut Vec<Command>) {
    if !words.iter().any(|(_, word)| is_wanted(word)) {
        return;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut last = 0;
    for invocation in shell::read_argv(words.iter().map(|(_, word)| word.as_str())) {
        let program = &invocation.words[0];
        let place = places.get(program).copied().or_else(|| {
            if places.len() >= MAX_PROGRAMS {
                return None;
            }
            // The word itself, else the first script that mentions the program.
            let exact = words.iter().position(|(_, word)| word.as_str() == program);
            let place = exact.or_else(|| words.iter().position(|(_, word)| word.contains(program.as_str()))).unwrap_or(0);
            places.insert(program.clone(), place);
            Some(place)
        });
        last = place.unwrap_or(last);
        found.push(Command { field: words[last].0.clone(), invocation });
    }
}
