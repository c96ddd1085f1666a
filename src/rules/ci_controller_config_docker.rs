//! CLU902 ci-controller-config-docker: the configuration of a controller that makes Pods with Docker.

use super::place;
use crate::finding::{Action, Certainty, Findings, Impact, Rule};
use crate::workload::Workload;
use crate::workload::pod::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "CLU902",
    name: "ci-controller-config-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a CI or workflow controller's configuration produces Pods that use Docker",
    reason: "the Pods that it makes need Docker",
    consequence: "every Pod that the controller makes from it depends on the node's Docker",
    short_fix: "change it at the source",
    fix: "Change the controller's setting: emissary for Argo, BuildKit or Buildah instead of a mounted socket for CI runners.",
    why: "The webhook sees these Pods one by one. The configuration is where all of them come from, so it is what has to change.",
    before: r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: example
data:
  config: |
    containerRuntimeExecutor: docker
"#,
    after: r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: example
data:
  config: |
    containerRuntimeExecutor: emissary
"#,
    not_flagged: "Configurations that only mention Docker's name.",
    references: &[
        "argoproj/argo-workflows: docs/workflow-executors.md",
        "https://docs.gitlab.com/runner/executors/kubernetes/",
    ],
    host_path: None,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for leaf in place::texts_of(workload, "ConfigMap") {
        if let Some(setting) = generates_docker_pods(&leaf.text) {
            findings.push(place::in_object(&RULE, workload, leaf, format!("sets {setting}"), setting));
        }
    }
    for leaf in ["RunnerDeployment", "RunnerSet"].iter().flat_map(|kind| place::texts_of(workload, kind)) {
        if leaf.path.ends_with("dockerdWithinRunnerContainer") && leaf.text == "false" {
            findings.push(place::in_object(&RULE, workload, leaf, "runs Docker beside the runner".to_owned(), "dockerdWithinRunnerContainer"));
        }
    }
}

/// The setting in `text` that makes a controller produce Pods that use the node's Docker.
fn generates_docker_pods(text: &str) -> Option<&'static str> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    if lines().any(|line| line.strip_prefix("containerRuntimeExecutor:").is_some_and(|value| value.trim() == "docker")) {
        return Some("containerRuntimeExecutor: docker");
    }
    // GitLab Runner's [[runners.kubernetes.volumes.host_path]], Jenkins' hostPathVolume.
    let mounts_socket = lines().any(|line| {
        let is_path = ["host_path", "hostPath", "volumes ="].iter().any(|key| line.starts_with(key));
        is_path && mentions(line, "/docker.sock")
    });
    mounts_socket.then_some("a mount of the Docker socket")
}
