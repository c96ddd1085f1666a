//! DKR507 docker-daemon-log: dockerd's log file in a Pod.

use super::host_paths;
use crate::finding::{Action, Certainty, Findings, HostPathRule, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR507",
    name: "docker-daemon-log",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a hostPath volume reaches a log file of dockerd",
    reason: "not written on {nodes}",
    consequence: "",
    short_fix: "read the runtime's unit log",
    fix: "Read the journal of the new runtime's unit (containerd or crio).",
    why: "dockerd's own log ends with dockerd. Monitors that watch it for errors go quiet, which looks like health.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: log
      mountPath: /var/log/docker.log
  volumes:
  - name: log
    hostPath:
      path: /var/log/docker.log
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
    - name: log
      mountPath: /var/log/journal
  volumes:
  - name: log
    hostPath:
      path: /var/log/journal
"#,
    not_flagged: "/var/log as a whole.",
    references: &["kubernetes/node-problem-detector: config/docker-monitor-filelog.json"],
    host_path: Some(HostPathRule {
        thing: Thing::File,
        matches,
    }),
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    host_paths::check(&RULE, workload, findings);
}

fn matches(path: &HostPath) -> bool {
    [
        "/var/log/docker.log",
        "/var/log/upstart/docker.log",
        "/var/log/docker",
    ]
    .iter()
    .any(|log| path.is_within(log))
}
