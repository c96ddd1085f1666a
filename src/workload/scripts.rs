//! The commands in a text of an object that is a script or a systemd unit: nothing shows who runs
//! it, or where.

use super::budget::spend;
use super::prefilter::mentions;
use super::settings::maps;
use super::shell::{Invocation, read_script};
use super::string_fields::StringField;
use crate::embedded::{Language, Node};

/// A program that the text runs.
#[derive(Clone, Debug)]
pub(crate) struct TextCommand {
    pub(crate) invocation: Invocation,
    /// Where in the text the command of a unit stands; a script is searched for it.
    pub(crate) offset: Option<usize>,
}

/// The commands of `string_field`, if it mentions Docker.
pub(super) fn read(string_field: &StringField) -> Vec<TextCommand> {
    let text = string_field.text.as_str();
    if !spend(text.len() / 16) || !mentions(text, "docker") {
        return Vec::new();
    }
    if string_field.is_script() {
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
    for (offset, command) in unit
        .map(|unit| unit_commands(&unit.root))
        .unwrap_or_default()
    {
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

/// The command in the value of a unit's setting, without the marks in front of the program.
pub(crate) fn unit_command(text: &str) -> &str {
    text.trim_start_matches(['-', '@', ':', '+', '!'])
}

/// True for a script of a POSIX shell: its first line says so, or its name.
pub(super) fn is_script(name: &str, text: &str) -> bool {
    const SHELLS: [&str; 6] = ["ash", "bash", "dash", "ksh", "sh", "zsh"];
    match text.strip_prefix("#!") {
        Some(rest) => {
            let line = rest.lines().next().unwrap_or_default();
            let mut words = line.split([' ', '/', '\t']);
            words.any(|word| SHELLS.contains(&word))
        }
        None => name.ends_with(".sh") || name.ends_with(".bash"),
    }
}
