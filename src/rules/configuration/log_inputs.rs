//! Inputs of log agents that read nothing but the files that Docker writes, found in an agent's configuration.
//!
//! Docker's json-file driver writes one JSON object a line below its data root; containerd and CRI-O write the CRI format
//! (time, stream, tag, text) below `/var/log/pods`. An input that can read both is no dependency.

use crate::embedded::{Language, Node};
use crate::workload::settings::{Settings, maps};

/// Where an input shows that it reads Docker's files only, and what shows it.
pub(in crate::rules) type Found<'n> = (&'n Node, &'static str);

/// The inputs of `settings` that read Docker's files only.
pub(in crate::rules) fn docker_only<'w>(settings: &Settings<'w>) -> Vec<Found<'w>> {
    let root = settings.root;
    let mut found: Vec<Found<'w>> = Vec::new();
    if settings.language == Some(Language::Tags) {
        found.extend(named(root, &["source"]).into_iter().filter_map(fluentd));
    }
    let fluent_bit = named(root, &["INPUT"]).into_iter();
    let fluent_bit = fluent_bit.chain(
        root.all("pipeline.inputs")
            .into_iter()
            .flat_map(Node::elements),
    );
    // Fluent Operator has one input in each object.
    let operated = matches!(settings.kind(), "ClusterInput" | "Input" | "FluentBit");
    let operated = root.get("spec").filter(|_| operated).into_iter();
    found.extend(fluent_bit.chain(operated).filter_map(fluent_bit_input));
    for (key, map) in maps(root) {
        let agents = [filebeat, promtail, alloy, logstash, vector, open_telemetry];
        let input = agents.iter().find_map(|agent| agent(key, map));
        found.extend(input.or_else(|| docker_directory(key, map)));
    }
    // An input of several settings is found once.
    found.sort_by_key(|(node, _)| node.offset);
    found.dedup_by_key(|(node, _)| node.offset);
    found
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
    let is_read = !key.to_ascii_lowercase().contains("exclu") && map.get("hostPath").is_none();
    let paths = paths(map);
    let from_docker = paths.iter().find(|path| is_docker_directory(path))?;
    let reads_pods = paths.iter().any(|path| is_log_directory(path));
    (is_read && !reads_pods).then_some((from_docker, "files of Docker's log directory only"))
}

fn is(node: Option<&Node>, text: &str) -> bool {
    node.and_then(Node::text)
        .is_some_and(|found| found.eq_ignore_ascii_case(text))
}

/// An `[INPUT]` of Fluent Bit in any of its three spellings.
fn fluent_bit_input(input: &Node) -> Option<Found<'_>> {
    let tail = input.get("tail").unwrap_or(input);
    if !std::ptr::eq(tail, input) || is(input.get("name"), "tail") {
        let multiline = ["multiline.parser", "multilineParser"];
        let multiline = multiline.iter().flat_map(|key| tail.texts_of(key));
        let parsers: Vec<&Node> = tail
            .texts_of("parser")
            .into_iter()
            .chain(multiline)
            .collect();
        let names = parsers
            .iter()
            .filter_map(|parser| parser.text())
            .flat_map(|parsers| parsers.split(','))
            .map(|name| name.trim().to_ascii_lowercase());
        let names: Vec<String> = names.collect();
        let reads_cri = names
            .iter()
            .any(|name| name.contains("cri") || name.contains("containerd"));
        if reads_cri {
            return None;
        }
        if names.iter().any(|name| name == "docker") {
            return Some((parsers.first()?, "Fluent Bit's docker parser"));
        }
        let mode = tail.get("docker_mode").or_else(|| tail.get("dockerMode"));
        if let Some(mode) = mode.filter(|mode| is(Some(mode), "on") || is(Some(mode), "true")) {
            return Some((mode, "Fluent Bit's docker parser"));
        }
        let of_pods = paths(tail).into_iter().any(is_log_directory);
        if of_pods && names.iter().any(|name| name == "json") {
            return Some((parsers.first()?, "Fluent Bit's json parser"));
        }
    }
    None
}

/// A `<source>` of Fluentd.
fn fluentd(source: &Node) -> Option<Found<'_>> {
    let of_pods = paths(source).into_iter().any(is_log_directory);
    if !is(source.get("@type").or(source.get("type")), "tail") || !of_pods {
        return None;
    }
    let parse = source.get("parse").unwrap_or(source);
    let kind = match parse.get("@type") {
        Some(kind) if !std::ptr::eq(parse, source) => kind,
        _ => source.get("format")?,
    };
    let mut formats = vec![kind];
    if is(Some(kind), "multi_format") {
        let patterns = parse.all("pattern").into_iter();
        formats = patterns
            .filter_map(|pattern| pattern.get("format"))
            .collect();
    }
    let all_json = !formats.is_empty() && formats.iter().all(|format| is_json_format(format));
    all_json.then_some((kind, "Fluentd's json parser"))
}

