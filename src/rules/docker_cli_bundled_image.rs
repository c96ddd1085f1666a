//! DKR202 docker-cli-bundled-image: an image that carries the Docker client, beside another sign of
//! Docker.

use super::findings;
use crate::analysis::{Container, Pod, docker_usage, sockets};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};
use crate::workload::catalog;

pub(super) static RULE: Rule = Rule {
    code: "DKR202",
    name: "docker-cli-bundled-image",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    action: Some(Action::Warn),
    summary: "an image known to bundle the Docker client, in a container that reaches Docker",
    reason: "its Docker client has no daemon on {nodes}",
    short_fix: "use a builder without Docker",
    page: include_str!("../../docs/rules/docker-cli-bundled-image.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let reaches_docker = || {
        let mut mounts = pod.mounts_of(container);
        container.endpoint(pod).is_node()
            || mounts.any(|mount| sockets::is_docker_socket(&mount.path))
    };
    let may_reach = docker_usage::shows_docker(pod, container);
    if may_reach && catalog::bundles_docker_client(container.image()) && reaches_docker() {
        findings.push(findings::image_finding(&RULE, pod, container, "runs image"));
    }
}
