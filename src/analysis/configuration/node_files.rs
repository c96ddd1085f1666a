//! Files of nodes that set Docker up, where they lie in a string: units, cloud-init, k3s,
//! kubespray, RKE, Ansible.

use super::node_scripts::{
    Act, DOCKER_PACKAGES, K3S_VARIABLE, PACKAGERS, installs_docker, is_docker_endpoint,
    selecting_flag, selections, selects_docker_for_k3s,
};
use crate::analysis::scripts::unit_command;
use crate::analysis::settings::{Settings, maps, scalars};
use crate::embedded::{Language, Node, Value};
use crate::workload::search::mentions;

/// A setting that brings Docker to a node.
pub(crate) struct Found<'n> {
    pub(crate) node: &'n Node,
    /// Where in the text of the node it stands.
    pub(crate) inside: usize,
    /// `sets …`, `requires …`.
    pub(crate) what: String,
    pub(crate) evidence: String,
    /// It names Docker, and nothing shows that the node needs it.
    pub(crate) is_hint: bool,
}

impl<'n> Found<'n> {
    pub(crate) fn new(node: &'n Node, what: String, evidence: &str) -> Self {
        Self {
            node,
            inside: 0,
            what,
            evidence: evidence.to_owned(),
            is_hint: false,
        }
    }

    /// What a script in `node` does.
    pub(crate) fn act(node: &'n Node, (act, inside): Act) -> Self {
        Self {
            inside: inside.unwrap_or_default(),
            ..Self::new(node, format!("runs \"{act}\""), &act)
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
pub(crate) fn found<'w>(settings: &Settings<'w>, of_installer: bool) -> Vec<Found<'w>> {
    let root = settings.root;
    // A machine of its own is none of the cluster's nodes.
    if settings.object_kind().starts_with("VirtualMachine") {
        return Vec::new();
    }
    let mut found = k3s(root);
    found.extend(playbooks(root));
    // Ignition, and Butane, from which it is made.
    if root.get("ignition").or(root.get("systemd.units")).is_some() {
        let maps = maps(root).into_iter();
        found.extend(maps.filter_map(|(_, map)| switched_on(map)));
        found.extend(written_files(root));
    }
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
        let is_command = key.starts_with("Exec");
        let flag = selecting_flag(text).filter(|_| !is_command);
        found.extend(flag.map(|flag| Found::new(node, format!("sets {flag}"), &flag)));
        if is_command && mentions(text, "docker") {
            found.extend(command(node, text, of_installer));
        }
    }
    found
}

/// A unit of Docker that is switched on or changed.
pub(super) fn switched_on(map: &Node) -> Option<Found<'_>> {
    let name = map.get("name")?;
    let unit = name.text()?;
    let is_docker = matches!(unit, "docker.service" | "docker.socket");
    let is_off = map.text_of("enabled") == Some("false") || map.text_of("mask") == Some("true");
    let is_set = ["enabled", "contents", "dropins"]
        .iter()
        .any(|key| map.get(key).is_some());
    (is_docker && is_set && !is_off).then(|| Found::new(name, format!("sets up {unit}"), unit))
}

/// The command of a unit, which stands in `node`.
fn command<'n>(node: &'n Node, text: &str, of_installer: bool) -> Vec<Found<'n>> {
    let command = unit_command(text);
    let program = command.split_whitespace().next().unwrap_or_default();
    if program.rsplit('/').next() == Some("dockerd") {
        return vec![Found::new(node, "runs dockerd".into(), "dockerd").hint()];
    }
    // What else a unit of the cluster's own runs is a command (DKR401).
    let acts = match of_installer {
        true => installs_docker(command),
        false => selections(command),
    };
    let marks = text.len() - command.len();
    let acts = acts.into_iter();
    let acts = acts.map(|(act, at)| (act, at.map(|at| at + marks)));
    acts.map(|act| Found::act(node, act)).collect()
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

