//! Configuration from which a controller makes Pods that use the node's Docker: pod templates,
//! runners' volumes, executors.

use std::collections::HashSet;

use super::log_inputs::is_off;
use crate::analysis::endpoint::BRIDGE_ADDRESSES;
use crate::analysis::settings::{Settings, maps, scalars};
use crate::analysis::{data_root, docker_usage, sockets};
use crate::embedded::{Language, Node, Value, is_prose};
use crate::workload::catalog::{self, ImageRole};
use crate::workload::host_path::HostPath;
use crate::workload::image::ImageReference;
use crate::workload::search::mentions;
use crate::workload::shell;

/// A setting, the words for it, and what shows it.
pub(crate) struct Found<'n> {
    pub(crate) node: &'n Node,
    pub(crate) what: String,
    pub(crate) evidence: String,
    /// Docker may not be meant: the directory above its socket, a machine that may be none of the
    /// cluster's.
    pub(crate) is_doubtful: bool,
}

impl<'n> Found<'n> {
    fn sets(node: &'n Node, setting: String) -> Self {
        Self {
            node,
            what: format!("sets {setting}"),
            evidence: setting,
            is_doubtful: false,
        }
    }

    fn mounts(node: &'n Node, path: &str) -> Self {
        Self {
            node,
            what: format!("mounts {path} into the Pods that it makes"),
            evidence: path.to_owned(),
            is_doubtful: HostPath::new(path).as_str() == "/run",
        }
    }
}

/// Everything in `root` that gives Pods the node's Docker.
pub(crate) fn docker_pods<'w>(settings: &Settings<'w>) -> Vec<Found<'w>> {
    let mut found = Vec::new();
    let is_chaos = settings.kind().contains("Chaos");
    settings.root.walk(&mut |key, node| {
        found.extend(host_path(key, node));
        found.extend(gitlab_host_path(key, node));
        found.extend(parameter(node));
        found.extend(docker_host_variable(node));
        found.extend(executor(key, node));
        found.extend(json_patch(node));
        found.extend(executed(node));
        // A list of executors under its key, which can be the key of the whole string.
        let key = if key.is_empty() { settings.key() } else { key };
        let in_list = key == "containerRuntimeExecutors";
        let name = node
            .get("name")
            .filter(|name| in_list && name.text() == Some("docker"));
        found.extend(name.map(|name| Found::sets(name, format!("{key}: docker"))));
        if is_chaos {
            found.extend(chaos(node));
            found.extend(killed_daemon(key, node));
        }
    });
    let texts = scalars(settings.root).into_iter();
    for (key, node, text) in texts.filter(|(key, ..)| !is_prose(key)) {
        found.extend(bind(text).map(|path| Found::mounts(node, path)));
        let is_chart_value = key.ends_with("hostPath.path") && is_docker(text);
        found.extend(is_chart_value.then(|| Found::mounts(node, text)));
        // Alloy's exporters ask Docker themselves.
        if settings.language != Some(Language::Blocks) {
            found.extend(docker_host(key, node, text));
        }
    }
    if is_of_chart(settings) {
        found.extend(chart_runtimes(settings.root));
    }
    if is_of_chart(settings) || settings.is_object() {
        found.extend(runtimes(settings.root, is_of_chart(settings)));
    }
    if settings.kind() == "Kustomization" {
        let images = settings.root.all("images").into_iter();
        found.extend(images.flat_map(Node::elements).filter_map(docker_image));
    }
    if settings.kind() == "ConfigManagementPlugin" {
        for (_, map) in maps(settings.root) {
            found.extend(docker_call(map));
        }
    }
    let off = switched_off(settings.root);
    found.retain(|found| !off.contains(&std::ptr::from_ref(found.node)));
    found.sort_by_key(|found| found.node.offset);
    found.dedup_by(|a, b| a.node.offset == b.node.offset);
    found
}

