//! DKR104 docker-private-socket-mount: dockerd's runtime directory in a Pod.

use crate::finding::{Certainty, Check, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;

pub(super) static RULE: Rule = Rule {
    code: "DKR104",
    name: "docker-private-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a hostPath volume reaches /var/run/docker or a socket below it",
    reason: "absent on {nodes}",
    short_fix: "mount the runtime's own socket",
    page: include_str!("../../docs/rules/docker-private-socket-mount.md"),
    host_path: Some(HostPathRule(Thing::Socket, matches)),
    check: Check::MatchingPath,
    ..Rule::BASE
};

fn matches(path: &HostPath) -> bool {
    path.is_within("/run/docker") && !path.is_within("/run/docker/netns")
}
