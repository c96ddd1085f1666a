//! DKR806 docker-node-selector: a Pod that asks for nodes with Docker.

use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR806",
    name: "docker-node-selector",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Breaks,
    action: Some(Action::Record),
    needs_docker_absent: true,
    summary: "a node selector, node affinity or toleration asks for nodes that run Docker",
    reason: "no such node once all have moved",
    consequence: "the Pod stays Pending",
    short_fix: "drop the selector",
    page: include_str!("../../docs/rules/docker-node-selector.md"),
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    let is_docker = |key: &str, value: &str| {
        value == "docker" && (key.contains("runtime") || key.contains("engine"))
    };
    let selectors = pod
        .spec
        .node_selector
        .iter()
        .filter(|(key, value)| is_docker(key, value));
    let selectors = selectors.map(|(key, value)| (key, value, selector_field(pod.path, key)));
    let tolerations = pod
        .spec
        .tolerations
        .iter()
        .enumerate()
        .filter(|(_, t)| is_docker(&t.key, &t.value));
    let tolerations = tolerations.map(|(i, t)| {
        (
            t.key.as_str(),
            t.value.as_str(),
            format!("{}.tolerations[{i}]", pod.path),
        )
    });
    let required = pod
        .node_requirements()
        .filter(|(requirement, _)| *requirement.operator == *"In");
    let required = required.filter_map(|(requirement, field)| {
        let value = requirement
            .values
            .iter()
            .find(|value| is_docker(&requirement.key, value))?;
        Some((requirement.key.as_str(), value.as_str(), field))
    });
    for (key, value, field) in selectors.chain(tolerations).chain(required) {
        findings.push(Finding::new(
            &RULE,
            "selector",
            key,
            format!("asks for {value}"),
            field,
            &format!("{key}={value}"),
        ));
    }
}

fn selector_field(path: &str, key: &str) -> String {
    if key.contains('.') {
        format!("{path}.nodeSelector['{key}']")
    } else {
        format!("{path}.nodeSelector.{key}")
    }
}