/// What stands in a map that is switched off: `docker: {enabled: false, hostPath: …}`.
fn switched_off(root: &Node) -> HashSet<*const Node> {
    let mut found = HashSet::new();
    for (_, map) in maps(root).into_iter().filter(|(_, map)| is_off(map)) {
        map.walk(&mut |_, node| {
            found.insert(std::ptr::from_ref(node));
        });
    }
    found
}

/// True for a path on which the node's Docker answers, or for the directory above it.
fn is_docker(path: &str) -> bool {
    let path = HostPath::new(path);
    path.as_str().starts_with('/') && (sockets::is_docker_socket(&path) || path.as_str() == "/run")
}

/// A volume of a pod template: `hostPath: {path: …}`, the plugin's form with the path alone, and
/// Drone's `host: {path: …}`.
fn host_path<'n>(key: &str, node: &'n Node) -> Option<Found<'n>> {
    let is_map = matches!(node.value, Value::Map(_));
    let is_host_path = key.trim_matches(['=', '(', ')']) == "hostPath" || key == "host" && is_map;
    let path = match &node.value {
        Value::Map(_) => node.get("path")?,
        Value::Scalar(_) => node,
        Value::List(_) => return None,
    };
    let text = path.text()?;
    (is_host_path && is_docker(text)).then(|| Found::mounts(path, text))
}

/// `[[runners.kubernetes.volumes.host_path]]` of GitLab Runner; without `host_path` the mount path
/// is meant.
fn gitlab_host_path<'n>(key: &str, node: &'n Node) -> Option<Found<'n>> {
    let is_volume = key == "host_path" && !node.entries().is_empty();
    let path = node.get("host_path").or_else(|| node.get("mount_path"))?;
    let text = path.text()?;
    (is_volume && is_docker(text)).then(|| Found::mounts(path, text))
}

/// A parameter of a chart (`name: extraVolumes[0].hostPath.path`).
fn parameter(node: &Node) -> Option<Found<'_>> {
    let name = node.text_of("name")?;
    let value = node.get("value")?;
    let text = value.text()?;
    (name.ends_with("hostPath.path") && is_docker(text)).then(|| Found::mounts(value, text))
}

/// A JSON patch that puts a path into a volume (`path: /spec/…/hostPath/path`).
fn json_patch(node: &Node) -> Option<Found<'_>> {
    let path = node.text_of("path")?;
    let value = node.get("value")?;
    let text = value.text()?;
    let brings = matches!(node.text_of("op"), Some("add" | "replace"));
    let is_host_path = brings && path.ends_with("/hostPath/path");
    (is_host_path && is_docker(text)).then(|| Found::mounts(value, text))
}

/// `SOURCE:TARGET` with Docker's socket as the source, anywhere in a value: volumes of a runner,
/// `-v` in its options.
fn bind(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.contains('\n') || !text.contains(":/") {
        return None;
    }
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '"' | '\''));
    let sources = words.filter_map(|word| word.split_once(":/").map(|(source, _)| source));
    sources.into_iter().find(|source| is_docker(source))
}

/// Settings of controllers that choose Docker or its socket by name.
fn executor<'n>(key: &str, node: &'n Node) -> Option<Found<'n>> {
    let text = node.text();
    let setting = match (key, text) {
        ("containerRuntimeExecutor", Some("docker")) => format!("{key}: docker"),
        ("dockerSockPath", Some(path)) => format!("{key}: {path}"),
        ("exposeDockerSocket", Some("true")) => format!("{key}: true"),
        _ => return None,
    };
    Some(Found::sets(node, setting))
}

/// The address of the node's Docker, given to what a runner starts: as a setting, or as
/// `DOCKER_HOST=…` in a list.
fn docker_host<'n>(key: &str, node: &'n Node, text: &str) -> Option<Found<'n>> {
    let address = match key {
        "DOCKER_HOST" | "docker_host" => text.trim(),
        _ => text.trim().strip_prefix("DOCKER_HOST=")?,
    };
    is_node_address(address).then(|| Found::sets(node, format!("DOCKER_HOST={address}")))
}

