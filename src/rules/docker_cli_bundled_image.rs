//! DKR202 docker-cli-bundled-image: an image that carries the Docker client, beside another sign of Docker.

use super::{docker_cli_image::image_finding, signals};
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::tables;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR202",
    name: "docker-cli-bundled-image",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "an image known to bundle the Docker client, in a container that reaches Docker",
    reason: "its Docker client has no daemon on {nodes}",
    consequence: "",
    short_fix: "use a builder without Docker",
    page: include_str!("../../docs/rules/docker-cli-bundled-image.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| tables::bundles_docker_client(container.image()))
    {
        let reaches_docker = container.endpoint(pod).is_node()
            || pod
                .mounts_of(container)
                .any(|mount| signals::is_docker_socket(&mount.path));
        if reaches_docker {
            findings.push(image_finding(&RULE, pod, container, "runs image"));
        }
    }
}
