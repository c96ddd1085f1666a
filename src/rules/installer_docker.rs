//! CLU901 installer-docker: an installer's object that selects Docker.

use super::configuration::node_files::{self, Found};
use super::configuration::node_scripts::{installs_docker, is_docker_endpoint, selections};
use super::objects;
use crate::analysis::Workload;
use crate::analysis::settings::{Settings, maps, scalars};
use crate::embedded::Node;
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};

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
    check: Check::Object(check),
};

/// Objects of installers, and their files where they lie in a string.
const KINDS: [&str; 22] = [
    "AWSNodeTemplate",
    "Cluster",
    "ClusterConfig",
    "ClusterConfiguration",
    "ContainerCluster",
    "ContainerNodePool",
    "EC2NodeClass",
    "InitConfiguration",
    "InstanceGroup",
    "JoinConfiguration",
    "KubeadmConfig",
    "KubeadmConfigTemplate",
    "KubeadmControlPlane",
    "KubeadmControlPlaneTemplate",
    "KubeOneCluster",
    "KubeletConfiguration",
    "MachineConfig",
    "MachineDeployment",
    "NodePool",
    "Provisioner",
    "RancherMachineConfig",
    "Shoot",
];

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for document in &workload.settings {
        let found = match KINDS.contains(&document.kind()) {
            true => of_installer(document.root),
            false if document.is_object() && !holds_files(document) => Vec::new(),
            false => node_files::found(document, KINDS.contains(&document.object_kind())),
        };
        findings.extend(found.into_iter().map(|found| {
            let (field, offset) = document.relate_to(found.node, found.inside);
            let finding = Finding::new(&RULE)
                .in_settings(document, found.node)
                .field(field)
                .what(found.what)
                .evidence(&found.evidence);
            let finding = match offset.filter(|_| found.inside > 0) {
                Some(offset) => finding.offset(offset),
                None => finding,
            };
            match found.is_hint {
                true => finding.advisory("it names Docker"),
                false => finding,
            }
        }));
    }
    for script in workload.scripts.iter().filter(|script| !script.is_unit()) {
        findings.extend(
            selections(&script.field.text)
                .into_iter()
                .map(|(act, offset)| {
                    let finding = objects::finding(&RULE, workload, script.field)
                        .what(format!("runs \"{act}\""))
                        .evidence(&act);
                    match offset {
                        Some(offset) => finding.offset(offset),
                        None => finding,
                    }
                }),
        );
    }
}

/// True for an object whose texts are files and variables of others.
fn holds_files(document: &Settings<'_>) -> bool {
    matches!(document.kind(), "ConfigMap" | "Secret")
}

/// What an installer's object sets.
fn of_installer(root: &Node) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (key, node, text) in scalars(root) {
        if let Some(setting) = selects_docker(key, text) {
            found.push(Found::new(node, format!("sets {setting}"), text));
        } else if ORDERS.contains(&key) && text == "docker.service" {
            found.push(Found::new(node, format!("{key} docker.service"), text));
        } else {
            let acts = installs_docker(text).into_iter();
            found.extend(acts.map(|act| Found::act(node, act)));
        }
    }
    for (key, map) in maps(root) {
        // Gardener: `cri: {name: docker}`.
        let name = map.get("name").filter(|_| key == "cri");
        let name = name.filter(|name| name.text() == Some("docker"));
        found.extend(name.map(|name| Found::new(name, "sets name to docker".into(), "docker")));
        // Rancher's first engine has no other runtime.
        let engine = map.get("rancherKubernetesEngineConfig");
        let what = "sets rancherKubernetesEngineConfig: RKE runs on Docker";
        found.extend(engine.map(|engine| Found::new(engine, what.into(), "RKE")));
        // KubeOne.
        let docker = map.get("containerRuntime.docker");
        let what = "sets containerRuntime to docker";
        found.extend(docker.map(|docker| Found::new(docker, what.into(), "docker")));
        found.extend(unit(map));
    }
    found.extend(node_files::written_files(root));
    found
}

/// Relations of units, as kOps' hooks name them.
const ORDERS: [&str; 2] = ["requires", "bindsTo"];

/// A unit of Docker that is switched on or changed.
fn unit(map: &Node) -> Option<Found<'_>> {
    let name = map.get("name")?;
    let unit = name.text()?;
    let is_docker = matches!(unit, "docker.service" | "docker.socket");
    let is_off = map.text_of("enabled") == Some("false") || map.text_of("mask") == Some("true");
    let is_set = ["enabled", "contents", "dropins"]
        .iter()
        .any(|key| map.get(key).is_some());
    (is_docker && is_set && !is_off).then(|| Found::new(name, format!("sets up {unit}"), unit))
}

/// The setting, if it selects Docker as the runtime.
fn selects_docker(key: &str, text: &str) -> Option<String> {
    let selects = match key {
        "containerManager" | "containerRuntime" | "container-runtime" => {
            matches!(text, "docker" | "dockerd")
        }
        // GKE: the images with containerd say so in their names.
        "imageType" => ["COS", "UBUNTU", "WINDOWS_LTSC", "WINDOWS_SAC"]
            .iter()
            .any(|image| image.eq_ignore_ascii_case(text)),
        "criSocket" | "containerRuntimeEndpoint" | "container-runtime-endpoint" => {
            is_docker_endpoint(text)
        }
        _ => false,
    };
    selects.then(|| format!("{key} to {text}"))
}
