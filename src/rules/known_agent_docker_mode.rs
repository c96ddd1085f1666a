//! DKR601 known-agent-docker-mode: an agent that is known to have a mode without Docker, in its
//! Docker mode.

use super::findings;
use crate::analysis::runtime_selectors::runtime_selectors;
use crate::analysis::{Container, Pod, docker_usage, sockets};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};
use crate::workload::catalog;

pub(super) static RULE: Rule = Rule {
    code: "DKR601",
    name: "known-agent-docker-mode",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    summary: "a known agent that is set up to watch Docker",
    reason: "blind on {nodes}",
    short_fix: "switch its runtime setting",
    page: include_str!("../../docs/rules/known-agent-docker-mode.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if !docker_usage::shows_docker(pod, container) {
        return;
    }
    let Some(agent) = catalog::agent(container.image()) else {
        return;
    };
    let mut mounts = pod.mounts_of(container);
    let mounts_docker = mounts.any(|mount| {
        sockets::is_docker_socket(&mount.path) && !sockets::has_cri_socket(pod, mount)
    });
    let has_cri_socket = || {
        let mut mounts = pod.mounts_of(container);
        mounts.any(|mount| sockets::is_cri_socket(&mount.path))
            || sockets::is_agent_of_several(container)
    };
    let watches = mounts_docker
        || container.endpoint(pod).is_node() && !has_cri_socket()
        || !runtime_selectors(container).is_empty();
    if watches {
        let mut finding = findings::image_finding(&RULE, pod, container, "")
            .what(format!("runs {} in Docker mode", agent.name))
            .consequence(agent.remedy);
        finding.short_fix = agent.remedy;
        findings.push(finding);
    }
}
