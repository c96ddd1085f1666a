//! DKR103 cri-dockerd-socket-mount: the socket of cri-dockerd in a Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR103",
    name: "cri-dockerd-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches cri-dockerd.sock",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "mount the runtime's own CRI socket",
    page: include_str!("../../docs/rules/cri-dockerd-socket-mount.md"),
    host_path: Some(HostPathRule {
        thing: Thing::Socket,
        matches,
    }),
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    host_paths::check(&RULE, workload, findings);
}

fn matches(path: &HostPath) -> bool {
    matches!(path.as_str(), "/run/cri-dockerd.sock" | "/pipe/cri-dockerd")
}
