//! DKR603 docker-chaos-experiment: a chaos tool that works through Docker.

use super::{docker_cli_image::image_finding, signals};
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::tables;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR603",
    name: "docker-chaos-experiment",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a chaos tool that is set up for the Docker runtime",
    reason: "its experiments fail on {nodes}",
    consequence: "faults are injected through Docker's API, which is not there",
    short_fix: "set its runtime to the new one",
    page: include_str!("../../docs/rules/docker-chaos-experiment.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| tables::is_chaos_tool(container.image()))
    {
        let reaches_docker = pod
            .mounts_of(container)
            .any(|mount| signals::is_docker_socket(&mount.path));
        if reaches_docker || !signals::runtime_selectors(container).is_empty() {
            findings.push(image_finding(&RULE, pod, container, "runs chaos tool"));
        }
    }
}
