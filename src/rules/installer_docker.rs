//! CLU901 installer-docker: an installer's object that selects Docker.

use crate::embedded::Node;
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::mentions::mentions;
use crate::workload::settings::{Settings, maps, scalars};
use crate::workload::shell::read_script;

pub(super) static RULE: Rule = Rule {
    code: "CLU901",
    name: "installer-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "an object of kOps, Cluster API, Karpenter or Gardener selects Docker for its nodes",
    reason: "its nodes come with Docker",
    consequence: "new nodes do not join from Kubernetes 1.24 on",
    short_fix: "select containerd",
    page: include_str!("../../docs/rules/installer-docker.md"),
    host_path: None,
    target: None,
    check: Check::Settings(check),
};

/// Objects of installers, and their files where they lie in a string.
const KINDS: [&str; 19] = [
    "AWSNodeTemplate",
    "Cluster",
    "ClusterConfig",
    "ClusterConfiguration",
    "EC2NodeClass",
    "InitConfiguration",
    "InstanceGroup",
    "JoinConfiguration",
    "KubeadmConfig",
    "KubeadmConfigTemplate",
    "KubeadmControlPlane",
    "KubeadmControlPlaneTemplate",
    "KubeletConfiguration",
    "MachineConfig",
    "MachineDeployment",
    "NodePool",
    "Provisioner",
    "RancherMachineConfig",
    "Shoot",
];

fn check(document: &Settings<'_>, findings: &mut Findings) {
    if !KINDS.contains(&document.kind()) {
        return;
    }
    let finding = |node: &Node, what: String, evidence: &str| {
        Finding::new(&RULE)
            .in_settings(document, node)
            .what(what)
            .evidence(evidence)
    };
    for (key, node, text) in scalars(document.root) {
        if let Some(setting) = selects_docker(key, text) {
            findings.push(finding(node, format!("sets {setting}"), text));
        } else if let Some(act) = installs_docker(text) {
            findings.push(finding(node, format!("runs \"{act}\""), &act));
        }
    }
    for (key, map) in maps(document.root) {
        // Gardener: `cri: {name: docker}`.
        let name = map.get("name").filter(|_| key == "cri");
        if let Some(name) = name.filter(|name| name.text() == Some("docker")) {
            findings.push(finding(name, "sets name to docker".to_owned(), "docker"));
        }
        // A file that is written to the node.
        let path = map.get("path").filter(|_| map.get("content").is_some());
        let path = path.and_then(|path| Some((path, path.text()?)));
        if let Some((path, text)) = path.filter(|(_, text)| text.starts_with("/etc/docker/")) {
            findings.push(finding(path, format!("writes {text}"), text));
        }
    }
}

/// The setting, if it selects Docker as the runtime.
fn selects_docker(key: &str, text: &str) -> Option<String> {
    let selects = match key {
        "containerRuntime" | "container-runtime" => matches!(text, "docker" | "dockerd"),
        "criSocket" | "containerRuntimeEndpoint" | "container-runtime-endpoint" => {
            ["dockershim", "cri-dockerd", "/docker.sock"]
                .iter()
                .any(|name| mentions(text, name))
        }
        _ => false,
    };
    selects.then(|| format!("{key} to {text}"))
}

/// What a command or a script for new nodes does with Docker.
fn installs_docker(text: &str) -> Option<String> {
    if !mentions(text, "docker") || !text.contains([' ', '\n']) {
        return None;
    }
    read_script(text).into_iter().find_map(|call| {
        let words = || call.arguments().iter().map(String::as_str);
        let program = call.program();
        let is_service = matches!(program, "systemctl" | "service")
            && words().any(|word| matches!(word, "docker" | "docker.service" | "docker.socket"));
        let verb = || {
            words()
                .find(|word| !word.starts_with('-'))
                .unwrap_or_default()
        };
        if is_service {
            return Some(format!("{program} {} docker", verb()));
        }
        if program == "docker" || program == "dockerd" {
            return Some(format!("{program} {}", verb()).trim_end().to_owned());
        }
        let flag = words().position(|word| word.starts_with("--container-runtime"))?;
        let rest = call.arguments().get(flag..)?;
        let value = rest[0].split_once('=').map(|(_, value)| value);
        let value = value.or_else(|| rest.get(1).map(String::as_str))?;
        matches!(value, "docker" | "dockerd")
            .then(|| format!("{program} --container-runtime {value}"))
    })
}
