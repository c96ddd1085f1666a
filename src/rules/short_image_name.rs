//! DKR207 short-image-name: an image name without a registry, for CRI-O.

use super::docker_cli_image::image_finding;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule, Target};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR207",
    name: "short-image-name",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: Some(Action::Record),
    needs_docker_absent: false,
    summary: "an image name without a registry, where the target is CRI-O",
    reason: "CRI-O may not resolve it",
    consequence: "CRI-O resolves short names by its registries.conf and refuses ambiguous ones",
    short_fix: "write docker.io/ in front",
    page: include_str!("../../docs/rules/short-image-name.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = workload
        .pod
        .as_ref()
        .filter(|_| findings.target() == Target::CriO)
    else {
        return;
    };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.image().is_short)
    {
        findings.push(image_finding(
            &RULE,
            pod,
            container,
            "runs short-named image",
        ));
    }
}
