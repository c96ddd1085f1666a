//! DKR605 agent-config-docker: an agent's configuration turns on an input that asks Docker's API.

use super::configuration::docker_inputs::docker_inputs;
use super::configuration::settings;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR605",
    name: "agent-config-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "an agent's configuration turns on an input that asks Docker's API",
    reason: "no answer on {nodes}",
    consequence: "the agent logs errors and what it collected from Docker is missing",
    short_fix: "use the Kubernetes input",
    page: include_str!("../../docs/rules/agent-config-docker.md"),
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for document in settings(workload) {
        for (node, input) in docker_inputs(&document) {
            let what = format!("turns on {input}");
            findings.push(document.finding(&RULE, node, what, &input));
        }
    }
}
