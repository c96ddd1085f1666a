//! DKR111 socket-parent-mount-bare: a directory above the Docker socket, without a sign of Docker.

use super::host_paths;
use crate::analysis::{Workload, socket_use, sockets};
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule, Thing};
use crate::workload::catalog;
use crate::workload::host_path::HostPath;
use crate::workload::pod::{HostMount, MountUser};

pub(super) static RULE: Rule = Rule {
    code: "DKR111",
    name: "socket-parent-mount-bare",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a hostPath volume on /, /var, /run or /run/user/UID, with no sign of Docker",
    reason: "reaches the Docker socket",
    consequence: "nothing in the object shows that Docker is used; check the image once",
    short_fix: "mount only what is needed",
    page: include_str!("../../docs/rules/socket-parent-mount-bare.md"),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    let is_used = || socket_use::socket_parent_user(workload, mount).is_some();
    if !mount.may_hold_socket() || is_used() {
        return None;
    }
    let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
    // The directory is on every node, whatever its runtime: no hostPath type fails.
    if mount.user != MountUser::Nobody {
        finding.impact = RULE.impact;
        finding = finding.rule_texts();
    }
    Some(if mount.open_below {
        finding
            .action(Action::Warn)
            .reason("a variable decides what is mounted")
    } else if is_at_default_path(workload, mount) {
        finding
            .action(Action::Warn)
            .reason("Docker's default socket path is the node's")
    } else if socket_use::leaves_file_open(workload, mount) {
        finding
            .action(Action::Warn)
            .reason("a script decides which file is used")
    } else {
        finding
    })
}

/// True if a client in the container that has `mount` finds the node's socket without any setting.
fn is_at_default_path(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    let (Some(pod), MountUser::Container(index)) = (&workload.pod, mount.user) else {
        return false;
    };
    let socket = HostPath::new("/var/run/docker.sock");
    let container = &pod.containers[index];
    let takes_another = || sockets::is_agent_of_several(container);
    mount.path.as_str() == "/run"
        && mount.mount_path == "/run"
        && !takes_another()
        && !catalog::is_network_plugin(container.image())
        && pod.host_path_at(container, &socket).as_ref() == Some(&socket)
}