/// Variables of kubespray at any level of an inventory, the configuration of RKE, which runs
/// Kubernetes in Docker, and what kubeadm is given without a kind.
fn playbooks(root: &Node) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (key, node, text) in scalars(root) {
        match key {
            "container_manager" if text == "docker" => {
                let what = "sets container_manager to docker".to_owned();
                found.push(Found::new(node, what, "container_manager: docker"));
            }
            K3S_VARIABLE if selects_docker_for_k3s(text) => {
                found.push(Found::new(node, format!("sets {key} to \"{text}\""), key));
            }
            _ => {}
        }
    }
    let sockets = maps(root).into_iter();
    let sockets = sockets.filter_map(|(_, map)| map.get("nodeRegistration.criSocket"));
    let sockets = sockets.filter_map(|node| Some((node, node.text()?)));
    let sockets = sockets.filter(|(_, text)| is_docker_endpoint(text));
    found.extend(
        sockets.map(|(node, text)| Found::new(node, format!("sets criSocket to {text}"), text)),
    );
    found.extend(rke(root));
    found.extend(tasks(root));
    found
}

/// Tasks of Ansible, alone or in a playbook, that install Docker or start its unit. Source:
/// docs.ansible.com, ansible.builtin.
fn tasks(root: &Node) -> Vec<Found<'_>> {
    const SERVICES: [&str; 4] = ["service", "systemd", "systemd_service", "sysvinit"];
    let mut found = Vec::new();
    let is_list = matches!(root.value, Value::List(_));
    for (key, module) in maps(root).into_iter().filter(|_| is_list) {
        let name = key.rsplit('.').next().unwrap_or_default();
        let is_off = matches!(module.text_of("state"), Some("absent" | "stopped"));
        let is_docker = |text: &str| {
            let is_package = name == "package" || PACKAGERS.contains(&name);
            SERVICES.contains(&name) && matches!(text, "docker" | "docker.service")
                || is_package && DOCKER_PACKAGES.contains(&text)
        };
        for node in module.texts_of("name").into_iter().filter(|_| !is_off) {
            let text = node.text().filter(|text| is_docker(text));
            found.extend(text.map(|text| Found::new(node, format!("sets up {text}"), text)));
        }
    }
    found
}

/// A file of RKE: a setting that only it has, or hosts with the roles of a cluster.
fn rke(root: &Node) -> Option<Found<'_>> {
    const ROLES: [&str; 3] = ["controlplane", "etcd", "worker"];
    let names = ["ignore_docker_version", "rancher_kubernetes_engine_config"];
    let setting = names.iter().find_map(|name| Some((root.get(name)?, *name)));
    let is_role = |node: &&Node| node.text().is_some_and(|text| ROLES.contains(&text));
    let hosts = || {
        let nodes = root.get("nodes")?;
        let mut hosts = nodes.elements().iter();
        hosts.find(|host| {
            let mut roles = host
                .texts_of("role")
                .into_iter()
                .chain(host.texts_of("roles"));
            host.get("address").is_some() && roles.any(|role| is_role(&role))
        })
    };
    let (node, name) = setting.or_else(|| Some((hosts()?, "nodes")))?;
    let what = format!("sets {name} of RKE, which runs on Docker");
    Some(Found::new(node, what, name))
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
            let is_text = command.text().is_some();
            let acts = installs_docker(&line).into_iter();
            let acts = acts.map(|(act, at)| (act, at.filter(|_| is_text)));
            found.extend(acts.map(|act| Found::act(command, act)));
        }
    }
    found
}

/// Files of dockerd that are written to a node: `path` with `content`, or with `contents` as
/// Ignition has it.
pub(crate) fn written_files(root: &Node) -> Vec<Found<'_>> {
    let maps = maps(root).into_iter().map(|(_, map)| map);
    let files = maps.filter(|map| map.get("content").or(map.get("contents")).is_some());
    let paths = files.filter_map(|map| map.get("path"));
    let paths = paths.filter_map(|path| Some((path, path.text()?)));
    let of_docker = paths.filter(|(_, text)| text.starts_with("/etc/docker/"));
    let found = of_docker.map(|(path, text)| Found::new(path, format!("writes {text}"), text));
    found.collect()
}
