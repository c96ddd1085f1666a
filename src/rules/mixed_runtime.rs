//! NOD906 mixed-runtime: nodes with different runtimes.

use super::place;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "NOD906",
    name: "mixed-runtime",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "the nodes run more than one container runtime",
    reason: "the migration is under way",
    consequence: "a workload can meet either runtime, whichever node it lands on",
    short_fix: "go on until one is left",
    page: include_str!("../../docs/rules/mixed-runtime.md"),
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let families: Vec<&str> = workload.runtimes.iter().map(String::as_str).collect();
    if let Some(version) = workload.node_runtime().filter(|_| families.len() > 1) {
        let what = format!("runs {version} while nodes run {}", families.join(" and "));
        findings.push(place::on_node(
            &RULE,
            workload,
            what,
            place::RUNTIME_FIELD,
            version,
        ));
    }
}
