//! DKR506 docker-run-state: dockerd's process file or network namespaces in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR506",
    name: "docker-run-state",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches /var/run/docker.pid or /var/run/docker/netns",
    reason: "absent on {nodes}",
    short_fix: "use /var/run/netns or the API",
    page: include_str!("../../docs/rules/docker-run-state.md"),
    host_path: Some(HostPathRule(Thing::Directory, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    path.as_str() == "/run/docker.pid" || path.is_within("/run/docker/netns")
}
