//! DKR802 unprivileged-ping: ping without root and without NET_RAW.

use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::commands;
use crate::workload::pod::Container;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR802",
    name: "unprivileged-ping",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a non-root container without NET_RAW runs ping",
    reason: "may not ping on {nodes}",
    consequence: "Docker opens net.ipv4.ping_group_range to every group; containerd 1.x and CRI-O do not",
    short_fix: "use another probe",
    fix: "Probe with TCP or HTTP instead, or set the sysctl net.ipv4.ping_group_range in the Pod's securityContext.",
    why: "ping without NET_RAW needs the kernel's ping sockets, which Docker opens to all groups and other runtimes do not by default.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    livenessProbe:
      exec:
        command: ["ping", "-c", "1", "gateway"]
    securityContext:
      runAsUser: 1000
      capabilities:
        drop: ["ALL"]
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
"#,
    not_flagged: "Containers that keep NET_RAW or run as root.",
    references: &["containerd/containerd#6924", "kubernetes/kubernetes#102612"],
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    let may_not = |container: &&Container<'_>| {
        container.runs_without_root(pod) && container.drops_capability("NET_RAW")
    };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions().ping)
        .filter(may_not)
    {
        let calls = commands::read_naming(container.raw, "ping");
        if let Some(call) = calls
            .iter()
            .find(|call| call.invocation.program() == "ping")
        {
            let path = format!("{}.{}", pod.container_path(container), call.field);
            findings.push(Finding::in_container(
                &RULE,
                container,
                "runs ping without root".to_owned(),
                path,
                "ping",
            ));
        }
    }
}
