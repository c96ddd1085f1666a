//! DKR103 cri-dockerd-socket-mount: the socket of cri-dockerd in a Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR103",
    name: "cri-dockerd-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches cri-dockerd.sock",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "mount the runtime's own CRI socket",
    fix: "Mount the CRI socket of the runtime that the nodes move to.",
    why: "cri-dockerd keeps Docker Engine behind the CRI. It is not touched by the removal of dockershim, but it leaves together with Docker.",
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
      mountPath: /var/run/cri-dockerd.sock
  volumes:
  - name: cri
    hostPath:
      path: /var/run/cri-dockerd.sock
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
    not_flagged: "Clusters whose target is cri-dockerd: the finding stays, with no more than a warning.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/migrate-dockershim-dockerd/",
        "Mirantis/cri-dockerd: packaging/systemd/cri-docker.socket",
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
    matches!(path.as_str(), "/run/cri-dockerd.sock" | "/pipe/cri-dockerd")
}
