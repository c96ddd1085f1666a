//! Inputs that read the journal of Docker's unit, which other runtimes have under another name.

use crate::embedded::Node;
use crate::workload::settings::{Settings, maps, scalars};

/// A unit of Docker that an input asks the journal for.
pub(in crate::rules) struct Unit<'n> {
    pub(in crate::rules) node: &'n Node,
    /// The input asks for other units as well, which go on.
    pub(in crate::rules) is_one_of_many: bool,
}

/// Docker's units in the filters of journal inputs: `_SYSTEMD_UNIT=docker.service`, `units: [docker]`,
/// `matches [{"_SYSTEMD_UNIT": "docker.service"}]`.
pub(in crate::rules) fn docker_units<'w>(settings: &Settings<'w>) -> Vec<Unit<'w>> {
    let mut found = Vec::new();
    for (key, map) in maps(settings.root) {
        let units = filters(key, map);
        let is_docker = |unit: &str| matches!(unit, "docker" | "docker.service");
        let is_other = |unit: &str| unit.starts_with("containerd") || unit.starts_with("crio");
        // A filter for every runtime finds what there is.
        if units.iter().any(|(_, unit)| is_other(unit)) {
            continue;
        }
        let docker = units.iter().find(|(_, unit)| is_docker(unit));
        found.extend(docker.map(|(node, _)| Unit {
            node,
            is_one_of_many: units.iter().any(|(_, unit)| !is_docker(unit)),
        }));
    }
    found.sort_by_key(|unit| unit.node.offset);
    found.dedup_by_key(|unit| unit.node.offset);
    found
}

/// The units that `map`, a journal input under `key`, asks for.
fn filters<'n>(key: &str, map: &'n Node) -> Vec<(&'n Node, String)> {
    const SETTINGS: [&str; 6] = [
        "filters",
        "include_matches",
        "include_matches.match",
        "matches",
        "systemd_filter",
        "systemdFilter",
    ];
    let mut found = Vec::new();
    for setting in SETTINGS.iter().flat_map(|name| map.all(name)) {
        for (_, node, text) in scalars(setting) {
            found.extend(unit_in(text).map(|unit| (node, unit)));
        }
        // `include_matches: {match: ["_SYSTEMD_UNIT=x"]}` is among these, `_SYSTEMD_UNIT: x` is a pair.
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

/// The unit of `_SYSTEMD_UNIT=NAME`, or of the same in the JSON of Fluentd.
fn unit_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("_SYSTEMD_UNIT")?;
    let name = rest.trim_start_matches(['"', ' ', ':', '=']);
    let end = name.find(['"', ' ', '}', ',']);
    Some(name[..end.unwrap_or(name.len())].to_owned())
}
