//! The commands of a container: `command` and `args`, lifecycle hooks and probes, read by the shell reader.

use std::collections::HashMap;

use super::budget::spend;
use super::mentions::mentions;
use super::object::Container;
use super::pod;
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
    let mut found = read_where(container.raw, |word| {
        mentions(word, "docker") || mentions(word, "$")
    });
    if let Some((field, script)) = container
        .script()
        .filter(|(_, script)| mentions(script, "docker"))
    {
        found.extend(
            shell::read_script(script)
                .into_iter()
                .map(|invocation| Command {
                    field: field.path(),
                    invocation,
                }),
        );
    }
    found
}

/// The commands of `container` in those texts that hold `needle`.
pub(crate) fn read_naming(container: &Container<'_>, needle: &str) -> Vec<Command> {
    read_where(container, |word| mentions(word, needle))
}

fn read_where(container: &Container<'_>, is_wanted: impl Fn(&str) -> bool) -> Vec<Command> {
    let mut found = Vec::new();
    read_argv(
        &[("command", &container.command), ("args", &container.args)],
        &is_wanted,
        &mut found,
    );
    for hook in container.hooks() {
        read_argv(&[hook], &is_wanted, &mut found);
    }
    found
}

/// Programs that are looked for in the texts of a container; scripts that run more share the last one's place.
const MAX_PROGRAMS: usize = 256;

/// Reads one argument vector, which lies in `lists`, each with its field.
fn read_argv(
    lists: &[(&str, &[Text<'_>])],
    is_wanted: &impl Fn(&str) -> bool,
    found: &mut Vec<Command>,
) {
    if !lists
        .iter()
        .any(|(_, words)| words.iter().any(|word| is_wanted(word)))
    {
        return;
    }
    let numbered = lists.iter().flat_map(|(field, words)| {
        words
            .iter()
            .enumerate()
            .map(|(i, word)| (*field, i, word.as_str()))
    });
    let words: Vec<(&str, usize, &str)> = numbered.collect();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut last = 0;
    for invocation in shell::read_argv(words.iter().map(|(_, _, word)| *word)) {
        let program = &invocation.words[0];
        let place = places.get(program).copied().or_else(|| {
            if places.len() >= MAX_PROGRAMS {
                return None;
            }
            // The word itself, else the first script that mentions the program.
            let exact = words.iter().position(|(_, _, word)| word == program);
            let place = exact
                .or_else(|| {
                    words
                        .iter()
                        .position(|(_, _, word)| contains(word, program))
                })
                .unwrap_or(0);
            places.insert(program.clone(), place);
            Some(place)
        });
        last = place.unwrap_or(last);
        let (field, index, _) = words[last];
        found.push(Command {
            field: format!("{field}[{index}]"),
            invocation,
        });
    }
}

/// True if `text` holds `program`; the search looks at many bytes in one step.
fn contains(text: &str, program: &str) -> bool {
    spend(1 + text.len() / 16)
        && memchr::memmem::find(text.as_bytes(), program.as_bytes()).is_some()
}
