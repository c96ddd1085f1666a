//! NOD903 node-cri-dockerd: a node that keeps Docker behind cri-dockerd.

use super::place;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "NOD903",
    name: "node-cri-dockerd",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a node that runs Docker Engine behind cri-dockerd",
    reason: "keeps Docker, without dockershim",
    consequence: "nothing breaks until Docker itself leaves",
    short_fix: "move it when ready",
    fix: "Move the node to containerd or CRI-O when its workloads no longer need Docker.",
    why: "cri-dockerd speaks the CRI in front of Docker Engine. Such a node still reports docker:// as its runtime and is not touched by the removal of dockershim.",
    before: r#"apiVersion: v1
kind: Node
metadata:
  name: node-1
status:
  nodeInfo:
    containerRuntimeVersion: docker://27.3.1
    kubeletVersion: v1.31.2
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
    not_flagged: "Nodes with kubelet up to 1.23, which can still use dockershim (NOD901).",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/migrate-dockershim-dockerd/",
        "Mirantis/cri-dockerd: core/docker_service.go",
    ],
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let runs_docker = place::node_runtime(workload).filter(|(version, kubelet)| {
        version.starts_with("docker://") && place::is_at_least(kubelet, 1, 24)
    });
    if let Some((version, _)) = runs_docker {
        findings.push(place::on_node(
            &RULE,
            workload,
            format!("runs {version} behind cri-dockerd"),
            place::RUNTIME_FIELD,
            version,
        ));
    } else if let Some(socket) =
        place::cri_socket(workload).filter(|socket| socket.contains("cri-dockerd.sock"))
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
