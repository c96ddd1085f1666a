//! DKR104 docker-private-socket-mount: dockerd's runtime directory in a Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR104",
    name: "docker-private-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /var/run/docker or a socket below it",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "mount the runtime's own socket",
    fix: "Mount /run/containerd/containerd.sock for containerd's API, and use the Kubernetes API for everything else.",
    why: "/var/run/docker holds dockerd's embedded containerd, its plugin sockets and its network namespaces. All of them are made by dockerd at start and exist nowhere else.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: cri
      mountPath: /run/docker/containerd/containerd.sock
  volumes:
  - name: cri
    hostPath:
      path: /run/docker/containerd/containerd.sock
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
    - name: cri
      mountPath: /run/containerd/containerd.sock
  volumes:
  - name: cri
    hostPath:
      path: /run/containerd/containerd.sock
      type: Socket
"#,
    not_flagged: "/run/containerd/containerd.sock, the system's own containerd, which dockerd of distribution packages merely uses; /run/docker/netns is DKR506.",
    references: &[
        "kubescape/regolibrary: rules/containers-mounting-docker-socket",
        "moby/moby: libcontainerd/supervisor",
    ],
    host_path: Some(HostPathRule {
        thing: Thing::Socket,
        matches,
    }),
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    host_paths::check(&RULE, workload, findings);
}

fn matches(path: &HostPath) -> bool {
    path.is_within("/run/docker") && !path.is_within("/run/docker/netns")
}
