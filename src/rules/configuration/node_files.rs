//! Files of nodes that set Docker up, where they lie in a string: units, cloud-init, k3s,
//! kubespray, RKE.

use super::node_scripts::{DOCKER_PACKAGES, installs_docker, selecting_flag};
use crate::analysis::scripts::unit_commands;
use crate::analysis::settings::{Settings, maps, scalars};
use crate::embedded::{Language, Node};
use crate::workload::search::mentions;

/// A setting that brings Docker to a node.
pub(in crate::rules) struct Found<'n> {
    pub(in crate::rules) node: &'n Node,
    /// `sets …`, `requires …`.
    pub(in crate::rules) what: String,
    pub(in crate::rules) evidence: String,
    /// It names Docker, and nothing shows that the node needs it.
    pub(in crate::rules) is_hint: bool,
}

impl<'n> Found<'n> {
    pub(in crate::rules) fn new(node: &'n Node, what: String, evidence: &str) -> Self {
        Self {
            node,
            what,
            evidence: evidence.to_owned(),
            is_hint: false,
        }
    }

    fn hint(self) -> Self {
        Self {
            is_hint: true,
            ..self
        }
    }
}

/// What the file in `settings` sets. `of_installer` says that it lies in an object of an installer,
/// whose units run on its nodes.
pub(in crate::rules) fn found<'w>(settings: &Settings<'w>, of_installer: bool) -> Vec<Found<'w>> {
    let root = settings.root;
    // A machine of its own is none of the cluster's nodes.
    if settings.object_kind().starts_with("VirtualMachine") {
        return Vec::new();
    }
    let mut found = k3s(root);
    found.extend(playbooks(root));
    // TOML takes short units, too.
    if matches!(settings.language, Some(Language::Sections | Language::Toml)) {
        found.extend(unit(root, of_installer));
    }
    let begins_as_cloud_init = settings
        .text()
        .is_some_and(|text| text.starts_with("#cloud-config"));
    if begins_as_cloud_init || root.get("runcmd").is_some() && root.get("packages").is_some() {
        found.extend(cloud_init(root));
    }
    found
}

/// A systemd unit or drop-in, and environment files of such.
fn unit(root: &Node, of_installer: bool) -> Vec<Found<'_>> {
    let is_docker = |word: &&str| matches!(*word, "docker.service" | "docker.socket");
    let mut found = Vec::new();
    for (key, node, text) in scalars(root) {
        let unit = text.split_whitespace().find(is_docker);
        match (key, unit) {
            // Without Docker's unit it does not start.
            ("BindsTo" | "Requires" | "Requisite", Some(unit)) => {
                found.push(Found::new(node, format!("requires {unit}"), unit));
            }
            ("After" | "Before" | "PartOf" | "Wants", Some(unit)) => {
                found.push(Found::new(node, format!("names {unit}"), unit).hint());
            }
            _ => {}
        }
        // A long command goes on over several lines, each of which reads as a setting.
        let line = format!("{key}={text}");
        let flag = selecting_flag(if key.starts_with('-') { &line } else { text });
        found.extend(flag.map(|flag| Found::new(node, format!("sets {flag}"), &flag)));
    }
    let commands = unit_commands(root).into_iter();
    for (offset, command) in commands.filter(|(_, command)| mentions(command, "docker")) {
        let program = command.split_whitespace().next().unwrap_or_default();
        let is_daemon = program.rsplit('/').next() == Some("dockerd");
        // What a unit of the cluster's own runs is a command (DKR401).
        let act = Some(()).filter(|()| of_installer && !is_daemon);
        let act = act.and_then(|()| installs_docker(command));
        let node = scalars(root)
            .into_iter()
            .find(|(_, node, _)| (node.offset..=node.offset + 2).contains(&offset));
        let Some((_, node, _)) = node else { continue };
        found.extend(act.map(|act| Found::new(node, format!("runs \"{act}\""), &act)));
        let daemon = Some(node).filter(|_| is_daemon);
        found.extend(daemon.map(|node| Found::new(node, "runs dockerd".into(), "dockerd").hint()));
    }
    found
}

/// The configuration of k3s: `docker: true` beside one of its other settings.
fn k3s(root: &Node) -> Vec<Found<'_>> {
    const OTHERS: [&str; 12] = [
        "cluster-cidr",
        "cluster-init",
        "data-dir",
        "disable",
        "flannel-backend",
        "kube-apiserver-arg",
        "kubelet-arg",
        "node-label",
        "server",
        "tls-san",
        "token",
        "write-kubeconfig-mode",
    ];
    let docker = root
        .get("docker")
        .filter(|node| node.text() == Some("true"));
    let docker = docker.filter(|_| OTHERS.iter().any(|key| root.get(key).is_some()));
    let found = docker.map(|node| Found::new(node, "sets docker to true".into(), "docker: true"));
    found.into_iter().collect()
}

/// Variables of kubespray, and the configuration of RKE, which runs Kubernetes in Docker.
fn playbooks(root: &Node) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let manager = root.get("container_manager");
    if let Some(manager) = manager.filter(|node| node.text() == Some("docker")) {
        let what = "sets container_manager to docker".to_owned();
        found.push(Found::new(manager, what, "container_manager: docker"));
    }
    let rke = ["ignore_docker_version", "rancher_kubernetes_engine_config"];
    for name in rke {
        let node = root.get(name);
        let what = format!("sets {name} of RKE, which runs on Docker");
        found.extend(node.map(|node| Found::new(node, what, name)));
    }
    found
}

/// The first start of a machine: packages, files, commands.
fn cloud_init(root: &Node) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for package in root.texts_of("packages") {
        let name = package.text().unwrap_or_default();
        let name = name.split('=').next().unwrap_or_default();
        if DOCKER_PACKAGES.contains(&name) {
            found.push(Found::new(package, format!("installs {name}"), name));
        }
    }
    found.extend(written_files(root));
    for command in ["bootcmd", "runcmd"].iter().filter_map(|key| root.get(key)) {
        for command in command.elements() {
            // A list is the words of one command.
            let words = command.elements().iter().filter_map(Node::text);
            let line = words.collect::<Vec<_>>().join(" ");
            let act = installs_docker(&line);
            found.extend(act.map(|act| Found::new(command, format!("runs \"{act}\""), &act)));
        }
    }
    found
}

/// Files of dockerd that are written to a node: `path` with `content`, or with `contents` as
/// Ignition has it.
pub(in crate::rules) fn written_files(root: &Node) -> Vec<Found<'_>> {
    let maps = maps(root).into_iter().map(|(_, map)| map);
    let files = maps.filter(|map| map.get("content").or(map.get("contents")).is_some());
    let paths = files.filter_map(|map| map.get("path"));
    let paths = paths.filter_map(|path| Some((path, path.text()?)));
    let of_docker = paths.filter(|(_, text)| text.starts_with("/etc/docker/"));
    let found = of_docker.map(|(path, text)| Found::new(path, format!("writes {text}"), text));
    found.collect()
}
