//! The finding for a command of a script or a unit in a text of an object: who runs it, and where,
//! is not shown.

use crate::analysis::Workload;
use crate::analysis::docker_usage;
use crate::analysis::scripts::{Script, TextCommand};
use crate::finding::{Action, Certainty, Finding, Rule};
use crate::rules::{findings, objects};

/// The finding of `rule` for `command` of `script`, which is the call `shown`.
pub(in crate::rules) fn finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    script: &Script<'_>,
    command: &TextCommand,
    shown: &str,
) -> Finding {
    let finding = objects::finding(rule, workload, script.field)
        .what(format!("runs \"{shown}\""))
        .evidence(shown)
        .certainty(Certainty::Possible)
        .action(Action::Warn)
        .reason("where it runs is not visible");
    let offset = command
        .offset
        .or_else(|| findings::place_of(&command.invocation, &script.field.text));
    let finding = match offset {
        Some(offset) => finding.offset(offset),
        None => finding,
    };
    match docker_usage::run_other_runtimes(script.calls()) {
        true => findings::for_several_runtimes(finding),
        false => finding,
    }
}
