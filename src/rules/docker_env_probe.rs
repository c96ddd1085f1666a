//! DKR405 docker-env-probe: a script that looks for traces of Docker.

use super::findings;
use crate::analysis::scripts::{Script, code_lines};
use crate::analysis::{Container, Pod, Workload};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::search::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR405",
    name: "docker-env-probe",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Degrades,
    action: Some(Action::Record),
    summary: "a script tests for traces of Docker: /.dockerenv, cgroup paths, docker0, DOCKER \
        chains",
    reason: "the trace is absent on {nodes}",
    consequence: "the test gives another answer there",
    short_fix: "test for something else",
    page: include_str!("../../docs/rules/docker-env-probe.md"),
    check: Check::Commands(check, check_script),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let texts = container.texts_with(|found| found.docker);
    for (field, text) in texts.filter(|(_, text)| !leaves_out(text)) {
        if let Some(trace) = trace_of(text) {
            let place = container.describe(field);
            findings.push(
                Finding::new(&RULE)
                    .in_container(pod, container, field.path())
                    .what(format!("looks for {trace} in {place}"))
                    .evidence(trace)
                    .within(text),
            );
        }
    }
}

/// A script or a unit in a text.
fn check_script(workload: &Workload<'_>, script: &Script<'_>, findings: &mut Findings) {
    let lines = code_lines(&script.field.text);
    let traces = lines.filter_map(|(start, line)| Some((start, trace_of(line)?)));
    findings.extend(traces.map(|(start, trace)| {
        findings::object_finding(&RULE, workload, script.field)
            .offset(Some(start))
            .what(format!("looks for {trace}"))
            .evidence(trace)
    }));
}

/// True for an option that leaves out what it names, such as interfaces: it works without them.
fn leaves_out(text: &str) -> bool {
    let (option, _) = text.split_once('=').unwrap_or_default();
    let words = ["exclude", "ignore", "skip"];
    !option.contains(char::is_whitespace) && words.iter().any(|word| option.contains(word))
}

/// The trace of Docker that `text` looks for.
fn trace_of(text: &str) -> Option<&'static str> {
    let asks_cgroup = ["/proc/1/cgroup", "/proc/self/cgroup"]
        .iter()
        .any(|file| mentions(text, file))
        && mentions(text, "docker");
    let traces = ["/.dockerenv", "docker0", "DOCKER-USER", "DOCKER-ISOLATION"];
    traces
        .into_iter()
        .find(|trace| mentions(text, trace))
        .or(asks_cgroup.then_some("docker in cgroup paths"))
}
