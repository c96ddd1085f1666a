//! DKR702 docker-metric-names: rules and dashboards that rely on metrics as Docker gave them.

use super::configuration::promql::docker_selectors;
use super::configuration::{Settings, maps, settings};
use crate::embedded::Node;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule, Target};
use crate::workload::Workload;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR702",
    name: "docker-metric-names",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "rules or dashboards query metrics that change or vanish without Docker",
    reason: "the series differ on {nodes}",
    consequence: "the query returns nothing, so alerts stay silent and panels empty",
    short_fix: "query by container and pod",
    page: include_str!("../../docs/rules/docker-metric-names.md"),
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let keeps_docker = findings.target() == Target::CriDockerd;
    for document in settings(workload) {
        let dropped = relabelings(&document, findings);
        for (_, node, text) in super::configuration::scalars(document.root) {
            // What is parsed is looked at value by value, as a document of its own.
            let is_relabeling = dropped.iter().any(|map| holds(map, node));
            if is_relabeling || document.holds_document(node) {
                continue;
            }
            for selector in docker_selectors(text, keeps_docker) {
                let what = format!("queries {}", selector.name);
                findings.push(document.finding_in(
                    &RULE,
                    node,
                    selector.offset,
                    what,
                    &selector.name,
                ));
            }
        }
    }
}

fn holds(map: &Node, node: &Node) -> bool {
    let mut found = false;
    map.walk(&mut |_, inner| found |= std::ptr::eq(inner, node));
    found
}

/// The relabelings of `document`: those that take a container's name from Docker's are findings, all others say nothing about
/// what is queried.
fn relabelings<'n>(document: &Settings<'n>, findings: &mut Findings) -> Vec<&'n Node> {
    let mut found = Vec::new();
    for (_, map) in maps(document.root) {
        let Some(regex) = map.get("regex").filter(|_| is_relabeling(map)) else {
            continue;
        };
        found.push(map);
        let action = map
            .text_of("action")
            .unwrap_or("replace")
            .to_ascii_lowercase();
        let removes = matches!(action.as_str(), "drop" | "labeldrop");
        if !removes && regex.text().is_some_and(|regex| mentions(regex, "k8s_")) {
            let what = "relabels by name=~k8s_".to_owned();
            findings.push(document.finding(&RULE, regex, what, "name=~k8s_"));
        }
    }
    found
}

fn is_relabeling(map: &Node) -> bool {
    let keys = [
        "source_labels",
        "sourceLabels",
        "action",
        "target_label",
        "targetLabel",
    ];
    keys.iter().any(|key| map.get(key).is_some())
}
