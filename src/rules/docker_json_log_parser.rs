//! DKR701 docker-json-log-parser: a log agent that only parses Docker's log format.

use super::objects;
use crate::finding::{Certainty, Check, Finding, Impact, Rule};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;
use crate::workload::mentions::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR701",
    name: "docker-json-log-parser",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "a log agent's configuration parses only Docker's JSON log format",
    reason: "the log format differs on {nodes}",
    consequence: "lines arrive with time, stream and tag as text, timestamps are lost and \
        multi-line records break",
    short_fix: "parse the CRI format",
    page: include_str!("../../docs/rules/docker-json-log-parser.md"),
    host_path: None,
    target: None,
    check: Check::Text(&["ConfigMap"], check),
};

fn check(workload: &Workload<'_>, leaf: &Leaf) -> Option<Finding> {
    let parser = docker_parser(&leaf.text)?;
    let what = format!("parses logs with {parser}");
    Some(
        objects::finding(&RULE, workload, leaf)
            .what(what)
            .evidence(parser),
    )
}

/// The Docker-only log parser that `text` sets up.
fn docker_parser(text: &str) -> Option<&'static str> {
    let lines = || {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
    };
    let has_line = |wanted: &[&str]| {
        lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.len() == wanted.len()
                && words
                    .iter()
                    .zip(wanted)
                    .all(|(word, wanted)| word.eq_ignore_ascii_case(wanted))
        })
    };
    let handles_cri = lines().any(|line| {
        line.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word.eq_ignore_ascii_case("cri"))
    });
    if handles_cri || !mentions(text, "container") && !mentions(text, "docker") {
        return None;
    }
    if has_line(&["Parser", "docker"]) || has_line(&["Docker_Mode", "On"]) {
        return Some("Fluent Bit's docker parser");
    }
    let reads_containers = mentions(text, "/var/log/containers");
    if reads_containers && (has_line(&["format", "json"]) || has_line(&["@type", "json"])) {
        return Some("Fluentd's json parser");
    }
    // A Docker input names containers by id; the word alone also stands in autodiscover templates.
    if has_line(&["-", "type:", "docker"]) && lines().any(|line| line.starts_with("containers.ids"))
    {
        return Some("Filebeat's docker input");
    }
    if mentions(text, "pipeline_stages")
        && (has_line(&["-", "docker:", "{}"]) || has_line(&["-", "docker:"]))
    {
        return Some("Promtail's docker stage");
    }
    let is_vector = lines().any(|line| line.contains("docker_logs") && line.starts_with("type"));
    is_vector.then_some("Vector's docker_logs source")
}
