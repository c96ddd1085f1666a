//! CLU902 ci-controller-config-docker: the configuration of a controller that makes Pods with Docker.

use super::objects;
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;
use crate::workload::mentions::mentions;
use crate::workload::tables;

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
    page: include_str!("../../docs/rules/ci-controller-config-docker.md"),
    host_path: None,
    target: None,
    check: Check::Text(&["ChaosEngine", "ChaosExperiment", "ConfigMap"], check),
};

fn check(workload: &Workload<'_>, leaf: &Leaf) -> Option<Finding> {
    let (setting, line) = match workload.kind() {
        "ConfigMap" => setting_of_config(leaf)?,
        _ => (setting_of_experiment(workload, leaf)?, 0),
    };
    let finding = objects::finding(&RULE, workload, leaf)
        .what(format!("sets {setting}"))
        .evidence(&setting)
        .offset(line);
    Some(finding)
}

/// The setting in a ConfigMap that makes a controller produce Pods that use the node's Docker, and
/// where its line begins.
fn setting_of_config(leaf: &Leaf) -> Option<(String, usize)> {
    const EXECUTOR: &str = "containerRuntimeExecutor: docker";
    // Argo Workflows reads the key from the ConfigMap itself, too.
    if leaf.path == "data.containerRuntimeExecutor" && leaf.text == "docker" {
        return Some((EXECUTOR.to_owned(), 0));
    }
    let is_executor = |line: &str| {
        let value = line.strip_prefix("containerRuntimeExecutor:");
        value.is_some_and(|value| value.trim() == "docker")
    };
    let mut lines = objects::lines(&leaf.text);
    if let Some((at, _)) = lines.find(|(_, line)| is_executor(line)) {
        return Some((EXECUTOR.to_owned(), at));
    }
    let at = socket_mount(&leaf.text)?;
    Some(("a mount of the Docker socket".to_owned(), at))
}

/// The variable of a LitmusChaos object that selects Docker; `leaf` is its value.
fn setting_of_experiment(workload: &Workload<'_>, leaf: &Leaf) -> Option<String> {
    let variable = leaf.path.strip_suffix(".value")?;
    let name = workload.leaves.get(&format!("{variable}.name"))?;
    let selects = leaf.text == "docker" && tables::selects_runtime(name);
    selects.then(|| format!("{name}=docker"))
}

/// Where the line of `text` begins that mounts the Docker socket of the node into what a controller
/// makes: a host path of GitLab Runner's `[[runners.kubernetes.volumes.host_path]]` (where none is
/// written, the mount path is meant), a volume of its Docker executor, Jenkins' `hostPathVolume` in
/// YAML or XML, the volume of a pod template.
fn socket_mount(text: &str) -> Option<usize> {
    if !mentions(text, "docker.sock") {
        return None;
    }
    let (mut in_host_path, mut behind_key) = (false, false);
    for (at, line) in objects::lines(text) {
        if line.starts_with('[') {
            in_host_path = line.starts_with("[[runners.kubernetes.volumes.host_path");
        }
        let line = line.trim_start_matches("- ");
        let is_path = ["host_path", "hostPath", "volumes =", "<hostPath>"]
            .iter()
            .any(|key| line.starts_with(key))
            || (in_host_path && line.starts_with("mount_path"))
            || (behind_key && line.starts_with("path:"));
        if is_path && mentions(line, "/docker.sock") {
            return Some(at);
        }
        // `path` and `type` follow `hostPath:` in any order.
        behind_key = line == "hostPath:" || behind_key && line.starts_with("type:");
    }
    None
}
