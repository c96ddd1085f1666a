//! DKR101 docker-socket-mount: the node's Docker socket in a Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR101",
    name: "docker-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches the node's Docker socket",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "build with BuildKit/Buildah",
    page: include_str!("../../docs/rules/docker-socket-mount.md"),
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
    path.as_str() == "/run/docker.sock"
}
