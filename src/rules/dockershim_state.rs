//! DKR505 dockershim-state: the state of dockershim or cri-dockerd in a Pod.

use super::host_paths;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;

pub(super) static RULE: Rule = Rule {
    code: "DKR505",
    name: "dockershim-state",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /var/lib/dockershim or /var/lib/cri-dockerd",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "use the CRI or the API",
    page: include_str!("../../docs/rules/dockershim-state.md"),
    host_path: Some(HostPathRule {
        thing: Thing::Directory,
        matches,
    }),
    target: None,
    check: Check::HostPath(check),
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    host_paths::find(&RULE, workload, mount)
}

fn matches(path: &HostPath) -> bool {
    path.is_within("/var/lib/dockershim") || path.is_within("/var/lib/cri-dockerd")
}
