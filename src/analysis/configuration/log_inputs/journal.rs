//! Inputs that read the journal of Docker's unit, which other runtimes have under another name, or
//! by the names that Docker's log driver for the journal writes.

use crate::analysis::settings::{Settings, maps, scalars};
use crate::embedded::Node;
use crate::workload::search::mentions;

/// A unit of Docker that an input asks the journal for.
pub(crate) struct Unit<'n> {
    pub(crate) node: &'n Node,
    /// The unit, or the field of Docker's log driver.
    pub(crate) name: &'static str,
    /// The input asks for other units as well, which go on.
    pub(crate) is_one_of_many: bool,
}

/// Docker's units in the filters of journal inputs: `_SYSTEMD_UNIT=docker.service`, `units:
/// [docker]`, `matches [{"_SYSTEMD_UNIT": "docker.service"}]`. `documents` are those of one object;
/// where one of its inputs asks for the unit of another runtime, they find what there is.
pub(crate) fn docker_units<'s, 'w>(
    documents: &'s [Settings<'w>],
) -> Vec<(&'s Settings<'w>, Unit<'w>)> {
    let is_docker = |unit: &str| matches!(unit, "docker" | "docker.service");
    let is_other = |unit: &str| unit.starts_with("containerd") || unit.starts_with("crio");
    let mut all = Vec::new();
    for settings in documents {
        let mut found: Vec<Unit<'w>> = Vec::new();
        for (key, map) in maps(settings.root) {
            let units = filters(key, map);
            if units.iter().any(|(_, unit)| is_other(unit)) {
                return Vec::new();
            }
            let docker = units.iter().find(|(_, unit)| is_docker(unit));
            found.extend(container(map).map(|node| Unit {
                node,
                name: "CONTAINER_NAME",
                is_one_of_many: false,
            }));
            found.extend(docker.map(|(node, _)| Unit {
                node,
                name: "docker.service",
                is_one_of_many: units.iter().any(|(_, unit)| !is_docker(unit)),
            }));
        }
        found.sort_by_key(|unit| unit.node.offset);
        found.dedup_by_key(|unit| unit.node.offset);
        all.extend(found.into_iter().map(|unit| (settings, unit)));
    }
    all
}

/// Settings that select entries of the journal.
const SETTINGS: [&str; 6] = [
    "filters",
    "include_matches",
    "include_matches.match",
    "matches",
    "systemd_filter",
    "systemdFilter",
];

/// A selection by the name of a container of Kubernetes, which Docker's log driver for the journal
/// writes. Source: docs.docker.com, journald logging driver.
fn container(map: &Node) -> Option<&Node> {
    let settings = SETTINGS.iter().flat_map(|name| map.all(name));
    let mut values = settings.flat_map(scalars);
    let is_name = |key: &str, text: &str| {
        let is_field = key == "CONTAINER_NAME" || mentions(text, "CONTAINER_NAME");
        is_field && mentions(text, "k8s_")
    };
    let found = values.find(|(key, _, text)| is_name(key, text));
    found.map(|(_, node, _)| node)
}

/// The units that `map`, a journal input under `key`, asks for.
fn filters<'n>(key: &str, map: &'n Node) -> Vec<(&'n Node, String)> {
    let mut found = Vec::new();
    for setting in SETTINGS.iter().flat_map(|name| map.all(name)) {
        for (_, node, text) in scalars(setting) {
            found.extend(units_in(text).map(|unit| (node, unit)));
        }
        // `include_matches: {match: ["_SYSTEMD_UNIT=x"]}` is among these, `_SYSTEMD_UNIT: x` is a
        // pair.
        for (_, inner) in maps(setting) {
            let pair = inner.get("_SYSTEMD_UNIT");
            found.extend(pair.and_then(|node| Some((node, node.text()?.to_owned()))));
        }
    }
    let is_journal = ["journald", "journal"]
        .iter()
        .any(|name| key.split('/').next() == Some(*name) || map.text_of("type") == Some(*name));
    if is_journal {
        let units = ["units", "include_units"]
            .iter()
            .flat_map(|key| map.texts_of(key));
        found.extend(units.filter_map(|node| Some((node, node.text()?.to_owned()))));
    }
    found
}

/// The unit of `_SYSTEMD_UNIT=NAME`, or those of the list in the JSON of Fluentd.
fn units_in(text: &str) -> impl Iterator<Item = String> {
    text.split("_SYSTEMD_UNIT").skip(1).map(|rest| {
        let name = rest.trim_start_matches(['"', ' ', ':', '=']);
        let end = name.find(['"', ' ', '}', ',']);
        name[..end.unwrap_or(name.len())].to_owned()
    })
}
