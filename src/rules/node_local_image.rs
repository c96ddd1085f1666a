//! DKR205 node-local-image: an image that must already be on the node.

use crate::analysis::{Container, Pod};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR205",
    name: "node-local-image",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    summary: "imagePullPolicy: Never, so that the image must be in the runtime's own store",
    reason: "{nodes} have another image store",
    consequence: "the container stays in ErrImageNeverPull",
    short_fix: "push it to a registry",
    page: include_str!("../../docs/rules/node-local-image.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if *container.raw.image_pull_policy == *"Never" {
        findings.push(
            Finding::new(&RULE)
                .in_container(pod, container, "imagePullPolicy")
                .what(format!("never pulls {}", container.raw.image))
                .evidence("Never")
                .identity(container.image().repository()),
        );
    }
}
