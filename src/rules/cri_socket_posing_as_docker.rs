//! DKR107 cri-socket-posing-as-docker: a socket of one protocol mounted under the name of another.

use super::host_paths;
use crate::analysis::Workload;
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule, Thing};
use crate::workload::pod::HostMount;

pub(super) static RULE: Rule = Rule {
    code: "DKR107",
    name: "cri-socket-posing-as-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a containerd or CRI-O socket is mounted as docker.sock, or the reverse",
    reason: "another protocol: it cannot work",
    consequence: "containerd and CRI-O speak gRPC, Docker clients speak HTTP",
    short_fix: "stop renaming the socket",
    page: include_str!("../../docs/rules/cri-socket-posing-as-docker.md"),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    poses(mount).then(|| {
        host_paths::finding(&RULE, Thing::Socket, workload, mount)
            .what(format!("mounts {} as {}", mount.path, mount.mount_path))
            .rule_texts()
    })
}

/// True if host path and mount path name sockets of different protocols.
fn poses(mount: &HostMount<'_>) -> bool {
    let mounted = mount.mount_path.rsplit('/').next().unwrap_or_default();
    let is_cri = |name: &str| matches!(name, "containerd.sock" | "crio.sock");
    (is_cri(mount.path.file_name()) && mounted == "docker.sock")
        || (mount.path.file_name() == "docker.sock" && is_cri(mounted))
}
