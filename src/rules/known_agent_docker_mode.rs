//! DKR601 known-agent-docker-mode: an agent that is known to have a mode without Docker, in its Docker mode.

use super::{docker_cli_image::image_finding, signals};
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::tables;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR601",
    name: "known-agent-docker-mode",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "a known agent that is set up to watch Docker",
    reason: "blind on {nodes}",
    consequence: "",
    short_fix: "switch its runtime setting",
    page: include_str!("../../docs/rules/known-agent-docker-mode.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        let Some(agent) = tables::agent(container.image()) else {
            continue;
        };
        let watches = pod.mounts_of(container).any(|mount| {
            signals::is_docker_socket(&mount.path) && !signals::has_cri_socket(pod, mount)
        }) || container.endpoint(pod).is_node()
            && !pod
                .mounts_of(container)
                .any(|mount| signals::is_cri_socket(&mount.path))
            || !signals::runtime_selectors(container).is_empty();
        if watches {
            let mut finding = image_finding(&RULE, pod, container, "runs");
            finding.what = format!("runs {} in Docker mode", agent.name);
            finding.short_fix = agent.remedy;
            finding.consequence = agent.remedy.to_owned();
            findings.push(finding);
        }
    }
}
