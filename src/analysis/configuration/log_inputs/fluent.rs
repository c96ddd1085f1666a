//! Inputs of Fluent Bit and Fluentd, in their own languages and in the objects of their operators.

use super::{Found, is, is_log_directory, named, paths};
use crate::analysis::settings::Settings;
use crate::embedded::{Language, Node};

/// Every input of Fluent Bit in `settings`, in any of its spellings.
pub(crate) fn fluent_bit_inputs<'w>(settings: &Settings<'w>) -> Vec<&'w Node> {
    let root = settings.root;
    let mut found = named(root, &["INPUT", "inputTail"]);
    let inputs = root.all("pipeline.inputs").into_iter();
    found.extend(inputs.flat_map(Node::elements));
    // Fluent Operator has one input in each object.
    let is_operated = matches!(settings.kind(), "ClusterInput" | "Input" | "FluentBit");
    found.extend(root.get("spec").filter(|_| is_operated));
    // The text of a plugin alone.
    let is_body = settings.language == Some(Language::Sections);
    found.extend(Some(root).filter(|root| is_body && root.text_of("name").is_some()));
    found
}

/// The parsers that `settings` define: their names, and whether they read JSON.
pub(super) fn parsers(settings: &Settings<'_>) -> Vec<(String, bool)> {
    let root = settings.root;
    let listed = root.all("parsers").into_iter().flat_map(Node::elements);
    let parsers = named(root, &["PARSER"]).into_iter().chain(listed);
    let parsers = parsers.filter_map(|parser| {
        let name = parser.text_of("name")?.to_ascii_lowercase();
        Some((name, is(Some(parser.get("format")?), "json")))
    });
    parsers.collect()
}

/// An input of Fluent Bit. `own` are the parsers that the object defines, which replace those that
/// come with Fluent Bit.
pub(super) fn fluent_bit<'n>(input: &'n Node, own: &[(String, bool)]) -> Option<Found<'n>> {
    let tail = input.get("tail").unwrap_or(input);
    // The tail of the Logging operator has no name.
    let is_tail = is(input.get("name"), "tail") || input.get("name").is_none();
    if std::ptr::eq(tail, input) && !is_tail {
        return None;
    }
    let multiline = ["multiline.parser", "multilineParser"];
    let multiline = multiline.iter().flat_map(|key| tail.texts_of(key));
    let parsers = tail.texts_of("parser").into_iter().chain(multiline);
    let parsers: Vec<&Node> = parsers.collect();
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
    let definition = |name: &String| own.iter().find(|(parser, _)| parser == name);
    let reads_json = |name: &String| definition(name).map(|(_, reads_json)| *reads_json);
    let is_docker = |name: &String| name == "docker" && reads_json(name) != Some(false);
    if names.iter().any(is_docker) {
        return Some((parsers.first()?, "Fluent Bit's docker parser"));
    }
    let mode = tail.get("docker_mode").or_else(|| tail.get("dockerMode"));
    if let Some(mode) = mode.filter(|mode| is(Some(mode), "on") || is(Some(mode), "true")) {
        return Some((mode, "Fluent Bit's docker parser"));
    }
    let of_pods = paths(tail).into_iter().any(is_log_directory);
    let is_json = |name: &String| reads_json(name).unwrap_or(name == "json");
    let is_found = of_pods && names.iter().any(is_json);
    is_found.then_some((parsers.first().copied()?, "Fluent Bit's json parser"))
}

/// The inputs of Fluentd: each `<source>`, and those of its operator.
pub(super) fn fluentd<'w>(settings: &Settings<'w>) -> Vec<Found<'w>> {
    let root = settings.root;
    let sources = match settings.language {
        Some(Language::Tags) => named(root, &["source"]),
        _ => Vec::new(),
    };
    let is_operated = matches!(settings.kind(), "ClusterInput" | "Input");
    let operated = root.get("spec.inputs").filter(|_| is_operated).into_iter();
    let tails = operated
        .flat_map(Node::elements)
        .filter_map(|input| input.get("tail"));
    let found = sources.into_iter().filter_map(source);
    found.chain(tails.filter_map(operated_tail)).collect()
}

/// `tail: {path: …, parse: {type: json}}`.
fn operated_tail(tail: &Node) -> Option<Found<'_>> {
    let kind = tail.get("parse.type")?;
    let of_pods = paths(tail).into_iter().any(is_log_directory);
    (of_pods && is(Some(kind), "json")).then_some((kind, "Fluentd's json parser"))
}

/// A `<source>` of Fluentd.
fn source(source: &Node) -> Option<Found<'_>> {
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