/// The same as a variable of a pod template: `name: DOCKER_HOST` with its value, in Jenkins' form
/// `key: DOCKER_HOST`.
fn docker_host_variable(node: &Node) -> Option<Found<'_>> {
    let name = node.text_of("name").or_else(|| node.text_of("key"))?;
    let value = node.get("value")?;
    let address = value.text().filter(|_| name == "DOCKER_HOST")?;
    is_node_address(address).then(|| Found::sets(value, format!("DOCKER_HOST={address}")))
}

/// True for an address at which the node's Docker answers.
pub(super) fn is_node_address(address: &str) -> bool {
    address.strip_prefix("unix://").is_some_and(is_docker)
        || BRIDGE_ADDRESSES
            .iter()
            .any(|bridge| host_of(address) == *bridge)
}

/// The host of `tcp://HOST:PORT`.
fn host_of(address: &str) -> &str {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    address.split([':', '/']).next().unwrap_or_default()
}

/// An image that kustomize puts in place of another.
fn docker_image(image: &Node) -> Option<Found<'_>> {
    let name = image.get("newName")?;
    let tag = image.text_of("newTag").unwrap_or_default();
    let reference = ImageReference::parse(name.text()?);
    let is_client = matches!(
        catalog::image_role(&reference)?,
        ImageRole::Docker | ImageRole::Client | ImageRole::DockerOnly
    );
    (is_client && !mentions(tag, "dind")).then(|| {
        Found::sets(
            name,
            format!("newName: {}", name.text().unwrap_or_default()),
        )
    })
}

/// A command of Argo CD's plugins that runs Docker in the repository server.
fn docker_call(map: &Node) -> Option<Found<'_>> {
    let words = ["command", "args"].iter().flat_map(|key| map.texts_of(key));
    let words: Vec<&Node> = words.collect();
    let calls = shell::read_argv(words.iter().filter_map(|word| word.text()));
    let call = calls.iter().find_map(docker_usage::docker_verb)?;
    let node = words
        .iter()
        .find(|word| word.text().is_some_and(|text| mentions(text, "docker")))?;
    Some(Found {
        node,
        what: format!("runs \"docker {call}\""),
        evidence: format!("docker {call}"),
        is_doubtful: false,
    })
}

/// Variables and matchers of a chaos experiment, and the experiment that stops Docker.
fn chaos(node: &Node) -> Option<Found<'_>> {
    let name = node.get("name")?;
    if name.text() == Some("docker-service-kill") {
        return Some(Found::sets(name, "docker-service-kill".to_owned()));
    }
    let variable = name.text()?;
    let values = node.texts_of("value").into_iter();
    let mut values = values.filter_map(|value| Some((value, value.text()?)));
    values.find_map(|(value, text)| {
        let path = HostPath::new(text);
        let is_runtime = catalog::selects_runtime(variable) || variable == "container-runtime";
        let selects = is_runtime && text.eq_ignore_ascii_case("docker");
        // Litmus' older library, which asks Docker alone.
        let is_pumba = variable == "LIB" && text == "pumba";
        let reaches = text.starts_with('/')
            && (sockets::is_docker_socket(&path) || data_root::below_data_root(&path).is_some());
        (selects || is_pumba || reaches).then(|| Found::sets(value, format!("{variable}={text}")))
    })
}

/// An experiment that stops dockerd's process, on a machine that may be none of the cluster's.
fn killed_daemon<'n>(key: &str, node: &'n Node) -> Option<Found<'n>> {
    let process = node.get("process").filter(|_| key == "process")?;
    let name = process.text().filter(|name| *name == "dockerd")?;
    Some(Found {
        is_doubtful: true,
        ..Found::sets(process, format!("process: {name}"))
    })
}

