//! DKR103 cri-dockerd-socket-mount: the socket of cri-dockerd in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR103",
    name: "cri-dockerd-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches cri-dockerd.sock",
    reason: "absent on {nodes}",
    short_fix: "mount the runtime's own CRI socket",
    page: include_str!("../../docs/rules/cri-dockerd-socket-mount.md"),
    host_path: Some(HostPathRule(Thing::Socket, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    matches!(path.as_str(), "/run/cri-dockerd.sock" | "/pipe/cri-dockerd")
}
