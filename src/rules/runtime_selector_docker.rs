//! DKR306 runtime-selector-docker: a setting that chooses Docker as the container runtime.

use super::signals;
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR306",
    name: "runtime-selector-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a flag or variable that selects Docker as the container runtime",
    reason: "no Docker to select on {nodes}",
    consequence: "the tool looks for Docker's API and finds none",
    short_fix: "select the new runtime",
    page: include_str!("../../docs/rules/runtime-selector-docker.md"),
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        for (field, shown) in signals::runtime_selectors(container) {
            let path = format!("{}.{field}", pod.container_path(container));
            findings.push(Finding::in_container(
                &RULE,
                container,
                format!("sets {shown}"),
                path,
                &shown,
            ));
        }
    }
}
