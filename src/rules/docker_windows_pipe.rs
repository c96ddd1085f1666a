//! DKR105 docker-windows-pipe: Docker's named pipe in a Windows Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR105",
    name: "docker-windows-pipe",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches \\\\.\\pipe\\docker_engine",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "use containerd's pipe",
    page: include_str!("../../docs/rules/docker-windows-pipe.md"),
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
    path.as_str() == "/pipe/docker_engine"
}
