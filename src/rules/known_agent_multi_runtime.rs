//! DKR602 known-agent-multi-runtime: Docker's socket beside the socket of another runtime.

use super::{host_paths, signals};
use crate::finding::{Certainty, Findings, Impact, Reads, Rule, Thing};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR602",
    name: "known-agent-multi-runtime",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a container mounts the Docker socket beside a CRI socket, so that it does without Docker",
    reason: "a leftover beside the CRI socket",
    consequence: "the container finds the runtime by the socket that is there; the mount leaves an empty directory on nodes without Docker",
    short_fix: "drop the mount",
    fix: "Remove the mount of the Docker socket once no node runs Docker.",
    why: "Agents that support several runtimes mount all their sockets and use the one that answers. They survive the move; the Docker mount is then dead weight.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: agent
    image: registry.example/agent:1
    volumeMounts:
    - {name: docker, mountPath: /host/var/run/docker.sock}
    - {name: containerd, mountPath: /host/run/containerd/containerd.sock}
  volumes:
  - name: docker
    hostPath:
      path: /var/run/docker.sock
  - name: containerd
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
    - name: containerd
      mountPath: /run/containerd/containerd.sock
  volumes:
  - name: containerd
    hostPath:
      path: /run/containerd/containerd.sock
      type: Socket
"#,
    not_flagged: "A Docker mount of type Socket: it stops the Pod on nodes without Docker (DKR101).",
    references: &[
        "aquasecurity/tracee: deploy/kubernetes/tracee/tracee.yaml",
        "falcosecurity/charts: charts/falco/values.yaml",
    ],
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for mount in host_paths::first_uses(workload, |mount| {
        signals::is_leftover_beside_cri(pod, mount)
    }) {
        let mut finding = host_paths::finding(&RULE, Thing::Socket, workload, mount);
        finding.reason = RULE.reason.to_owned();
        finding.consequence = RULE.consequence.to_owned();
        findings.push(finding);
    }
}
