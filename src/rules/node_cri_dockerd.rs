//! NOD903 node-cri-dockerd: a node that keeps Docker behind cri-dockerd.

use super::nodes;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "NOD903",
    name: "node-cri-dockerd",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a node that runs Docker Engine behind cri-dockerd",
    reason: "keeps Docker, without dockershim",
    consequence: "nothing breaks until Docker itself leaves",
    short_fix: "move it when ready",
    page: include_str!("../../docs/rules/node-cri-dockerd.md"),
    check: Check::Node(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>) -> Option<Finding> {
    let runs_docker = nodes::runtime(workload).filter(|(version, kubelet)| {
        version.starts_with("docker://") && nodes::is_at_least(kubelet, 1, 24)
    });
    if let Some((version, _)) = runs_docker {
        let finding = nodes::finding(&RULE, workload, nodes::RUNTIME_FIELD, version);
        return Some(finding.what(format!("runs {version} behind cri-dockerd")));
    }
    let socket = nodes::cri_socket(workload)?;
    socket.contains("cri-dockerd.sock").then(|| {
        nodes::finding(&RULE, workload, nodes::ANNOTATION_FIELD, socket)
            .what(format!("is annotated with {socket}"))
    })
}
