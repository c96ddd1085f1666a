//! DKR505 dockershim-state: the state of dockershim or cri-dockerd in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR505",
    name: "dockershim-state",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches /var/lib/dockershim or /var/lib/cri-dockerd",
    reason: "absent on {nodes}",
    short_fix: "use the CRI or the API",
    page: include_str!("../../docs/rules/dockershim-state.md"),
    host_path: Some(HostPathRule(Thing::Directory, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    path.is_within("/var/lib/dockershim") || path.is_within("/var/lib/cri-dockerd")
}
