//! Objects of installers: kOps, Cluster API, Karpenter, Gardener, Rancher, KubeOne, GKE.

use super::node_files::{self, Found};
use super::node_scripts::{installs_docker, is_docker_endpoint, selections};
use crate::analysis::settings::{Settings, maps, scalars};
use crate::embedded::Node;
use crate::workload::search::mentions;

/// Objects of installers, and their files where they lie in a string.
const KINDS: [&str; 18] = [
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
    match is_installer(document) {
        true => of_installer(document.root),
        false if document.is_object() && !holds_files(document) => of_nodes(document),
        false => node_files::found(document, KINDS.contains(&document.object_kind())),
    }
}

/// True for an object of an installer. Those of Cluster API's providers are many.
fn is_installer(document: &Settings<'_>) -> bool {
    let version = document.root.text_of("apiVersion").unwrap_or_default();
    let is_provider = ["bootstrap.", "controlplane."]
        .iter()
        .any(|role| version.starts_with(role) && version.contains("cluster.x-k8s.io/"));
    KINDS.contains(&document.kind()) || is_provider
}

/// True for an object whose texts are files and variables of others.
fn holds_files(document: &Settings<'_>) -> bool {
    matches!(document.kind(), "ConfigMap" | "Secret")
}

/// Scripts in any other object that make Docker the runtime of a node: user data of machines.
fn of_nodes<'w>(document: &Settings<'w>) -> Vec<Found<'w>> {
    let texts = scalars(document.root).into_iter();
    let scripts = texts.filter(|(_, _, text)| text.contains('\n') && mentions(text, "docker"));
    let acts = scripts.flat_map(|(_, node, text)| {
        let acts = selections(text).into_iter();
        acts.map(move |act| Found::act(node, act))
    });
    acts.collect()
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
        found.extend(node_files::switched_on(map));
    }
    found.extend(dockerd_of_kops(root));
    found.extend(node_files::written_files(root));
    found
}

/// Relations of units, as kOps' hooks name them.
const ORDERS: [&str; 2] = ["requires", "bindsTo"];

/// The settings of dockerd in a cluster of kOps, which another runtime leaves unread.
fn dockerd_of_kops(root: &Node) -> Option<Found<'_>> {
    let is_kops = root.text_of("apiVersion")?.starts_with("kops.k8s.io/");
    let docker = root.get("spec.docker").filter(|_| is_kops)?;
    let runtime = root.text_of("spec.containerRuntime").unwrap_or("docker");
    (runtime == "docker").then(|| Found::new(docker, "sets up dockerd".into(), "docker"))
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
        _ if is_runtime_endpoint(key) => is_docker_endpoint(text),
        _ => false,
    };
    selects.then(|| format!("{key} to {text}"))
}

/// True for a setting of kubelet or kubeadm that names the socket of the node's runtime.
pub(super) fn is_runtime_endpoint(key: &str) -> bool {
    matches!(
        key,
        "criSocket" | "containerRuntimeEndpoint" | "container-runtime-endpoint"
    )
}
