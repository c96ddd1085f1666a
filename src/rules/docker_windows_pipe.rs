//! DKR105 docker-windows-pipe: Docker's named pipe in a Windows Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR105",
    name: "docker-windows-pipe",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches \\\\.\\pipe\\docker_engine",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "use containerd's pipe",
    fix: "Use \\\\.\\pipe\\containerd-containerd, or a HostProcess container for work on the node.",
    why: "The pipe is dockerd's API on Windows nodes. containerd listens on a pipe of its own and speaks another protocol.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: pipe
      mountPath: \\.\pipe\docker_engine
  volumes:
  - name: pipe
    hostPath:
      path: \\.\pipe\docker_engine
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
    - name: pipe
      mountPath: \\.\pipe\containerd-containerd
  volumes:
  - name: pipe
    hostPath:
      path: \\.\pipe\containerd-containerd
"#,
    not_flagged: "The pipes of CSI proxy and containerd.",
    references: &[
        "DataDog/helm-charts: test/datadog/baseline/manifests/default_all_windows.yaml",
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/migrating-telemetry-and-security-agents/",
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
    // The second and third are Docker Desktop's for its two kinds of containers.
    matches!(
        path.as_str(),
        "/pipe/docker_engine" | "/pipe/docker_engine_windows" | "/pipe/docker_engine_linux"
    )
}
