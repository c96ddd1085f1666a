//! DKR110 socket-parent-mount: a directory above the Docker socket, in a container that uses Docker.

use super::{host_paths, signals};
use crate::finding::{Certainty, Findings, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::pod::{HostMount, MountUser, Pod};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR110",
    name: "socket-parent-mount",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume on /, /var, /run or /var/run, and something in the container uses \
        Docker through it",
    reason: "no Docker there on {nodes}",
    consequence: "the directory stays, the socket in it does not, so the container starts and \
        fails at its first call",
    short_fix: "drop the Docker client",
    page: include_str!("../../docs/rules/socket-parent-mount.md"),
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    let is_used =
        |mount: &HostMount<'_>| host_paths::is_socket_parent(mount) && user(pod, mount).is_some();
    for mount in host_paths::first_uses(workload, is_used) {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        finding.what = format!(
            "{}, used by {}",
            finding.what,
            user(pod, mount).unwrap_or_default()
        );
        finding.reason = RULE.reason.to_owned();
        finding.consequence = RULE.consequence.to_owned();
        findings.push(finding);
    }
}

/// What in the mounting container uses Docker through `mount`.
fn user(pod: &Pod<'_>, mount: &HostMount<'_>) -> Option<String> {
    let MountUser::Container(index) = mount.user else {
        return None;
    };
    signals::docker_user(pod, &pod.containers[index], mount)
}
