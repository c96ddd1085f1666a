//! DKR205 node-local-image: an image that must already be on the node.

use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR205",
    name: "node-local-image",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "imagePullPolicy: Never, so that the image must be in the runtime's own store",
    reason: "{nodes} have another image store",
    consequence: "the container stays in ErrImageNeverPull",
    short_fix: "push it to a registry",
    page: include_str!("../../docs/rules/node-local-image.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| *container.raw.image_pull_policy == *"Never")
    {
        let field = format!("{}.imagePullPolicy", pod.container_path(container));
        let image = container.raw.image.as_str();
        let mut finding = Finding::in_container(
            &RULE,
            container,
            format!("never pulls {image}"),
            field,
            "Never",
        );
        finding.identity = container.image().repository();
        findings.push(finding);
    }
}
