//! DKR106 rootless-docker-socket: the socket of a rootless Docker in a Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR106",
    name: "rootless-docker-socket",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /run/user/UID/docker.sock",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "build with BuildKit/Buildah",
    page: include_str!("../../docs/rules/rootless-docker-socket.md"),
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
    is_rootless_socket(path)
}

pub(super) fn is_rootless_socket(path: &HostPath) -> bool {
    let uid = path
        .as_str()
        .strip_prefix("/run/user/")
        .and_then(|rest| rest.strip_suffix("/docker.sock"));
    uid.is_some_and(|uid| !uid.is_empty() && uid.bytes().all(|b| b.is_ascii_digit()))
}