/// True for `json`, and for a setting of the environment whose default is `json`.
fn is_json_format(format: &Node) -> bool {
    let text = format.text().unwrap_or_default();
    let default = text.rsplit_once("||").map(|(_, default)| default);
    default
        .unwrap_or(text)
        .trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .eq_ignore_ascii_case("json")
}

/// Inputs of Filebeat and Elastic Agent.
fn filebeat<'n>(key: &str, map: &'n Node) -> Option<Found<'n>> {
    let kind = map.get("type")?;
    if is(Some(kind), "docker") {
        let ids = map.get("containers.ids").or_else(|| map.get("containers"));
        let is_provider = key.eq_ignore_ascii_case("providers")
            || key.to_ascii_lowercase().ends_with("autodiscover.providers");
        return match (ids, is_provider) {
            (Some(_), _) => Some((kind, "Filebeat's docker input")),
            (None, true) => Some((kind, "Filebeat's docker autodiscovery")),
            (None, false) => None,
        };
    }
    let is_container = is(Some(kind), "container");
    let format = map
        .get("format")
        .or_else(|| map.get("parsers.container.format"));
    if is_container && is(format, "docker") {
        return Some((format?, "Filebeat's container input with format docker"));
    }
    let json = map
        .entries()
        .iter()
        .find(|(key, _)| key.starts_with("json"));
    let of_pods = paths(map).into_iter().any(is_log_directory);
    let (_, json) = json.filter(|_| is(Some(kind), "log") && of_pods)?;
    Some((json, "Filebeat's json parser"))
}

/// Stages of Promtail.
fn promtail<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    // The chart has its own spelling.
    let stages = map
        .get("pipeline_stages")
        .or_else(|| map.get("pipelineStages"))?;
    let has_cri = has_stage(stages, "cri").is_some();
    let docker = has_stage(stages, "docker").filter(|_| !has_cri)?;
    Some((docker, "Promtail's docker stage"))
}

fn has_stage<'n>(stages: &'n Node, name: &str) -> Option<&'n Node> {
    let mut found = None;
    stages.walk(&mut |_, node| {
        let is_key = node.entries().iter().any(|(key, _)| key == name);
        if found.is_none() && (is_key || node.text() == Some(name)) {
            found = Some(node);
        }
    });
    found
}

/// Stages of Alloy's `loki.process`.
fn alloy<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    let stage = |name: &str| {
        let entry = map.entries().iter().find(|(key, _)| key == name);
        entry.map(|(_, node)| node)
    };
    let docker = stage("stage.docker").filter(|_| stage("stage.cri").is_none())?;
    Some((docker, "Alloy's docker stage"))
}

/// Logstash's `file` input.
fn logstash<'n>(key: &str, map: &'n Node) -> Option<Found<'n>> {
    let codec = map.get("codec").filter(|_| key == "file")?;
    let name = codec.text().or_else(|| codec.text_of("@label"));
    let of_pods = paths(map).into_iter().any(is_log_directory);
    (of_pods && matches!(name, Some("json" | "json_lines")))
        .then_some((codec, "Logstash's json codec"))
}

/// Vector's source of Docker.
fn vector<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    let kind = map.get("type")?;
    is(Some(kind), "docker_logs").then_some((kind, "Vector's docker_logs source"))
}

/// The `filelog` receiver of the OpenTelemetry collector.
fn open_telemetry<'n>(key: &str, map: &'n Node) -> Option<Found<'n>> {
    if key != "filelog" && !key.starts_with("filelog/") {
        return None;
    }
    let operators = map.get("operators")?.elements();
    let types = || operators.iter().filter_map(|operator| operator.get("type"));
    let container = operators
        .iter()
        .find(|operator| is(operator.get("type"), "container"));
    if let Some(format) = container.and_then(|container| container.get("format")) {
        return is(Some(format), "docker")
            .then_some((format, "the container operator with format docker"));
    }
    let reads_both = container.is_some() || types().any(|kind| is(Some(kind), "regex_parser"));
    let json = types().find(|kind| is(Some(kind), "json_parser"))?;
    let of_pods = paths(map).into_iter().any(is_log_directory);
    (of_pods && !reads_both).then_some((json, "the json_parser operator"))
}
