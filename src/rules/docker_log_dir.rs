//! DKR502 docker-log-dir: Docker's log directory in a Pod.

use super::{host_paths, signals};
use crate::finding::Thing;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::pod::{HostMount, MountUser};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR502",
    name: "docker-log-dir",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /var/lib/docker/containers",
    reason: "no logs there on {nodes}",
    consequence: "",
    short_fix: "read /var/log/pods",
    fix: "Mount /var/log and read /var/log/pods; check that the parser takes the CRI log format.",
    why: "Docker wrote the logs into its own directory, and /var/log/pods held links to it. containerd and CRI-O write real files into /var/log/pods. Beside /var/log the mount is a harmless leftover; alone it collects nothing.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: logs
      mountPath: /var/lib/docker/containers
  volumes:
  - name: logs
    hostPath:
      path: /var/lib/docker/containers
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
    - name: logs
      mountPath: /var/log/pods
  volumes:
  - name: logs
    hostPath:
      path: /var/log/pods
"#,
    not_flagged: "Nothing is refused: beside a mount of /var/log or /var/log/pods the finding is only recorded, unless its hostPath type stops the Pod.",
    references: &[
        "newrelic/helm-charts: charts/newrelic-logging/templates/daemonset.yaml",
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/migrating-telemetry-and-security-agents/",
    ],
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let is_log_dir =
        |mount: &HostMount<'_>| signals::below_data_root(&mount.path) == Some("containers");
    for mount in host_paths::first_uses(workload, is_log_dir) {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        let is_checked = matches!(&*mount.kind, "Directory" | "File" | "Socket");
        if !is_checked && mount.user != MountUser::Nobody && reads_new_logs(workload) {
            finding.certainty = Certainty::Possible;
            finding.impact = Impact::Advisory;
            finding.action = Some(Action::Record);
            finding.reason = "a leftover beside /var/log".to_owned();
            finding.consequence =
                "the logs are read from /var/log/pods; remove the mount".to_owned();
        }
        findings.push(finding);
    }
}

/// True if the Pod also mounts the directory into which every CRI runtime writes logs.
fn reads_new_logs(workload: &Workload<'_>) -> bool {
    // /var/log/containers alone holds links into /var/log/pods, so it does not count.
    let places = [
        "/var/log",
        "/var/log/pods",
        "/var",
        "/",
        "c:/var",
        "c:/var/log",
        "c:/var/log/pods",
    ];
    workload
        .host_mounts()
        .iter()
        .any(|mount| mount.user != MountUser::Nobody && places.contains(&mount.path.as_str()))
}
