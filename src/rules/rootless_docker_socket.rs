//! DKR106 rootless-docker-socket: the socket of a rootless Docker in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::{HostPath, is_rootless_directory};

pub(super) static RULE: Rule = Rule {
    code: "DKR106",
    name: "rootless-docker-socket",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches /run/user/UID/docker.sock",
    reason: "absent on {nodes}",
    short_fix: "build with BuildKit/Buildah",
    page: include_str!("../../docs/rules/rootless-docker-socket.md"),
    host_path: Some(HostPathRule(Thing::Socket, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    is_rootless_socket(path)
}

pub(super) fn is_rootless_socket(path: &HostPath) -> bool {
    let directory = path.as_str().strip_suffix("/docker.sock");
    directory.is_some_and(is_rootless_directory)
}
