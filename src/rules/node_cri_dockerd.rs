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
    page: include_str!("../../docs/rules/node-cri-dockerd.md"),
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
