//! NOD902 node-dockershim-annotation: a node that kubeadm set up for dockershim.

use super::place;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
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
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    if let Some(socket) =
        place::cri_socket(workload).filter(|socket| socket.contains("dockershim.sock"))
    {
        findings.push(place::on_node(
            &RULE,
            workload,
            format!("is annotated with {socket}"),
            place::ANNOTATION_FIELD,
            socket,
        ));
    }
}
