//! DKR103 cri-dockerd-socket-mount: the socket of cri-dockerd in a Pod.

use super::host_paths;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;

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
    target: None,
    check: Check::HostPath(check),
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    host_paths::find(&RULE, workload, mount)
}

fn matches(path: &HostPath) -> bool {
    matches!(path.as_str(), "/run/cri-dockerd.sock" | "/pipe/cri-dockerd")
}
