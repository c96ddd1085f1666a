//! DKR702 docker-metric-names: rules and dashboards that rely on metrics as Docker gave them.

use crate::analysis::configuration::promql::{docker_selectors, names_container};
use crate::analysis::settings::{Settings, maps, scalars};
use crate::embedded::Node;
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule, Target};
use crate::workload::search::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR702",
    name: "docker-metric-names",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    summary: "rules or dashboards query metrics that change or vanish without Docker",
    reason: "the series differ on {nodes}",
    consequence: "the query returns nothing, so alerts stay silent and panels empty",
    short_fix: "query by container and pod",
    page: include_str!("../../docs/rules/docker-metric-names.md"),
    check: Check::Settings(check),
    ..Rule::BASE
};

/// Settings that speak to people.
const PROSE: [&str; 6] = [
    "content",
    "description",
    "message",
    "runbook_url",
    "summary",
    "title",
];

fn check(document: &Settings<'_>, findings: &mut Findings) {
    let keeps_docker = findings.target() == Target::CriDockerd;
    let relabelings = relabelings(document.root);
    for (map, regex) in relabelings.iter().filter(|(map, _)| !removes(map)) {
        let text = regex.text().unwrap_or_default();
        let gone = ["engine_daemon_", "kubelet_docker_", "container_label_"];
        let gone = gone.into_iter().find(|name| mentions(text, name));
        let by_name = names_container(text) && reads_name(map);
        let shown = match gone {
            Some(name) => name,
            None if by_name => "name=~k8s_",
            None => continue,
        };
        findings.push(
            Finding::new(&RULE)
                .in_settings(document, regex)
                .what(format!("relabels by {shown}"))
                .evidence(shown),
        );
    }
    let scalars = scalars(document.root).into_iter();
    for (_, node, text) in scalars.filter(|(key, ..)| !PROSE.contains(key)) {
        // A relabelling says nothing about what is queried, and a document is looked at value by
        // value.
        let is_relabeling = relabelings
            .iter()
            .any(|(_, regex)| std::ptr::eq(*regex, node));
        if is_relabeling || document.holds_document(node) {
            continue;
        }
        for selector in docker_selectors(text, keeps_docker) {
            let (field, offset) = document.place_within(node, selector.offset);
            let mut finding = Finding::new(&RULE)
                .in_settings(document, node)
                .field(field)
                .what(format!("queries {}", selector.name))
                .evidence(&selector.name);
            finding.offset = offset;
            findings.push(finding);
        }
    }
}

/// The relabelling rules of `root`, each with its expression.
fn relabelings(root: &Node) -> Vec<(&Node, &Node)> {
    const KEYS: [&str; 5] = [
        "source_labels",
        "sourceLabels",
        "action",
        "target_label",
        "targetLabel",
    ];
    let is_one = |map: &Node| KEYS.iter().any(|key| map.get(key).is_some());
    let maps = maps(root).into_iter().map(|(_, map)| map);
    maps.filter(|map| is_one(map))
        .filter_map(|map| Some((map, map.get("regex")?)))
        .collect()
}

/// True for a relabelling that reads the labels in which cAdvisor gives Docker's name of a
/// container.
fn reads_name(map: &Node) -> bool {
    const LABELS: [&str; 3] = ["name", "container", "container_name"];
    let labels = ["source_labels", "sourceLabels"]
        .iter()
        .flat_map(|key| map.texts_of(key));
    let mut labels = labels.filter_map(Node::text);
    labels.any(|label| LABELS.contains(&label.trim()))
}

/// True for a relabelling that drops what it matches: nothing depends on that.
fn removes(map: &Node) -> bool {
    let action = map.text_of("action").unwrap_or("replace");
    ["drop", "labeldrop"]
        .iter()
        .any(|drop| action.eq_ignore_ascii_case(drop))
}
