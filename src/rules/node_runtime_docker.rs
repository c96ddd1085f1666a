//! NOD901 node-runtime-docker: a node that runs Docker.

use super::place;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
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
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some((version, kubelet)) = place::node_runtime(workload) else {
        return;
    };
    if version.starts_with("docker://") && !place::is_at_least(kubelet, 1, 24) {
        findings.push(place::on_node(
            &RULE,
            workload,
            format!("runs {version}"),
            place::RUNTIME_FIELD,
            version,
        ));
    }
}
