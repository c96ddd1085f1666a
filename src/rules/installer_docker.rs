//! CLU901 installer-docker: an installer's object that selects Docker.

use super::place;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
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
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let kinds = [
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
    for leaf in kinds
        .iter()
        .flat_map(|kind| place::texts_of(workload, kind))
    {
        let field = leaf.path.rsplit('.').next().unwrap_or_default();
        let selects = match field {
            "containerRuntime" => matches!(leaf.text.as_str(), "docker" | "dockerd"),
            "criSocket" | "containerRuntimeEndpoint" => {
                ["dockershim", "cri-dockerd", "/docker.sock"]
                    .iter()
                    .any(|name| mentions(&leaf.text, name))
            }
            "name" => leaf.path.ends_with("cri.name") && leaf.text == "docker",
            _ => false,
        };
        if selects {
            findings.push(place::in_object(
                &RULE,
                workload,
                leaf,
                format!("sets {field} to {}", leaf.text),
                &leaf.text,
            ));
        }
    }
}
