//! DKR506 docker-run-state: dockerd's process file or network namespaces in a Pod.

use super::host_paths;
use crate::finding::{Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR506",
    name: "docker-run-state",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /var/run/docker.pid or /var/run/docker/netns",
    reason: "absent on {nodes}",
    consequence: "",
    short_fix: "use /var/run/netns or the API",
    fix: "Network namespaces of other runtimes are below /var/run/netns; for process facts use the Kubernetes API.",
    why: "dockerd writes its process id and keeps the network namespaces of containers there. containerd and CRI-O use the CNI's directory.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: netns
      mountPath: /var/run/docker/netns
  volumes:
  - name: netns
    hostPath:
      path: /var/run/docker/netns
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
    - name: netns
      mountPath: /var/run/netns
  volumes:
  - name: netns
    hostPath:
      path: /var/run/netns
"#,
    not_flagged: "/var/run/netns.",
    references: &["moby/moby: libnetwork/osl"],
    host_path: Some(HostPathRule {
        thing: Thing::Directory,
        matches,
    }),
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    host_paths::check(&RULE, workload, findings);
}

fn matches(path: &HostPath) -> bool {
    path.as_str() == "/run/docker.pid" || path.is_within("/run/docker/netns")
}
