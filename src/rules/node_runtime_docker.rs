//! NOD901 node-runtime-docker: a node that runs Docker.

use super::nodes;
use crate::analysis::Workload;
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "NOD901",
    name: "node-runtime-docker",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a node whose runtime is Docker Engine behind dockershim",
    reason: "dockershim ends with Kubernetes 1.24",
    consequence: "kubelet 1.24 does not start with Docker",
    short_fix: "move it to containerd or CRI-O",
    page: include_str!("../../docs/rules/node-runtime-docker.md"),
    check: Check::Node(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>) -> Option<Finding> {
    let (version, kubelet) = nodes::runtime(workload)?;
    let is_dockershim = version.starts_with("docker://") && !nodes::is_at_least(kubelet, 1, 24);
    is_dockershim.then(|| {
        nodes::finding(&RULE, workload, nodes::RUNTIME_FIELD, version)
            .what(format!("runs {version}"))
    })
}