/// A command that a scenario runs on a node. Source: powerfulseal/powerfulseal: docs (policies).
fn executed(node: &Node) -> Option<Found<'_>> {
    let command = node.get("execute.cmd")?;
    let calls = shell::read_script(command.text()?);
    let call = calls.iter().find_map(docker_usage::docker_verb)?;
    Some(Found {
        node: command,
        what: format!("runs \"docker {call}\""),
        evidence: format!("docker {call}"),
        is_doubtful: false,
    })
}

/// Values of charts that select the runtime of a chaos tool. Sources: chaos-mesh/chaos-mesh:
/// helm/chaos-mesh, steadybit/extension-container: charts, gremlin/helm.
const CHART_RUNTIMES: [&str; 4] = [
    "chaosDaemon.runtime",
    "container.engine",
    "container.runtime",
    "gremlin.container.driver",
];

/// True for the values of a chart: in an object of a GitOps tool, or as a file.
fn is_of_chart(settings: &Settings<'_>) -> bool {
    const KINDS: [&str; 5] = [
        "Application",
        "ApplicationSet",
        "HelmChart",
        "HelmChartConfig",
        "HelmRelease",
    ];
    KINDS.contains(&settings.object_kind()) || settings.key().starts_with("values")
}

/// The runtime by a name that leaves no doubt, as charts spell it: `container_runtime`. The GPU
/// operator has had no use for its `defaultRuntime` since 1.9, and its chart still sets it: outside
/// of charts only that counts, and it is doubtful. Source: docs.nvidia.com, installing the GPU
/// operator 22.9.
fn runtimes(root: &Node, is_of_chart: bool) -> Vec<Found<'_>> {
    let all = scalars(root).into_iter();
    let docker = all.filter(|(_, _, text)| *text == "docker");
    let found = docker.filter_map(|(key, node, text)| {
        let letters = key.chars().filter(|c| !matches!(c, '_' | '-'));
        let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        let is_default = name == "defaultruntime";
        let is_named = is_of_chart && matches!(&*name, "containerengine" | "containerruntime");
        let found = Found::sets(node, format!("{key}: {text}"));
        (is_default || is_named).then_some(Found {
            is_doubtful: is_default,
            ..found
        })
    });
    found.collect()
}

fn chart_runtimes(root: &Node) -> Vec<Found<'_>> {
    let is_docker = |text: &str| matches!(text, "docker" | "docker-linux" | "docker-runc");
    let mut found = Vec::new();
    for (_, map) in maps(root) {
        let values = CHART_RUNTIMES.iter().map(|name| (*name, map.get(name)));
        let parameter = map.text_of("name").map(|name| (name, map.get("value")));
        let is_known = |(name, _): &(&str, _)| CHART_RUNTIMES.contains(name);
        let all = values.chain(parameter.filter(is_known));
        for (name, value) in all {
            let text = value.and_then(Node::text).filter(|text| is_docker(text));
            let set = value.zip(text);
            found.extend(set.map(|(value, text)| Found::sets(value, format!("{name}: {text}"))));
        }
    }
    found
}

/// True for a policy whose patterns are those of what it refuses or lets through.
pub(crate) fn is_refusing_policy(document: &Settings<'_>) -> bool {
    is_policy(document) && !mutates(document)
}

/// True for a policy of admission; operators call settings of their own so, too.
fn is_policy(document: &Settings<'_>) -> bool {
    const CONTENTS: [&str; 5] = [
        "spec.exceptions",
        "spec.policies",
        "spec.rules",
        "spec.settings",
        "spec.validations",
    ];
    let mut contents = CONTENTS.iter();
    document.kind().contains("Policy") && contents.any(|field| document.root.get(field).is_some())
}

/// A policy that changes or makes objects makes what it holds for them.
fn mutates(document: &Settings<'_>) -> bool {
    let rules = document.root.get("spec.rules");
    rules.is_some_and(|rules| {
        rules
            .elements()
            .iter()
            .any(|rule| rule.get("mutate").is_some() || rule.get("generate").is_some())
    })
}
