//! DKR204 docker-only-tool-image: a tool that only speaks Docker's API.

use super::docker_cli_image::image_finding;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::tables::ImageRole;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR204",
    name: "docker-only-tool-image",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a container runs a tool that can only talk to Docker (docker-gc, logspout, \
        watchtower)",
    reason: "speaks only Docker's API",
    consequence: "it finds no daemon on {nodes}, or one without the cluster's containers",
    short_fix: "remove it or take its successor",
    page: include_str!("../../docs/rules/docker-only-tool-image.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        if container.image_role() == Some(ImageRole::DockerOnly) {
            findings.push(image_finding(
                &RULE,
                pod,
                container,
                "runs Docker-only tool",
            ));
        }
    }
}
