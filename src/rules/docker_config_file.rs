//! DKR508 docker-config-file: a file in an object that configures dockerd.

use crate::analysis::settings::{Settings, scalars};
use crate::embedded::Node;
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::search::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR508",
    name: "docker-config-file",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    summary: "an object holds a configuration file of dockerd: daemon.json, a unit or its drop-in",
    reason: "no daemon reads it on {nodes}",
    consequence: "it keeps its purpose only for a Docker daemon that runs in a Pod",
    short_fix: "configure the new runtime",
    page: include_str!("../../docs/rules/docker-config-file.md"),
    check: Check::Settings(check),
    ..Rule::BASE
};

/// Settings of daemon.json. Source: docker/docs: reference of dockerd.
const SETTINGS: [&str; 20] = [
    "bip",
    "cgroup-parent",
    "data-root",
    "default-address-pools",
    "default-runtime",
    "default-ulimits",
    "exec-opts",
    "exec-root",
    "graph",
    "insecure-registries",
    "live-restore",
    "log-driver",
    "log-opts",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "registry-mirrors",
    "storage-driver",
    "storage-opts",
    "userland-proxy",
    "userns-remap",
];

fn check(document: &Settings<'_>, findings: &mut Findings) {
    // What installers write to nodes is CLU901's.
    if document.is_object() {
        return;
    }
    let key = document.key();
    let found = daemon_settings(document.root, key == "daemon.json")
        .map(|node| (node, "daemon.json"))
        .or_else(|| unit(document.root, key).map(|node| (node, "a unit of Docker's service")))
        .or_else(|| options(document.root).map(|node| (node, "options of dockerd")));
    if let Some((node, file)) = found {
        findings.push(
            Finding::new(&RULE)
                .in_settings(document, node)
                .what(format!("holds {file}"))
                .evidence(file),
        );
    }
}

/// The first setting of daemon.json: of a file of that name, or one that has several.
fn daemon_settings(root: &Node, is_named: bool) -> Option<&Node> {
    let entries = root.entries().iter();
    let mut settings = entries.filter(|(key, _)| SETTINGS.contains(&key.as_str()));
    let (_, first) = settings.next()?;
    (is_named || settings.next().is_some()).then_some(first)
}

/// A variable that the daemon's service reads. Source: docker/docker-ce-packaging,
/// projectatomic/docker.
fn options(root: &Node) -> Option<&Node> {
    const VARIABLES: [&str; 4] = [
        "DOCKERD_OPTS",
        "DOCKER_NETWORK_OPTIONS",
        "DOCKER_OPTS",
        "DOCKER_STORAGE_OPTIONS",
    ];
    VARIABLES.iter().find_map(|name| root.get(name))
}

/// The section of a unit, or of a drop-in whose name says that it is Docker's.
fn unit<'n>(root: &'n Node, key: &str) -> Option<&'n Node> {
    let section = ["Service", "Socket"]
        .iter()
        .find_map(|name| root.get(name).filter(|node| !node.entries().is_empty()))?;
    let is_unit = |ending: &str| key.ends_with(ending);
    let is_named = match [".service", ".socket", ".timer"].into_iter().any(is_unit) {
        true => matches!(key, "docker.service" | "docker.socket"),
        false => key.split(['-', '.', '_']).any(|word| word == "docker"),
    };
    let starts_dockerd = || {
        scalars(section).into_iter().any(|(key, _, text)| {
            key == "ExecStart" && mentions(text, "dockerd") && !mentions(text, "cri-dockerd")
        })
    };
    (is_named || starts_dockerd()).then_some(section)
}
