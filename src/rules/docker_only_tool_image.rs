//! DKR204 docker-only-tool-image: a tool that only speaks Docker's API.

use super::findings;
use crate::analysis::{Container, Pod};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};
use crate::workload::catalog::ImageRole;

pub(super) static RULE: Rule = Rule {
    code: "DKR204",
    name: "docker-only-tool-image",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a container runs a tool that can only talk to Docker (docker-gc, logspout, \
        watchtower)",
    reason: "speaks only Docker's API",
    consequence: "it finds no daemon on {nodes}, or one without the cluster's containers",
    short_fix: "remove it or take its successor",
    page: include_str!("../../docs/rules/docker-only-tool-image.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if container.image_role() == Some(ImageRole::DockerOnly) {
        let what = "runs Docker-only tool";
        findings.push(findings::image_finding(&RULE, pod, container, what));
    }
}
