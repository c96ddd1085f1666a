//! Inputs of log agents that read nothing but the files that Docker writes, found in an agent's
//! configuration.
//!
//! Docker's json-file driver writes one JSON object a line below its data root; containerd and
//! CRI-O write the CRI format (time, stream, tag, text) below `/var/log/pods`. An input that can
//! read both is no dependency.

mod fluent;
mod journal;
mod others;
mod unparsed;

use crate::analysis::settings::{Settings, maps};
use crate::embedded::Node;

pub(crate) use fluent::fluent_bit_inputs;
pub(crate) use journal::{Unit, docker_units};
pub(crate) use unparsed::{DIRECTORY, named_directory};

/// Where an input shows that it reads Docker's files only, and what shows it.
pub(crate) type Found<'n> = (&'n Node, &'static str);

/// The inputs of `documents`, which are those of one object, that read Docker's files only, each
/// with its document.
pub(crate) fn docker_only<'s, 'w>(
    documents: &'s [Settings<'w>],
) -> Vec<(&'s Settings<'w>, Found<'w>)> {
    // Parsers stand in a file of their own.
    let own: Vec<(String, bool)> = documents.iter().flat_map(fluent::parsers).collect();
    let mut all = Vec::new();
    for settings in documents {
        let inputs = fluent_bit_inputs(settings).into_iter();
        let inputs = inputs.filter_map(|input| fluent::fluent_bit(input, &own));
        let mut found: Vec<Found<'w>> = inputs.chain(fluent::fluentd(settings)).collect();
        for (key, map) in maps(settings.root) {
            let input = others::input(key, map).or_else(|| docker_directory(key, map));
            found.extend(input.filter(|_| !is_off(map)));
        }
        // An input of several settings is found once.
        found.sort_by_key(|(node, _)| node.offset);
        found.dedup_by_key(|(node, _)| node.offset);
        all.extend(found.into_iter().map(|found| (settings, found)));
    }
    all
}

/// True for an input, or any other setting, that is switched off.
pub(super) fn is_off(map: &Node) -> bool {
    is(map.get("enabled"), "false") || is(map.get("disabled"), "true")
}

/// The maps that stand under one of `names`, at any level.
fn named<'n>(root: &'n Node, names: &[&str]) -> Vec<&'n Node> {
    let is_named = |key: &str| names.iter().any(|name| key.eq_ignore_ascii_case(name));
    maps(root)
        .into_iter()
        .filter_map(|(key, map)| is_named(key).then_some(map))
        .collect()
}

/// Words of settings that name files.
const PATH_KEYS: [&str; 10] = [
    "path",
    "paths",
    "file",
    "files",
    "include",
    "include_paths",
    "__path__",
    "replacement",
    "filename",
    "glob",
];

/// The files that `map` reads.
fn paths(map: &Node) -> Vec<&Node> {
    PATH_KEYS.iter().flat_map(|key| map.texts_of(key)).collect()
}

fn is_docker_directory(path: &Node) -> bool {
    path.text()
        .is_some_and(|path| path.contains("/docker/containers"))
}

fn is_log_directory(path: &Node) -> bool {
    let text = path.text().unwrap_or_default();
    text.contains("/log/containers") || text.contains("/log/pods")
}

/// Any agent's input that reads from Docker's directory and not from kubelet's.
fn docker_directory<'n>(key: &str, map: &'n Node) -> Option<Found<'n>> {
    // What is only left out or mounted is not read.
    let is_read = !key.to_ascii_lowercase().contains("exclu")
        && key != "hostPath"
        && map.get("hostPath").is_none();
    let paths = paths(map);
    // Splunk's forwarder names the files in the header of a section.
    let monitors_docker = key.starts_with("monitor://") && key.contains("/docker/containers");
    if monitors_docker {
        return Some((map, "files of Docker's log directory only"));
    }
    let from_docker = paths.iter().find(|path| is_docker_directory(path))?;
    let reads_pods = paths.iter().any(|path| is_log_directory(path));
    (is_read && !reads_pods).then_some((from_docker, "files of Docker's log directory only"))
}

fn is(node: Option<&Node>, text: &str) -> bool {
    node.and_then(Node::text)
        .is_some_and(|found| found.eq_ignore_ascii_case(text))
}
