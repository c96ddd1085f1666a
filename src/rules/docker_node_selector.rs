//! DKR806 docker-node-selector: a Pod that asks for nodes with Docker.

use crate::analysis::Pod;
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR806",
    name: "docker-node-selector",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Breaks,
    action: Some(Action::Record),
    summary: "a node selector, node affinity or toleration asks for nodes that run Docker",
    reason: "no such node once all have moved",
    consequence: "the Pod stays Pending",
    short_fix: "drop the selector",
    page: include_str!("../../docs/rules/docker-node-selector.md"),
    check: Check::Pod(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, findings: &mut Findings) {
    let mut note = |key: &str, value: &str, field: String| {
        findings.push(
            Finding::new(&RULE)
                .on("selector", key)
                .field(field)
                .what(format!("asks for {value}"))
                .evidence(&format!("{key}={value}")),
        );
    };
    for (key, value) in pod.spec.node_selector.iter() {
        if names_docker(key, value) {
            note(key, value, selector_field(pod.path, key));
        }
    }
    for (i, toleration) in pod.spec.tolerations.iter().enumerate() {
        if names_docker(&toleration.key, &toleration.value) {
            let field = format!("{}.tolerations[{i}]", pod.path);
            note(&toleration.key, &toleration.value, field);
        }
    }
    for (requirement, field) in pod.node_requirements() {
        let key = &requirement.key;
        let mut values = requirement.values.iter();
        let value = values.find(|value| names_docker(key, value));
        if let Some(value) = value.filter(|_| *requirement.operator == *"In") {
            note(key, value, field);
        }
    }
}

fn names_docker(key: &str, value: &str) -> bool {
    value == "docker" && (key.contains("runtime") || key.contains("engine"))
}

fn selector_field(path: &str, key: &str) -> String {
    if key.contains('.') {
        format!("{path}.nodeSelector['{key}']")
    } else {
        format!("{path}.nodeSelector.{key}")
    }
}
