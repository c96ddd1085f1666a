//! DKR306 runtime-selector-docker: a setting that chooses Docker as the container runtime.

use super::signals;
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR306",
    name: "runtime-selector-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a flag or variable that selects Docker as the container runtime",
    reason: "no Docker to select on {nodes}",
    consequence: "the tool looks for Docker's API and finds none",
    short_fix: "select the new runtime",
    fix: "Set it to the new runtime, or remove it where the tool finds the runtime by itself.",
    why: "Chaos tools, probes and installers take the runtime as a setting, and for several of them docker is the default of old releases.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/chaos:1
    args: ["--runtime", "docker"]
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/chaos:1
    args: ["--runtime", "containerd"]
"#,
    not_flagged: "docker as a value of anything else.",
    references: &[
        "chaos-mesh/chaos-mesh: helm/chaos-mesh/values.yaml",
        "litmuschaos/litmus: mkdocs",
        "weaveworks/scope: examples/k8s/ds.yaml",
    ],
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        for (field, shown) in signals::runtime_selectors(container) {
            let path = format!("{}.{field}", pod.container_path(container));
            findings.push(Finding::in_container(
                &RULE,
                container,
                format!("sets {shown}"),
                path,
                &shown,
            ));
        }
    }
}
