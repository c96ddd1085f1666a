//! NOD905 node-docker-problem-condition: a node condition about Docker.

use super::place;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "NOD905",
    name: "node-docker-problem-condition",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a node condition or reason names Docker",
    reason: "node-problem-detector watches Docker",
    consequence: "on a node without Docker it is always quiet or always wrong",
    short_fix: "use the containerd monitors",
    page: include_str!("../../docs/rules/node-docker-problem-condition.md"),
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let conditions = place::texts_of(workload, "Node")
        .filter(|leaf| leaf.path.starts_with("status.conditions["));
    let named =
        conditions.filter(|leaf| leaf.path.ends_with(".type") || leaf.path.ends_with(".reason"));
    for leaf in named.filter(|leaf| mentions(&leaf.text, "Docker")) {
        findings.push(place::on_node(
            &RULE,
            workload,
            format!("has {}", leaf.text),
            &leaf.path,
            &leaf.text,
        ));
    }
}
