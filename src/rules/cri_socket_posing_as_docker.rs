//! DKR107 cri-socket-posing-as-docker: a socket of one protocol mounted under the name of another.

use super::host_paths;
use crate::finding::Thing;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::pod::HostMount;

/// The declaration; messages, pages and metrics come from it.
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
    fix: "Give the tool the socket it speaks: a CRI-aware release for containerd or CRI-O, BuildKit or Buildah for builds.",
    why: "A Docker client speaks HTTP, containerd and CRI-O speak gRPC. Renaming the socket file does not translate, so every call fails already today.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: sock
      mountPath: /var/run/docker.sock
  volumes:
  - name: sock
    hostPath:
      path: /run/containerd/containerd.sock
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: sock
      mountPath: /run/containerd/containerd.sock
  volumes:
  - name: sock
    hostPath:
      path: /run/containerd/containerd.sock
      type: Socket
"#,
    not_flagged: "podman's socket, which serves Docker's API.",
    references: &[
        "k3s-io/k3s#2368",
        "https://gitlab.com/gitlab-org/gitlab/-/issues/428875",
    ],
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for mount in host_paths::first_uses(workload, poses) {
        let mut finding = host_paths::finding(&RULE, Thing::Socket, workload, mount);
        finding.what = format!("mounts {} as {}", mount.path, mount.mount_path);
        finding.reason = RULE.reason.to_owned();
        finding.consequence = RULE.consequence.to_owned();
        findings.push(finding);
    }
}

/// True if host path and mount path name sockets of different protocols.
fn poses(mount: &HostMount<'_>) -> bool {
    let mounted = mount.mount_path.rsplit('/').next().unwrap_or_default();
    let is_cri = |name: &str| matches!(name, "containerd.sock" | "crio.sock");
    (is_cri(mount.path.file_name()) && mounted == "docker.sock")
        || (mount.path.file_name() == "docker.sock" && is_cri(mounted))
}
