//! Settings that make an agent ask Docker's API, found in the agent's configuration.

use std::collections::HashSet;

use super::installers::is_runtime_endpoint;
use super::log_inputs::{fluent_bit_inputs, is_off};
use crate::analysis::endpoint;
use crate::analysis::providers::switched_on;
use crate::analysis::settings::{Settings, maps, scalars};
use crate::analysis::sockets;
use crate::embedded::{Language, Node, Value};
use crate::workload::catalog;
use crate::workload::host_path::HostPath;

/// Inputs that stand as a key of a map: their name, and whose they are.
const SECTIONS: [(&str, &str); 11] = [
    ("inputs.docker", "Telegraf's docker input"),
    ("inputs.docker_log", "Telegraf's docker_log input"),
    ("docker_sd_configs", "Prometheus' discovery through Docker"),
    (
        "dockerswarm_sd_configs",
        "Prometheus' discovery through Docker",
    ),
    ("add_docker_metadata", "the add_docker_metadata processor"),
    ("providers.docker", "Traefik's docker provider"),
    ("providers.swarm", "Traefik's swarm provider"),
    ("discovery.docker", "Alloy's discovery through Docker"),
    ("loki.source.docker", "Alloy's docker source"),
    (
        "prometheus.exporter.cadvisor.docker_only",
        "Alloy's cAdvisor exporter for Docker alone",
    ),
    ("inputs.docker_events", "the docker_events input"),
];

/// Settings of charts and operators that give an agent Docker's socket: their name, and whose they
/// are.
const SOCKETS: [(&str, &str); 3] = [
    ("datadog.dockerSocketPath", "Datadog's Docker check"),
    ("global.dockerSocketPath", "Datadog's Docker check"),
    (
        "agents.containers.agent.dockerSocket",
        "Datadog's Docker check",
    ),
];

/// Inputs that are named by the value of a setting: key, value, and whose they are.
const NAMED: [(&str, &str, &str); 9] = [
    ("input_type", "docker", "the docker input"),
    ("module", "docker", "Metricbeat's docker module"),
    ("name", "nri-docker", "New Relic's Docker integration"),
    (
        "type",
        "docker-container-stats",
        "SignalFx' monitor of Docker",
    ),
    ("type", "docker_logs", "Vector's docker_logs source"),
    ("type", "docker_stats", "the docker_stats input"),
    ("type", "docker_observer", "the docker_observer extension"),
    ("type", "docker_log", "the docker_log input"),
    ("provider", "docker", "discovery through Docker"),
];

/// The same, where the words are common and the list in which the map stands decides: list, key,
/// value.
const LISTED: [(&str, &str, &str, &str); 3] = [
    (
        "config_providers",
        "name",
        "docker",
        "Datadog's provider for Docker",
    ),
    (
        "listeners",
        "name",
        "docker",
        "Datadog's listener for Docker",
    ),
    ("logs", "type", "docker", "Datadog's logs of type docker"),
];

