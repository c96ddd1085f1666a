//! The findings that rules share: for a call of a program, for a setting that names a socket.

use super::objects;
use crate::analysis::{Command, Container, Pod};
use crate::finding::{Finding, Rule};
use crate::workload::budget::spend;
use crate::workload::host_path::HostPath;
use crate::workload::pod::TextField;
use crate::workload::search::mentions;
use crate::workload::shell::Invocation;

/// The finding of `rule` for `command`, which is the call `shown`.
pub(super) fn call_finding(
    rule: &'static Rule,
    pod: &Pod<'_>,
    container: &Container<'_>,
    command: &Command,
    shown: &str,
) -> Finding {
    let finding = Finding::new(rule)
        .in_container(pod, container, command.field.path())
        .evidence(shown);
    let text = container.text_at(command.field);
    match text.and_then(|text| place_of(&command.invocation, text)) {
        Some(at) => finding.offset(at),
        None => finding,
    }
}

/// Where in a script the program of `invocation` stands: in a line that is no comment and holds its
/// last word, too, or goes on to it.
pub(super) fn place_of(invocation: &Invocation, script: &str) -> Option<usize> {
    let program = invocation.words.first()?;
    let last = invocation.words.last()?;
    if !(spend(script.len()) && mentions(script, program)) {
        return None;
    }
    let mut lines = objects::lines(script);
    lines.find_map(|(start, line)| {
        let at = start + line.find(program.as_str())?;
        let command = whole_command(&script[at..]);
        (spend(command.len()) && command.contains(last.as_str())).then_some(at)
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

/// The finding for a setting that names the socket `path`.
pub(super) fn setting_finding(
    rule: &'static Rule,
    pod: &Pod<'_>,
    container: &Container<'_>,
    field: TextField,
    path: &str,
) -> Finding {
    Finding::new(rule)
        .in_container(pod, container, field.path())
        .what(format!("names {path} in {}", container.describe(field)))
        .evidence(path)
        .identity(HostPath::new(path).as_str())
}

/// A finding in a script that handles other runtimes, too, is only recorded.
pub(super) fn for_several_runtimes(finding: Finding) -> Finding {
    finding
        .advisory("the script also handles other runtimes")
        .consequence("")
}
