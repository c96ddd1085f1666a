//! CLU901 installer-docker: an installer's object that selects Docker.

use super::objects;
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;
use crate::workload::mentions::mentions;

pub(super) static RULE: Rule = Rule {
    code: "CLU901",
    name: "installer-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "an object of kOps, Cluster API, Karpenter or Gardener selects Docker for its nodes",
    reason: "its nodes come with Docker",
    consequence: "new nodes do not join from Kubernetes 1.24 on",
    short_fix: "select containerd",
    page: include_str!("../../docs/rules/installer-docker.md"),
    host_path: None,
    target: None,
    check: Check::Text(KINDS, check),
};

/// Objects of kOps, Cluster API, kubeadm, Karpenter and Gardener.
const KINDS: &[&str] = &[
    "Cluster",
    "InitConfiguration",
    "JoinConfiguration",
    "KubeadmConfig",
    "KubeadmConfigTemplate",
    "KubeadmControlPlane",
    "KubeletConfiguration",
    "Provisioner",
    "Shoot",
];

fn check(workload: &Workload<'_>, leaf: &Leaf) -> Option<Finding> {
    let text = leaf.text.as_str();
    let field = leaf.path.rsplit('.').next().unwrap_or_default();
    let selects = match field {
        "containerRuntime" => matches!(text, "docker" | "dockerd"),
        "criSocket" | "containerRuntimeEndpoint" => {
            let sockets = ["dockershim", "cri-dockerd", "/docker.sock"];
            sockets.iter().any(|name| mentions(text, name))
        }
        "name" => leaf.path.ends_with("cri.name") && text == "docker",
        _ => false,
    };
    selects.then(|| {
        objects::finding(&RULE, workload, leaf)
            .what(format!("sets {field} to {text}"))
            .evidence(text)
    })
}
