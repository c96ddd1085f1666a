//! DKR101 docker-socket-mount: the node's Docker socket in a Pod.

use super::host_paths;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;

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
    target: None,
    check: Check::HostPath(check),
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    host_paths::find(&RULE, workload, mount)
}

fn matches(path: &HostPath) -> bool {
    path.as_str() == "/run/docker.sock"
}
