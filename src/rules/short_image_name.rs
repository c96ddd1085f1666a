//! DKR207 short-image-name: an image name without a registry, for CRI-O.

use super::findings;
use crate::analysis::{Container, Pod};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule, Target};

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
    target: Some(Target::CriO),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if container.image().is_short {
        let what = "runs short-named image";
        findings.push(findings::image_finding(&RULE, pod, container, what));
    }
}
