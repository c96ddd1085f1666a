//! DKR503 docker-config-dir: Docker's configuration in a Pod.

use super::host_paths;
use crate::finding::Thing;
use crate::finding::{Action, Certainty, Findings, HostPathRule, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;
use crate::workload::tables;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR503",
    name: "docker-config-dir",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /etc/docker or another configuration of dockerd",
    reason: "has no effect on {nodes}",
    consequence: "writers change nothing that the runtime reads, readers report on a daemon that is not there",
    short_fix: "configure the new runtime",
    fix: "Configure the runtime that is there: /etc/containerd (config.toml, certs.d) or /etc/containers (registries.conf).",
    why: "Registry mirrors, insecure registries and GPU runtimes that were set in daemon.json must be set again for the new runtime; scanners that read it check nothing.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: config
      mountPath: /etc/docker
  volumes:
  - name: config
    hostPath:
      path: /etc/docker
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
    - name: config
      mountPath: /etc/containerd
  volumes:
  - name: config
    hostPath:
      path: /etc/containerd
"#,
    not_flagged: "/etc as a whole, and /root/.docker or /kaniko/.docker, which hold registry credentials.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/check-if-dockershim-removal-affects-you/",
        "NVIDIA/gpu-operator: controllers/object_controls.go",
    ],
    host_path: Some(HostPathRule {
        thing: Thing::Directory,
        matches,
    }),
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let is_config = |mount: &HostMount<'_>| mount.claimed.is_none() && matches(&mount.path);
    for mount in host_paths::first_uses(workload, is_config) {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        if finding.consequence.contains("empty directory") {
            finding.consequence = RULE.consequence.to_owned();
        }
        findings.push(finding);
    }
}

fn matches(path: &HostPath) -> bool {
    tables::CONFIG_PATHS
        .iter()
        .any(|config| path.is_within(config))
}
