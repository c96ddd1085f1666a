//! DKR101 docker-socket-mount: the node's Docker socket in a Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR101",
    name: "docker-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches the node's Docker socket",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "build with BuildKit/Buildah",
    fix: "Build images with rootless BuildKit or Buildah; inspect containers through the Kubernetes API or the CRI socket of the new runtime.",
    why: "Every call through the socket fails once dockerd is gone. Where dockerd stays installed beside the new runtime, calls succeed and show none of the cluster's containers, so monitors go blind without an error. A read-only mount changes nothing: the API behind the socket is not read-only. Whoever reaches the socket also controls the node.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: docker:27-cli
    volumeMounts:
    - name: sock
      mountPath: /var/run/docker.sock
  volumes:
  - name: sock
    hostPath:
      path: /var/run/docker.sock
      type: Socket
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: build
    image: moby/buildkit:rootless
    args: ["--addr", "unix:///run/user/1000/buildkit/buildkitd.sock"]
"#,
    not_flagged: "An emptyDir mounted at /var/run/docker.sock (Docker-in-Docker), files such as docker.sock.bak or docker.socket, and the sockets of containerd, CRI-O and podman. A volume that no container mounts is only recorded.",
    references: &[
        "https://kubernetes.io/blog/2020/12/02/dont-panic-kubernetes-and-docker/",
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/migrating-telemetry-and-security-agents/",
        "kubernetes/kubernetes: pkg/volume/hostpath/host_path.go",
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
    path.as_str() == "/run/docker.sock"
}
