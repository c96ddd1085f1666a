//! DKR402 docker-command-on-host: the node's own Docker client, called from a Pod.

use super::signals;
use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR402",
    name: "docker-command-on-host",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a container enters the node with nsenter or chroot and runs docker there",
    reason: "no docker on {nodes}",
    consequence: "the node has neither the client nor the daemon",
    short_fix: "use crictl on the node",
    fix: "Run crictl on the node, or use the Kubernetes API.",
    why: "nsenter into the namespaces of process 1, and chroot into the mounted root directory, run the node's programs. docker is not among them any more.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  hostPID: true
  containers:
  - name: clean
    image: registry.example/debian:12
    command: ["nsenter", "-t", "1", "-m", "--", "docker", "system", "prune", "-f"]
    securityContext:
      privileged: true
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  hostPID: true
  containers:
  - name: clean
    image: registry.example/debian:12
    command: ["nsenter", "-t", "1", "-m", "--", "crictl", "rmi", "--prune"]
    securityContext:
      privileged: true
"#,
    not_flagged: "nsenter and chroot with other programs; chroot into a directory of the container. Scripts that also handle crictl, ctr, nerdctl or podman are only recorded.",
    references: &[
        "Azure/AKS: examples/runc/downgraderunc.yaml",
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/check-if-dockershim-removal-affects-you/",
    ],
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions_docker())
    {
        let handles_others =
            signals::is_agent(container) && signals::handles_other_runtimes(container);
        let mut seen: Vec<String> = Vec::new();
        for command in container.commands() {
            let invocation = &command.invocation;
            let Some(way) = signals::way_to_node(pod, container, invocation) else {
                continue;
            };
            let Some(verb) = signals::docker_verb(invocation) else {
                continue;
            };
            let call = format!("{way} {} {verb}", invocation.program());
            if seen.contains(&call) {
                continue;
            }
            let field = format!("{}.{}", pod.container_path(container), command.field);
            let mut finding = Finding::in_container(
                &RULE,
                container,
                format!("runs \"{call}\" on the node"),
                field,
                &call,
            );
            if handles_others {
                signals::soften_for_other_runtimes(&mut finding);
            } else if way == "nsenter" && !pod.spec.host_pid.0 {
                finding.certainty = Certainty::Likely;
            }
            seen.push(call);
            findings.push(finding);
        }
    }
}
