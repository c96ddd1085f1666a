//! DKR105 docker-windows-pipe: Docker's named pipe in a Windows Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR105",
    name: "docker-windows-pipe",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches \\\\.\\pipe\\docker_engine",
    reason: "absent on {nodes}",
    short_fix: "use containerd's pipe",
    page: include_str!("../../docs/rules/docker-windows-pipe.md"),
    host_path: Some(HostPathRule(Thing::Socket, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    // The second and third are Docker Desktop's for its two kinds of containers.
    matches!(
        path.as_str(),
        "/pipe/docker_engine" | "/pipe/docker_engine_windows" | "/pipe/docker_engine_linux"
    )
}
