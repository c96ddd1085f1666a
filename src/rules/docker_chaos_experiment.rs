//! DKR603 docker-chaos-experiment: a chaos tool that works through Docker.

use super::findings;
use crate::analysis::runtime_selectors::runtime_selectors;
use crate::analysis::{Container, Pod, docker_usage, sockets};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};
use crate::workload::catalog;

pub(super) static RULE: Rule = Rule {
    code: "DKR603",
    name: "docker-chaos-experiment",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    summary: "a chaos tool that is set up for the Docker runtime",
    reason: "its experiments fail on {nodes}",
    consequence: "faults are injected through Docker's API, which is not there",
    short_fix: "set its runtime to the new one",
    page: include_str!("../../docs/rules/docker-chaos-experiment.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let uses_docker = || {
        let mut mounts = pod.mounts_of(container);
        mounts.any(|mount| sockets::is_docker_socket(&mount.path))
            || runtime_selectors(container)
                .iter()
                .any(|selector| selector.is_certain)
    };
    let may_use = docker_usage::shows_docker(pod, container);
    if may_use && catalog::is_chaos_tool(container.image()) && uses_docker() {
        findings.push(findings::image_finding(
            &RULE,
            pod,
            container,
            "runs chaos tool",
        ));
    }
}
