//! DKR108 foreign-named-docker-socket: a docker.sock in an unusual directory of the node.

use super::host_paths;
use super::rootless_docker_socket::is_rootless_socket;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;

pub(super) static RULE: Rule = Rule {
    code: "DKR108",
    name: "foreign-named-docker-socket",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches a docker.sock outside the usual directories, or a socket \
        that the configuration names",
    reason: "absent on {nodes}",
    short_fix: "build with BuildKit/Buildah",
    page: include_str!("../../docs/rules/foreign-named-docker-socket.md"),
    host_path: Some(HostPathRule(Thing::Socket, matches)),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    if mount.is_named_socket && !matches(&mount.path) {
        return Some(host_paths::finding(&RULE, Thing::Socket, workload, mount));
    }
    host_paths::find(&RULE, workload, mount)
}

fn matches(path: &HostPath) -> bool {
    let usual = ["/run/docker.sock", "/run/docker/docker.sock"].contains(&path.as_str());
    path.file_name() == "docker.sock" && !usual && !is_rootless_socket(path)
}
