//! DKR605 agent-config-docker: an agent's configuration turns on an input that asks Docker's API.

use crate::analysis::configuration::docker_inputs::docker_inputs;
use crate::analysis::settings::Settings;
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR605",
    name: "agent-config-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    summary: "an agent's configuration turns on an input that asks Docker's API",
    reason: "no answer on {nodes}",
    consequence: "the agent logs errors and what it collected from Docker is missing",
    short_fix: "use the Kubernetes input",
    page: include_str!("../../docs/rules/agent-config-docker.md"),
    check: Check::Settings(check),
    ..Rule::BASE
};

fn check(document: &Settings<'_>, findings: &mut Findings) {
    for (node, input) in docker_inputs(document) {
        findings.push(
            Finding::new(&RULE)
                .in_settings(document, node)
                .what(format!("turns on {input}"))
                .evidence(&input),
        );
    }
}