/// What in `settings` makes an agent ask Docker's API, with its place.
pub(crate) fn docker_inputs<'w>(settings: &Settings<'w>) -> Vec<(&'w Node, String)> {
    let root = settings.root;
    let mut found: Vec<(&'w Node, &str)> = Vec::new();
    for input in fluent_bit_inputs(settings) {
        let plugins = [
            ("docker", "Fluent Bit's docker input"),
            ("docker_events", "Fluent Bit's docker_events input"),
        ];
        let name = input.get("name").filter(|_| is_on(input));
        let plugin = plugins.iter().find(|(plugin, _)| is(name, plugin));
        found.extend(plugin.and_then(|(_, what)| Some((name?, *what))));
    }
    for (list, map) in maps(root) {
        let sections = SECTIONS
            .iter()
            .filter_map(|(key, what)| Some((map.get(key)?, *what)));
        let sockets = SOCKETS
            .iter()
            .filter_map(|(key, what)| Some((map.get(key)?, *what)));
        let sockets = sockets.filter(|(node, _)| node.text().is_some_and(is_docker));
        let setting = |key: &str, value: &str| map.get(key).filter(|node| is(Some(node), value));
        let named = NAMED
            .iter()
            .filter_map(|(key, value, what)| Some((setting(key, value)?, *what)));
        let listed = LISTED.iter().filter_map(|(of, key, value, what)| {
            let setting = setting(key, value).filter(|_| list.eq_ignore_ascii_case(of));
            Some((setting?, *what))
        });
        let named = named.chain(listed).filter(|_| is_on(map));
        let sections = sections.filter(|(node, _)| node.elements().iter().any(is_on));
        found.extend(sections.chain(sockets).chain(named));
        found.extend(autodiscovery(list, map));
        found.extend(vector_sources(map));
        found.extend(collector(map));
    }
    // Datadog names a check by its file.
    let instances = root.get("instances").filter(|_| {
        matches!(settings.key(), "docker.yaml" | "docker.yml") && root.get("init_config").is_some()
    });
    found.extend(instances.map(|instances| (instances, "Datadog's Docker check")));
    let mut found: Vec<(&Node, String)> = found
        .into_iter()
        .map(|(node, what)| (node, what.to_owned()))
        .collect();
    found.extend(arguments_and_variables(root));
    if found.is_empty() {
        // Whatever the setting is called: an address of the node's Docker is asked.
        let is_alloy = settings.language == Some(Language::Blocks);
        let clients = addresses(root, is_alloy).into_iter();
        found.extend(clients.map(|node| (node, "a client of Docker's socket".to_owned())));
    }
    found.sort_by_key(|(node, _)| node.offset);
    found.dedup_by_key(|(node, _)| node.offset);
    found
}

/// Arguments and variables of agents that switch on what asks Docker: elements of lists in values
/// of charts, the data of a ConfigMap that a container takes its environment from, files of
/// variables.
fn arguments_and_variables(root: &Node) -> Vec<(&Node, String)> {
    let all = scalars(root);
    let flags = all.iter().filter_map(|(_, node, text)| {
        let (name, value) = text.trim().split_once('=').unwrap_or((text.trim(), ""));
        let setting = catalog::provider_flag(name.strip_prefix("--")?)?;
        Some((setting, *node, value))
    });
    let variables = variables(root, &all);
    let set = variables
        .iter()
        .filter_map(|(name, node, value)| Some((catalog::provider_variable(name)?, *node, *value)));
    let providers = switched_on(flags).into_iter().chain(switched_on(set));
    let providers = providers.map(|(setting, node, _)| (node, setting.provider.to_owned()));
    let selecting = variables.iter();
    let selecting = selecting.filter(|(name, _, value)| catalog::selects_docker(name, value));
    let selecting = selecting.map(|(name, node, _)| (*node, format!("Docker in {name}")));
    providers.chain(selecting).collect()
}

/// The variables that `root`, whose scalars are `all`, sets: keys with a value, `name` and `value`
/// of a container's environment, `NAME=VALUE` in a list.
fn variables<'n>(
    root: &'n Node,
    all: &[(&'n str, &'n Node, &'n str)],
) -> Vec<(&'n str, &'n Node, &'n str)> {
    let is_name = |name: &str| {
        let is_part = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        !name.is_empty() && name.bytes().all(is_part)
    };
    let keys = all.iter().copied();
    let pairs = all.iter().filter_map(|(_, node, text)| {
        let (name, value) = text.split_once('=')?;
        Some((name, *node, value))
    });
    let named = maps(root).into_iter().filter_map(|(_, map)| {
        let node = map.get("value")?;
        Some((map.text_of("name")?, node, node.text()?))
    });
    let found = keys.chain(pairs).chain(named);
    found.filter(|(name, _, _)| is_name(name)).collect()
}

/// Addresses of the node's Docker under any name.
fn addresses(root: &Node, is_alloy: bool) -> Vec<&Node> {
    let all = scalars(root).into_iter();
    let mut found: Vec<(&str, &Node)> = all
        .filter_map(|(key, node, text)| {
            let text = text.trim();
            // The value of a flag.
            let address = match text.split_once('=') {
                Some((flag, value)) if flag.starts_with('-') => value,
                _ => text,
            };
            is_docker(address.strip_prefix("unix://")?).then_some((key, node))
        })
        .collect();
    found.extend(socket_paths(root));
    if found.is_empty() {
        return Vec::new();
    }
    let place = |node: &Node| std::ptr::from_ref(node);
    let all = maps(root).into_iter();
    let off = all.flat_map(|(_, map)| {
        let own = Some(map).filter(|map| !is_on(map));
        let off = own.into_iter().chain(unused_components(map));
        off.chain(containers(map))
    });
    let off: HashSet<*const Node> = off
        .flat_map(scalars)
        .map(|(_, node, _)| place(node))
        .collect();
    // What a runner gives to its jobs is a finding of its own.
    let variables = maps(root).into_iter().filter(|(_, map)| {
        let mut names = ["name", "key"].iter().map(|name| map.text_of(name));
        names.any(|name| name == Some("DOCKER_HOST"))
    });
    let variables: HashSet<*const Node> = variables
        .filter_map(|(_, map)| map.get("value").map(place))
        .collect();
    found.retain(|(key, node)| {
        let is_variable = variables.contains(&place(node));
        let is_of_jobs = is_variable || key.eq_ignore_ascii_case("docker_host") && !is_alloy;
        !is_of_jobs && !is_runtime_endpoint(key) && !off.contains(&place(node))
    });
    found.into_iter().map(|(_, node)| node).collect()
}

/// Containers of a Pod: what they are given is judged by what the Pod mounts.
fn containers(map: &Node) -> impl Iterator<Item = &Node> {
    let lists = ["containers", "initContainers"].iter();
    let lists = lists.filter_map(|key| map.get(key));
    let all = lists.filter(|list| matches!(list.value, Value::List(_)));
    let all = all.flat_map(|list| list.elements());
    all.filter(|container| container.get("image").is_some())
}

/// Paths of Docker's socket under a name that calls them so; none beside the socket of another
/// runtime, which the agent asks as well.
fn socket_paths(root: &Node) -> Vec<(&str, &Node)> {
    let is_socket = |key: &str| key.to_ascii_lowercase().contains("sock");
    let all = scalars(root).into_iter();
    let named = all.filter(|(key, _, _)| is_socket(key));
    // `dockerSocket: {path: …}`
    let inside = maps(root).into_iter().filter(|(key, _)| is_socket(key));
    let inside = inside.filter_map(|(_, map)| {
        let path = map.get("path")?;
        Some(("path", path, path.text()?))
    });
    let named: Vec<(&str, &Node, &str)> = named.chain(inside).collect();
    let is_other = |text: &str| {
        let other = ["/containerd.sock", "/crio.sock"];
        other.iter().any(|name| text.ends_with(name))
    };
    if named.iter().any(|(_, _, text)| is_other(text)) {
        return Vec::new();
    }
    // What a controller gives to its Pods is a finding of its own, and so is what joins nodes.
    let docker = named.into_iter().filter(|(key, _, text)| {
        *key != "dockerSockPath" && text.ends_with("/docker.sock") && is_docker(text)
    });
    docker.map(|(key, node, _)| (key, node)).collect()
}

fn is(node: Option<&Node>, text: &str) -> bool {
    let found = node.and_then(Node::text);
    found.is_some_and(|found| found.trim().eq_ignore_ascii_case(text))
}

fn is_docker(path: &str) -> bool {
    sockets::is_docker_socket(&HostPath::new(path.trim()))
}

/// False for an input that is switched off, and for one that asks daemons on other hosts.
fn is_on(input: &Node) -> bool {
    const ADDRESSES: [&str; 8] = [
        "address",
        "addresses",
        "docker_endpoint",
        "docker_host",
        "endpoint",
        "endpoints",
        "host",
        "hosts",
    ];
    let is_off = is(Some(input), "false") || is_off(input);
    let addresses: Vec<&Node> = ADDRESSES
        .iter()
        .flat_map(|key| input.texts_of(key))
        .collect();
    let is_remote = |address: &&Node| address.text().is_some_and(endpoint::is_remote);
    let is_elsewhere = !addresses.is_empty() && addresses.iter().all(is_remote);
    !is_off && !is_elsewhere
}

/// `autodiscover.providers: [{type: docker}]` of Beats; what Filebeat finds so is a log input
/// (DKR701).
fn autodiscovery<'n>(key: &str, map: &'n Node) -> Option<(&'n Node, &'static str)> {
    if key == "filebeat" {
        return None;
    }
    let beats = [
        "autodiscover.providers",
        "metricbeat.autodiscover.providers",
        "heartbeat.autodiscover.providers",
    ];
    let providers = beats.iter().find_map(|key| map.get(key))?.elements().iter();
    let mut docker = providers.filter(|provider| is(provider.get("type"), "docker"));
    let provider = docker.find(|provider| is_on(provider))?;
    Some((provider.get("type")?, "autodiscovery through Docker"))
}

/// A source of Vector by its name before 0.12.
fn vector_sources(map: &Node) -> Option<(&Node, &'static str)> {
    let mut sources = map.get("sources")?.entries().iter();
    sources.find_map(|(_, source)| {
        let kind = source.get("type")?;
        (is(Some(kind), "docker") && is_on(source)).then_some((kind, "Vector's docker source"))
    })
}

/// Components of the OpenTelemetry collector, named `TYPE` or `TYPE/NAME`, which count where its
/// service names them.
fn collector(map: &Node) -> Vec<(&Node, &'static str)> {
    let used = components(map).filter(|(_, component, is_used)| *is_used && is_on(component));
    let found = used.filter_map(|(name, component, _)| match name.split('/').next()? {
        "docker_stats" => Some((component, "the docker_stats receiver")),
        "docker_observer" => Some((component, "the docker_observer extension")),
        "resourcedetection" => {
            let mut detectors = component.texts_of("detectors").into_iter();
            let docker = detectors.find(|node| is(Some(node), "docker"))?;
            Some((docker, "the docker detector"))
        }
        _ => None,
    });
    found.collect()
}

/// Components that the service of their collector does not name: it does not start them.
fn unused_components(map: &Node) -> impl Iterator<Item = &Node> {
    let unused = components(map).filter(|(_, _, is_used)| !is_used);
    unused.map(|(_, component, _)| component)
}

/// The components of a collector, and whether its service names them; of one without a service all
/// are used.
fn components(map: &Node) -> impl Iterator<Item = (&str, &Node, bool)> {
    let service = map.get("service").map(scalars);
    let names = service.map(|words| words.iter().map(|(_, _, text)| *text).collect());
    let names: Option<HashSet<&str>> = names;
    let components = ["receivers", "extensions", "processors"]
        .into_iter()
        .flat_map(|kind| map.all(kind))
        .flat_map(Node::entries);
    components.map(move |(name, component)| {
        let is_used = names
            .as_ref()
            .is_none_or(|names| names.contains(name.as_str()));
        (name.as_str(), component, is_used)
    })
}
