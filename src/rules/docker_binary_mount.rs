//! DKR504 docker-binary-mount: the node's Docker programs in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::catalog;
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR504",
    name: "docker-binary-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches the docker, docker-compose or dockerd program of the node",
    reason: "not installed on {nodes}",
    short_fix: "use BuildKit/Buildah",
    page: include_str!("../../docs/rules/docker-binary-mount.md"),
    host_path: Some(HostPathRule(Thing::File, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    is_docker_program(path)
}

fn is_docker_program(path: &HostPath) -> bool {
    let directory = path.as_str().rsplit('/').nth(1).unwrap_or_default();
    let in_binaries = matches!(directory, "bin" | "sbin" | "cli-plugins");
    let is_windows_program = matches!(
        path.file_name(),
        "docker.exe" | "docker-compose.exe" | "dockerd.exe"
    );
    (in_binaries && catalog::DOCKER_PROGRAMS.contains(&path.file_name()))
        || is_windows_program
        || catalog::PROGRAM_DIRECTORIES
            .iter()
            .any(|directory| path.is_within(directory))
}
