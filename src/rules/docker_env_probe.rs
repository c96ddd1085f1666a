//! DKR405 docker-env-probe: a script that looks for traces of Docker.

use crate::analysis::{Container, Pod};
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
    check: Check::Mentioning(|found| found.docker, check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    for (field, text) in container.texts_with(|found| found.docker) {
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
