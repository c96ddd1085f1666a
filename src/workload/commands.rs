//! The commands of a container: `command` and `args`, lifecycle hooks and probes, read by the shell reader.

use std::collections::HashMap;

use super::object::Container;
use super::pod::mentions;
use super::shell::{self, Invocation};
use super::text::Text;

/// A program that the container runs, and the field that shows it.
#[derive(Debug)]
pub(crate) struct Command {
    /// Field path below the container: of the word that names the program, or of the script that holds it.
    pub(crate) field: String,
    pub(crate) invocation: Invocation,
}

/// The commands of `container` in those texts that name Docker, in the order command, postStart, preStop, probes.
pub(crate) fn read(container: &Container<'_>) -> Vec<Command> {
    // The name can come out of a variable, too.
    read_where(container, |word| mentions(word, "docker") || mentions(word, "$"))
}

/// The commands of `container` in those texts that hold `needle`.
pub(crate) fn read_naming(container: &Container<'_>, needle: &str) -> Vec<Command> {
    read_where(container, |word| mentions(word, needle))
}

fn read_where(container: &Container<'_>, is_wanted: impl Fn(&str) -> bool) -> Vec<Command> {
    let mut found = Vec::new();
    read_argv(&[("command", &container.command), ("args", &container.args)], &is_wanted, &mut found);
    let lifecycle = container.lifecycle.as_ref();
    let hooks = [
        ("lifecycle.postStart.exec.command", lifecycle.and_then(|l| l.post_start.as_ref())),
        ("lifecycle.preStop.exec.command", lifecycle.and_then(|l| l.pre_stop.as_ref())),
        ("livenessProbe.exec.command", container.liveness_probe.as_ref()),
        ("readinessProbe.exec.command", container.readiness_probe.as_ref()),
        ("startupProbe.exec.command", container.startup_probe.as_ref()),
    ];
    for (place, hook) in hooks {
        if let Some(exec) = hook.and_then(|hook| hook.exec.as_ref()) {
            read_argv(&[(place, &exec.command)], &is_wanted, &mut found);
        }
    }
    found
}

/// Programs that are looked for in the texts of a container; scripts that run more share the last one's place.
const MAX_PROGRAMS: usize = 256;

/// Reads one argument vector, which lies in `lists`, each with its field.
fn read_argv(lists: &[(&str, &[Text<'_>])], is_wanted: &impl Fn(&str) -> bool, found: &mut Vec<Command>) {
    if !lists.iter().any(|(_, words)| words.iter().any(|word| is_wanted(word))) {
        return;
    }
    let numbered = lists.iter().flat_map(|(field, words)| words.iter().enumerate().map(|(i, word)| (*field, i, word.as_str())));
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
            let place = exact.or_else(|| words.iter().position(|(_, _, word)| word.contains(program.as_str()))).unwrap_or(0);
            places.insert(program.clone(), place);
            Some(place)
        });
        last = place.unwrap_or(last);
        let (field, index, _) = words[last];
        found.push(Command { field: format!("{field}[{index}]"), invocation });
    }
}
