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
    fix: "Annotate the node with the new runtime's socket before the upgrade: kubeadm.alpha.kubernetes.io/cri-socket=unix:///run/containerd/containerd.sock.",
    why: "kubeadm reads the socket of the runtime from this annotation. With dockershim's it cannot upgrade past 1.23.",
    before: r#"apiVersion: v1
kind: Node
metadata:
  name: node-1
  annotations:
    kubeadm.alpha.kubernetes.io/cri-socket: /var/run/dockershim.sock
"#,
    after: r#"apiVersion: v1
kind: Node
metadata:
  name: node-1
status:
  nodeInfo:
    containerRuntimeVersion: containerd://2.1.4
    kubeletVersion: v1.34.1
"#,
    not_flagged: "Other sockets.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/migrate-dockershim-dockerd/",
    ],
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
