//! NOD906 mixed-runtime: nodes with different runtimes.

use super::nodes;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "NOD906",
    name: "mixed-runtime",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "the nodes run more than one container runtime",
    reason: "the migration is under way",
    consequence: "a workload can meet either runtime, whichever node it lands on",
    short_fix: "go on until one is left",
    page: include_str!("../../docs/rules/mixed-runtime.md"),
    check: Check::Node(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>) -> Option<Finding> {
    let families: Vec<&str> = workload.runtimes.iter().map(String::as_str).collect();
    let version = workload.node_runtime().filter(|_| families.len() > 1)?;
    let all = families.join(" and ");
    let finding = nodes::finding(&RULE, workload, nodes::RUNTIME_FIELD, version);
    Some(finding.what(format!("runs {version} while nodes run {all}")))
}
