//! DKR110 socket-parent-mount: a directory above the Docker socket, in a container that uses
//! Docker.

use super::host_paths;
use crate::analysis::{Workload, socket_use};
use crate::finding::{Certainty, Check, Finding, Impact, Rule, Thing};
use crate::workload::pod::HostMount;

pub(super) static RULE: Rule = Rule {
    code: "DKR110",
    name: "socket-parent-mount",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a hostPath volume on /, /var, /run or /run/user/UID, and something in the container \
        uses Docker through it",
    reason: "no Docker there on {nodes}",
    consequence: "the directory stays, the socket in it does not, so the container starts and \
        fails at its first call",
    short_fix: "drop the Docker client",
    page: include_str!("../../docs/rules/socket-parent-mount.md"),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    let user = socket_use::socket_parent_user(workload, mount)?;
    let finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
    let what = format!("{}, used by {user}", finding.what);
    Some(finding.what(what).rule_texts())
}
