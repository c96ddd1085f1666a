//! Settings that make an agent ask Docker's API, found in the agent's configuration.

use crate::embedded::Node;
use crate::rules::sockets;
use crate::workload::host_path::HostPath;
use crate::workload::settings::{Settings, maps, scalars};

/// Inputs that stand as a key of a map: their name, and whose they are.
const SECTIONS: [(&str, &str); 14] = [
    ("inputs.docker", "Telegraf's docker input"),
    ("inputs.docker_log", "Telegraf's docker_log input"),
    ("docker_sd_configs", "Prometheus' discovery through Docker"),
    (
        "dockerswarm_sd_configs",
        "Prometheus' discovery through Docker",
    ),
    ("add_docker_metadata", "the add_docker_metadata processor"),
    ("receivers.docker_stats", "the docker_stats receiver"),
    (
        "extensions.docker_observer",
        "the docker_observer extension",
    ),
    ("providers.docker", "Traefik's docker provider"),
    ("discovery.docker", "Alloy's discovery through Docker"),
    ("loki.source.docker", "Alloy's docker source"),
    ("datadog.dockerSocketPath", "Datadog's Docker check"),
    (
        "agents.containers.agent.dockerSocket",
        "Datadog's Docker check",
    ),
    ("sources.docker_logs", "Vector's docker_logs source"),
    ("inputs.docker_events", "the docker_events input"),
];

/// Inputs that are named by the value of a setting: key, value, and whose they are.
const NAMED: [(&str, &str, &str); 7] = [
    ("module", "docker", "Metricbeat's docker module"),
    ("name", "docker_events", "Fluent Bit's docker_events input"),
    ("type", "docker_stats", "the docker_stats input"),
    ("type", "docker_observer", "the docker_observer extension"),
    ("type", "docker_log", "the docker_log input"),
    ("input_type", "docker", "the docker input"),
    ("provider", "docker", "discovery through Docker"),
];

/// What in `settings` makes an agent ask Docker's API, with its place.
pub(in crate::rules) fn docker_inputs<'w>(settings: &Settings<'w>) -> Vec<(&'w Node, String)> {
    let mut found: Vec<(&'w Node, String)> = Vec::new();
    for (_, map) in maps(settings.root) {
        let sections = SECTIONS
            .iter()
            .filter_map(|(key, what)| Some((map.get(key)?, *what)));
        let named = NAMED.iter().filter_map(|(key, value, what)| {
            let setting = map.get(key)?;
            let is_set = setting.text()?.eq_ignore_ascii_case(value);
            is_set.then_some((setting, *what))
        });
        let is_on =
            |node: &Node| node.text() != Some("false") && node.text_of("enabled") != Some("false");
        let here = sections.chain(named).filter(|(node, _)| is_on(node));
        found.extend(here.map(|(node, what)| (node, what.to_owned())));
    }
    found.extend(
        scalars(settings.root)
            .into_iter()
            .filter_map(|(_, node, text)| {
                let flag = text.trim_start().strip_prefix("--providers.docker")?;
                let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
                let is_on = matches!(name, "" | ".endpoint") && value != "false";
                is_on.then(|| (node, "Traefik's docker provider".to_owned()))
            }),
    );
    if found.is_empty() {
        // Whatever the setting is called: an address of the node's Docker is asked.
        let variables: Vec<&Node> = maps(settings.root)
            .into_iter()
            .filter(|(_, map)| map.text_of("name") == Some("DOCKER_HOST"))
            .filter_map(|(_, map)| map.get("value"))
            .collect();
        let endpoints = scalars(settings.root).into_iter();
        found.extend(endpoints.filter_map(|(key, node, text)| {
            // What a runner gives to its jobs is a finding of its own.
            let is_variable = variables.iter().any(|value| std::ptr::eq(*value, node));
            if is_variable || key.eq_ignore_ascii_case("docker_host") {
                return None;
            }
            let path = text.trim().strip_prefix("unix://")?;
            let is_docker = sockets::is_docker_socket(&HostPath::new(path));
            is_docker.then(|| (node, "a client of Docker's socket".to_owned()))
        }));
    }
    found.sort_by_key(|(node, _)| node.offset);
    found.dedup_by_key(|(node, _)| node.offset);
    found
}
