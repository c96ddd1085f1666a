//! DKR507 docker-daemon-log: dockerd's log file in a Pod.

use crate::finding::{Action, Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR507",
    name: "docker-daemon-log",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    summary: "a hostPath volume reaches a log file of dockerd",
    reason: "not written on {nodes}",
    short_fix: "read the runtime's unit log",
    page: include_str!("../../docs/rules/docker-daemon-log.md"),
    host_path: Some(HostPathRule(Thing::File, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    [
        "/var/log/docker.log",
        "/var/log/upstart/docker.log",
        "/var/log/docker",
    ]
    .iter()
    .any(|log| path.is_within(log))
}
