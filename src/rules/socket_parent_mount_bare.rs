//! DKR111 socket-parent-mount-bare: a directory above the Docker socket, without a sign of Docker.

use super::{host_paths, signals};
use crate::finding::{Certainty, Findings, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::pod::{HostMount, MountUser};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR111",
    name: "socket-parent-mount-bare",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a hostPath volume on /, /var, /run or /var/run, with no sign of Docker",
    reason: "reaches the Docker socket",
    consequence: "nothing in the object shows that Docker is used; check the image once",
    short_fix: "mount only what is needed",
    page: include_str!("../../docs/rules/socket-parent-mount-bare.md"),
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let is_bare =
        |mount: &HostMount<'_>| host_paths::is_socket_parent(mount) && !is_used(workload, mount);
    for mount in host_paths::first_uses(workload, is_bare) {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        // The directory is on every node, whatever its runtime: no hostPath type fails.
        if mount.user != MountUser::Nobody {
            finding.impact = RULE.impact;
            finding.reason = RULE.reason.to_owned();
            finding.consequence = RULE.consequence.to_owned();
        }
        findings.push(finding);
    }
}

fn is_used(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    match (&workload.pod, mount.user) {
        (Some(pod), MountUser::Container(index)) => {
            signals::docker_user(pod, &pod.containers[index], mount).is_some()
        }
        _ => false,
    }
}
