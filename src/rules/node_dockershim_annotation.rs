//! NOD902 node-dockershim-annotation: a node that kubeadm set up for dockershim.

use super::nodes;
use crate::analysis::Workload;
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "NOD902",
    name: "node-dockershim-annotation",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "kubeadm's annotation on a node names dockershim's socket",
    reason: "dockershim ends with Kubernetes 1.24",
    consequence: "kubeadm upgrade hands the socket to kubelet, which no longer serves it",
    short_fix: "annotate the new socket",
    page: include_str!("../../docs/rules/node-dockershim-annotation.md"),
    check: Check::Node(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>) -> Option<Finding> {
    let socket = nodes::cri_socket(workload)?;
    socket.contains("dockershim.sock").then(|| {
        nodes::finding(&RULE, workload, nodes::ANNOTATION_FIELD, socket)
            .what(format!("is annotated with {socket}"))
    })
}
