//! Inputs of other log agents: Filebeat, Promtail, Alloy, Logstash, Vector, Telegraf, the
//! OpenTelemetry collector.

use super::{Found, is, is_log_directory, paths};
use crate::analysis::endpoint;
use crate::embedded::Node;

/// The input that `map`, which stands under a key, describes to the agent of any of these.
pub(super) fn input<'n>(key: &str, map: &'n Node) -> Option<Found<'n>> {
    let agents = [
        filebeat,
        filebeat_autodiscovery,
        promtail,
        alloy,
        logstash,
        logstash_filter,
        vector,
        telegraf,
        splunk_chart,
        open_telemetry,
    ];
    agents.iter().find_map(|agent| agent(key, map))
}

/// Inputs of Filebeat and Elastic Agent.
fn filebeat<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    let kind = map.get("type")?;
    if is(Some(kind), "docker") {
        let ids = map.get("containers.ids").or_else(|| map.get("containers"));
        return ids.map(|_| (kind, "Filebeat's docker input"));
    }
    let is_container = is(Some(kind), "container");
    let format = map
        .get("format")
        .or_else(|| map.get("parsers.container.format"));
    if is_container && is(format, "docker") {
        return Some((format?, "Filebeat's container input with format docker"));
    }
    if let Some(found) = filestream(map, kind) {
        return Some(found);
    }
    let json = map
        .entries()
        .iter()
        .find(|(key, _)| key.starts_with("json"));
    let of_pods = paths(map).into_iter().any(is_log_directory);
    let (_, json) = json.filter(|_| is(Some(kind), "log") && of_pods)?;
    Some((json, "Filebeat's json parser"))
}

/// Filebeat's discovery of containers through Docker.
fn filebeat_autodiscovery<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    let providers = map.get("filebeat.autodiscover.providers")?;
    let mut providers = providers.elements().iter();
    let docker = providers.find(|provider| is(provider.get("type"), "docker"))?;
    Some((docker.get("type")?, "Filebeat's docker autodiscovery"))
}

/// The parsers of a filestream input: that of containers takes a format, that of JSON lines takes
/// whole lines.
fn filestream<'n>(map: &'n Node, kind: &Node) -> Option<Found<'n>> {
    let parsers = map
        .get("parsers")
        .filter(|_| is(Some(kind), "filestream"))?;
    let container = parsers
        .elements()
        .iter()
        .find_map(|parser| parser.get("container"));
    if let Some(container) = container {
        let format = container.get("format");
        return is(format, "docker")
            .then_some((format?, "Filebeat's container parser with format docker"));
    }
    let mut lines = parsers.elements().iter();
    let json = lines.find_map(|parser| parser.get("ndjson"))?;
    let of_pods = paths(map).into_iter().any(is_log_directory);
    of_pods.then_some((json, "Filebeat's ndjson parser"))
}

/// Stages of Promtail.
fn promtail<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    // The chart has its own spelling.
    let parser = map
        .get("entry_parser")
        .filter(|parser| is(Some(parser), "docker"));
    if let Some(parser) = parser {
        return Some((parser, "Promtail's docker parser"));
    }
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

/// Stages of Alloy's `loki.process`: each may stand in a `stage.match` of its own.
fn alloy<'n>(key: &str, map: &'n Node) -> Option<Found<'n>> {
    let is_process = key.eq_ignore_ascii_case("loki.process");
    let has_cri = has_stage(map, "stage.cri").is_some();
    let mut docker = None;
    map.walk(&mut |key, node| {
        if key == "stage.docker" {
            docker.get_or_insert(node);
        }
    });
    let docker = docker.filter(|_| is_process && !has_cri)?;
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

/// A whole pipeline of Logstash: files of containers, of which the `json` filter takes whole lines.
fn logstash_filter<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    let inputs = map.get("input")?.all("file").into_iter();
    let of_pods = inputs.flat_map(paths).any(is_log_directory);
    let filter = map.get("filter").filter(|_| of_pods)?;
    let (mut json, mut others) = (None, false);
    filter.walk(&mut |key, node| match key {
        "json" if is(node.get("source"), "message") => {
            json.get_or_insert(node);
        }
        "dissect" | "grok" | "ruby" | "csv" => others = true,
        _ => {}
    });
    let json = json.filter(|_| !others)?;
    Some((json, "Logstash's json filter"))
}

/// A whole pipeline of Vector: its source of Docker, or files of containers that a program takes
/// apart as JSON.
fn vector<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    let kind = map.get("type").filter(|kind| is(Some(kind), "docker_logs"));
    let is_remote = map.text_of("docker_host").is_some_and(endpoint::is_remote);
    if let Some(kind) = kind.filter(|_| !is_remote) {
        return Some((kind, "Vector's docker_logs source"));
    }
    let sources = map.get("sources")?.entries().iter();
    let mut files = sources.filter(|(_, source)| is(source.get("type"), "file"));
    files.find(|(_, source)| paths(source).into_iter().any(is_log_directory))?;
    let programs = map.get("transforms")?.entries().iter();
    let mut programs = programs.filter_map(|(_, transform)| transform.get("source"));
    // The JSON of the application stands in the message of a line that another function took apart.
    let takes_json = |text: &str| {
        let parses = |what: &str| text.contains(&format!("parse_{what}"));
        parses("json") && text.contains(".log") && !["regex", "grok", "cri"].into_iter().any(parses)
    };
    let program = programs.find(|program| program.text().is_some_and(takes_json))?;
    Some((program, "Vector's parse_json"))
}

/// Telegraf's `tail` input.
fn telegraf<'n>(key: &str, map: &'n Node) -> Option<Found<'n>> {
    let format = map
        .get("data_format")
        .filter(|_| key == "tail" || key == "inputs.tail")?;
    let is_json = is(Some(format), "json") || is(Some(format), "json_v2");
    let of_pods = paths(map).into_iter().any(is_log_directory);
    (of_pods && is_json).then_some((format, "Telegraf's json parser"))
}

/// Values of the chart of Splunk's collector.
fn splunk_chart<'n>(_: &str, map: &'n Node) -> Option<Found<'n>> {
    let runtime = map.get("logsCollection.containers.containerRuntime")?;
    is(Some(runtime), "docker").then_some((runtime, "the format of Docker"))
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
