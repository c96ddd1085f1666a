//! The commands in a text of an object that is a script or a systemd unit: nothing shows who runs
//! it, or where.

use super::settings::maps;
use crate::embedded::{Language, Node};
use crate::workload::Workload;
use crate::workload::budget::spend;
use crate::workload::search::mentions;
use crate::workload::shell::{Invocation, cron, read_script};
use crate::workload::string_fields::StringField;

/// A program that the text runs.
#[derive(Clone, Debug)]
pub(crate) struct TextCommand {
    pub(crate) invocation: Invocation,
    /// Where in the text the command of a unit stands; a script is searched for it.
    pub(crate) offset: Option<usize>,
}

/// A text with commands that mention Docker.
pub(crate) struct Script<'w> {
    pub(crate) field: &'w StringField,
    /// At least one.
    pub(crate) commands: Vec<TextCommand>,
}

/// The scripts and units in the texts of `workload`. Somebody mounts those of a ConfigMap or a
/// Secret; those of other kinds are commands of their containers.
pub(super) fn scripts<'w>(workload: &'w Workload<'_>) -> Vec<Script<'w>> {
    if !matches!(workload.kind(), "ConfigMap" | "Secret") {
        return Vec::new();
    }
    let scripts = workload.string_fields.iter().map(|field| Script {
        field,
        commands: read(field),
    });
    scripts
        .filter(|script| !script.commands.is_empty())
        .collect()
}

impl Script<'_> {
    /// True if it starts a Docker daemon of its own: its calls go there.
    pub(crate) fn starts_daemon(&self) -> bool {
        self.calls()
            .any(|call| matches!(call.program(), "dockerd" | "dockerd-entrypoint.sh"))
    }

    /// True for a systemd unit.
    pub(crate) fn is_unit(&self) -> bool {
        self.commands.iter().any(|command| command.offset.is_some())
    }

    /// What it runs.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Invocation> {
        self.commands.iter().map(|command| &command.invocation)
    }
}

/// The commands of `string_field`, if it mentions Docker or one of its chains.
fn read(string_field: &StringField) -> Vec<TextCommand> {
    let text = string_field.text.as_str();
    let names_docker = mentions(text, "docker") || mentions(text, "DOCKER");
    if !spend(text.len() / 16) || !names_docker {
        return Vec::new();
    }
    if is_script(string_field.key(), text) {
        let command = |invocation| TextCommand {
            invocation,
            offset: None,
        };
        return read_script(text).into_iter().map(command).collect();
    }
    let document = string_field.document();
    // TOML takes short units, too.
    let is_unit = |language| matches!(language, Language::Sections | Language::Toml);
    let unit = document.filter(|document| is_unit(document.language));
    let mut found = Vec::new();
    let commands = unit.map(|unit| unit_commands(&unit.root));
    let commands = commands.unwrap_or_default().into_iter();
    for (offset, command) in commands.chain(line_commands(string_field.key(), text)) {
        found.extend(
            read_script(command)
                .into_iter()
                .map(|invocation| TextCommand {
                    invocation,
                    offset: Some(offset),
                }),
        );
    }
    found
}

/// The commands of a systemd unit: `ExecStart=`, `ExecStartPre=` and so on, each with its place.
fn unit_commands(root: &Node) -> Vec<(usize, &str)> {
    let entries = maps(root).into_iter().flat_map(|(_, map)| map.entries());
    let commands = entries.filter(|(key, _)| key.starts_with("Exec"));
    let commands = commands.filter_map(|(_, node)| {
        let text = node.text()?;
        let command = unit_command(text);
        Some((node.offset + text.len() - command.len(), command))
    });
    commands.collect()
}

/// Commands on lines of their own, each with its place: those of cron's tables and the recipes of
/// make.
fn line_commands<'t>(name: &str, text: &'t str) -> Vec<(usize, &'t str)> {
    let is_makefile = name.eq_ignore_ascii_case("makefile") || name.ends_with(".mk");
    let lines = text
        .split_inclusive('\n')
        .filter(|line| mentions(line, "docker"));
    let commands = lines.filter_map(|line| match is_makefile {
        true => Some(line.strip_prefix('\t')?.trim_start_matches(['@', '-'])),
        false => cron::command(line),
    });
    // Each is a part of the text.
    let start = |command: &str| command.as_ptr().addr() - text.as_ptr().addr();
    commands.map(|command| (start(command), command)).collect()
}

/// The command in the value of a unit's setting, without the marks in front of the program.
pub(crate) fn unit_command(text: &str) -> &str {
    text.trim_start_matches(['-', '@', ':', '+', '!'])
}

/// True for a script of a shell: its first line says so, or its name.
fn is_script(name: &str, text: &str) -> bool {
    const SHELLS: [&str; 6] = ["ash", "bash", "dash", "ksh", "sh", "zsh"];
    match text.strip_prefix("#!") {
        Some(rest) => {
            let line = rest.lines().next().unwrap_or_default();
            let mut words = line.split([' ', '/', '\t']);
            words.any(|word| SHELLS.contains(&word))
        }
        None => [".bash", ".ps1", ".sh"]
            .iter()
            .any(|end| name.ends_with(end)),
    }
}

/// Where in a script the program of `invocation` stands: in a line that is no comment and holds its
/// last word, too, or goes on to it.
pub(crate) fn place_of(invocation: &Invocation, script: &str) -> Option<usize> {
    let program = invocation.words.first()?;
    let last = invocation.words.last()?;
    if !(spend(script.len()) && mentions(script, program)) {
        return None;
    }
    // Where the command at hand ends, and the last place of the word in it: one that goes on has
    // many lines.
    let (mut end, mut last_place) = (0, None);
    let mut lines = code_lines(script).take_while(|(_, line)| spend(line.len() / 16));
    lines.find_map(|(start, line)| {
        let at = start + line.find(program.as_str())?;
        if at >= end {
            let command = whole_command(&script[at..]);
            end = at + command.len();
            let found = spend(command.len()).then(|| command.rfind(last.as_str()));
            last_place = found.flatten().map(|found| at + found);
        }
        (last_place? >= at).then_some(at)
    })
}

/// The first line of `script` with those on which it goes on.
fn whole_command(script: &str) -> &str {
    let mut end = 0;
    for line in script.split_inclusive('\n') {
        end += line.len();
        if !line.trim_end().ends_with('\\') {
            break;
        }
    }
    &script[..end]
}

/// The lines of `text`, trimmed, with the byte at which each begins; comments are left out.
pub(crate) fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let start = next + line.len() - line.trim_start().len();
        next += line.len();
        (start, line.trim())
    });
    lines.filter(|(_, line)| !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_goes_on_has_its_place_at_its_program() {
        let script = "# docker end\ndocker a \\\n  docker b \\\n  end\ndocker z\n";
        for (last, place) in [("end", 13), ("b", 13), ("z", 43), ("y", 0)] {
            let invocation = Invocation {
                words: vec!["docker".to_owned(), last.to_owned()],
                ..Invocation::default()
            };
            let expected = (place > 0).then_some(place);
            assert_eq!(place_of(&invocation, script), expected, "{last}");
        }
    }
}
