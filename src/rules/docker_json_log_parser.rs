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

/// What sets up a parser: a line of these words, and what another line must hold.
const PARSERS: [(&[&str], &str, &str); 7] = [
    (&["Parser", "docker"], "", "Fluent Bit's docker parser"),
    (&["Docker_Mode", "On"], "", "Fluent Bit's docker parser"),
    (
        &["format", "json"],
        "/var/log/containers",
        "Fluentd's json parser",
    ),
    (
        &["@type", "json"],
        "/var/log/containers",
        "Fluentd's json parser",
    ),
    // The word alone also stands in autodiscover templates.
    (
        &["-", "type:", "docker"],
        "containers.ids",
        "Filebeat's docker input",
    ),
    (
        &["-", "docker:", "{}"],
        "pipeline_stages",
        "Promtail's docker stage",
    ),
    (
        &["-", "docker:"],
        "pipeline_stages",
        "Promtail's docker stage",
    ),
];

fn check(workload: &Workload<'_>, leaf: &Leaf) -> Option<Finding> {
    let (parser, line) = docker_parser(&leaf.text)?;
    let finding = objects::finding(&RULE, workload, leaf)
        .what(format!("parses logs with {parser}"))
        .evidence(parser)
        .offset(line);
    Some(finding)
}

/// The Docker-only log parser that `text` sets up, and where the line begins that does.
fn docker_parser(text: &str) -> Option<(&'static str, usize)> {
    let handles_cri = objects::lines(text).any(|(_, line)| {
        line.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word.eq_ignore_ascii_case("cri"))
    });
    if handles_cri || !mentions(text, "container") && !mentions(text, "docker") {
        return None;
    }
    let holds = |what: &str| objects::lines(text).any(|(_, line)| line.contains(what));
    let mut parsers = PARSERS.into_iter().filter(|(_, beside, _)| holds(beside));
    let parser = parsers.find_map(|(words, _, parser)| Some((parser, line_of(text, words)?)));
    parser.or_else(|| {
        let mut lines = objects::lines(text);
        let source =
            lines.find(|(_, line)| line.starts_with("type") && line.contains("docker_logs"));
        source.map(|(at, _)| ("Vector's docker_logs source", at))
    })
}

/// Where the line begins that has these words, in any case.
fn line_of(text: &str, words: &[&str]) -> Option<usize> {
    let is_line = |line: &str| {
        let mut found = line.split_whitespace();
        let mut wanted = words.iter();
        wanted.all(|wanted| {
            found
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case(wanted))
        }) && found.next().is_none()
    };
    let mut lines = objects::lines(text);
    lines.find(|(_, line)| is_line(line)).map(|(at, _)| at)
}
