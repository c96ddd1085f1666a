//! DKR101 docker-socket-mount: the node's Docker socket in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR101",
    name: "docker-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches the node's Docker socket",
    reason: "absent on {nodes}",
    short_fix: "build with BuildKit/Buildah",
    page: include_str!("../../docs/rules/docker-socket-mount.md"),
    host_path: Some(HostPathRule(Thing::Socket, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    path.as_str() == "/run/docker.sock"
}
