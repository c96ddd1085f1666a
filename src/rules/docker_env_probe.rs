//! DKR405 docker-env-probe: a script that looks for traces of Docker.

use super::signals;
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR405",
    name: "docker-env-probe",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Degrades,
    action: Some(Action::Record),
    needs_docker_absent: true,
    summary: "a script tests for traces of Docker: /.dockerenv, cgroup paths, docker0, DOCKER \
        chains",
    reason: "the trace is absent on {nodes}",
    consequence: "the test gives another answer there",
    short_fix: "test for something else",
    page: include_str!("../../docs/rules/docker-env-probe.md"),
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions_docker())
    {
        for (field, text) in container.all_texts() {
            let Some(trace) = trace_of(text) else {
                continue;
            };
            let path = format!("{}.{}", pod.container_path(container), field.path());
            let what = format!(
                "looks for {trace} in {}",
                signals::describe(container, field)
            );
            findings.push(Finding::in_container(&RULE, container, what, path, trace));
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
