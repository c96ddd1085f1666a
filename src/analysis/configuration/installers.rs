//! Objects of installers: kOps, Cluster API, Karpenter, Gardener, Rancher, KubeOne, GKE.

use super::node_files::{self, Found};
use super::node_scripts::{installs_docker, is_docker_endpoint};
use crate::analysis::settings::{Settings, maps, scalars};
use crate::embedded::Node;

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

/// What `document` sets: an object of an installer, or a file of nodes in a string.
pub(crate) fn found<'w>(document: &Settings<'w>) -> Vec<Found<'w>> {
    match KINDS.contains(&document.kind()) {
        true => of_installer(document.root),
        false if document.is_object() && !holds_files(document) => Vec::new(),
        false => node_files::found(document, KINDS.contains(&document.object_kind())),
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
