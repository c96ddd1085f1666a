//! DKR306 runtime-selector-docker: a setting that chooses Docker as the container runtime.

use crate::analysis::runtime_selectors::runtime_selectors;
use crate::analysis::{Container, Pod};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR306",
    name: "runtime-selector-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    summary: "a flag or variable that selects Docker as the container runtime",
    reason: "no Docker to select on {nodes}",
    consequence: "the tool looks for Docker's API and finds none",
    short_fix: "select the new runtime",
    page: include_str!("../../docs/rules/runtime-selector-docker.md"),
    check: Check::Mentioning(|found| found.docker, check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let selectors = runtime_selectors(container);
    // What asks Docker gets its answers from a daemon that stays.
    if selectors.is_empty() || container.endpoint(pod).is_elsewhere() {
        return;
    }
    for selector in selectors {
        let finding = Finding::new(&RULE)
            .in_container(pod, container, &selector.field)
            .what(format!("sets {}", selector.shown))
            .evidence(&selector.shown);
        findings.push(if selector.is_certain {
            finding
        } else {
            finding
                .advisory("may select a container runtime")
                .consequence("many programs have a setting of this name; check what it selects")
        });
    }
}
