//! What rules about commands share for scripts and units in the texts of an object: who runs them, and where, is not shown.

use crate::finding::{Action, Certainty, Finding, Rule};
use crate::rules::{objects, signals};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;
use crate::workload::scripts::TextCommand;
use crate::workload::shell::Invocation;

/// True for an object whose scripts somebody mounts; those of other kinds are commands of their containers.
pub(in crate::rules) fn holds_some(workload: &Workload<'_>) -> bool {
    matches!(workload.kind(), "ConfigMap" | "Secret")
}

/// The finding of `rule` for `command` of `leaf`, which is the call `shown`.
pub(in crate::rules) fn finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    leaf: &Leaf,
    command: &TextCommand,
    shown: &str,
) -> Finding {
    let finding = objects::finding(rule, workload, leaf)
        .what(format!("runs \"{shown}\""))
        .evidence(shown)
        .certainty(Certainty::Possible)
        .action(Action::Warn)
        .reason("where it runs is not visible");
    let invocation = &command.invocation;
    let offset = command
        .offset
        .or_else(|| signals::place_of(invocation, &leaf.text));
    let finding = match offset {
        Some(offset) => finding.offset(offset),
        None => finding,
    };
    match signals::run_other_runtimes(leaf.commands().iter().map(|command| &command.invocation)) {
        true => signals::for_several_runtimes(finding),
        false => finding,
    }
}

/// True for a text that starts a Docker daemon of its own: its calls go there.
pub(in crate::rules) fn starts_daemon(leaf: &Leaf) -> bool {
    let is_daemon = |invocation: &Invocation| {
        matches!(invocation.program(), "dockerd" | "dockerd-entrypoint.sh")
    };
    leaf.commands()
        .iter()
        .any(|command| is_daemon(&command.invocation))
}
