//! DKR106 rootless-docker-socket: the socket of a rootless Docker in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

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
    let uid = path
        .as_str()
        .strip_prefix("/run/user/")
        .and_then(|rest| rest.strip_suffix("/docker.sock"));
    uid.is_some_and(|uid| !uid.is_empty() && uid.bytes().all(|b| b.is_ascii_digit()))
}
