//! DKR203 dind-daemon: a Docker daemon inside the Pod.

use super::docker_cli_image::image_finding;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR203",
    name: "dind-daemon",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Security,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a container runs a Docker daemon of its own (Docker-in-Docker)",
    reason: "privileged, not tied to the node's Docker",
    consequence: "it keeps working on {nodes}, with full control of the node",
    short_fix: "prefer rootless BuildKit",
    page: include_str!("../../docs/rules/dind-daemon.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod.daemons() {
        findings.push(image_finding(
            &RULE,
            pod,
            container,
            "runs a Docker daemon in image",
        ));
    }
}
