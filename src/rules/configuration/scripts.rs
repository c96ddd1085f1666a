//! What rules about commands share for scripts and units in the texts of an object: who runs them,
//! and where, is not shown.

use crate::finding::{Action, Certainty, Finding, Rule};
use crate::rules::{docker_usage, objects};
use crate::workload::Workload;
use crate::workload::scripts::TextCommand;
use crate::workload::shell::Invocation;
use crate::workload::string_fields::StringField;

/// True for an object whose scripts somebody mounts; those of other kinds are commands of their
/// containers.
pub(in crate::rules) fn holds_some(workload: &Workload<'_>) -> bool {
    matches!(workload.kind(), "ConfigMap" | "Secret")
}

/// The finding of `rule` for `command` of `string_field`, which is the call `shown`.
pub(in crate::rules) fn finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    string_field: &StringField,
    command: &TextCommand,
    shown: &str,
) -> Finding {
    let finding = objects::finding(rule, workload, string_field)
        .what(format!("runs \"{shown}\""))
        .evidence(shown)
        .certainty(Certainty::Possible)
        .action(Action::Warn)
        .reason("where it runs is not visible");
    let invocation = &command.invocation;
    let offset = command
        .offset
        .or_else(|| docker_usage::place_of(invocation, &string_field.text));
    let finding = match offset {
        Some(offset) => finding.offset(offset),
        None => finding,
    };
    match docker_usage::run_other_runtimes(
        string_field
            .commands()
            .iter()
            .map(|command| &command.invocation),
    ) {
        true => docker_usage::for_several_runtimes(finding),
        false => finding,
    }
}

/// True for a text that starts a Docker daemon of its own: its calls go there.
pub(in crate::rules) fn starts_daemon(string_field: &StringField) -> bool {
    let is_daemon = |invocation: &Invocation| {
        matches!(invocation.program(), "dockerd" | "dockerd-entrypoint.sh")
    };
    string_field
        .commands()
        .iter()
        .any(|command| is_daemon(&command.invocation))
}
