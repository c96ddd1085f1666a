//! DKR201 docker-cli-image: a Docker client by its image.

use super::findings;
use crate::analysis::endpoint::Endpoint;
use crate::analysis::{Container, Pod, docker_usage};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};
use crate::workload::catalog::{self, ImageRole};

pub(super) static RULE: Rule = Rule {
    code: "DKR201",
    name: "docker-cli-image",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a container runs an image of the Docker client",
    reason: "no Docker on {nodes}",
    consequence: "the client fails with \"Cannot connect to the Docker daemon\"",
    short_fix: "use BuildKit/Buildah",
    page: include_str!("../../docs/rules/docker-cli-image.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let role = container.image_role();
    let is_client = matches!(role, Some(ImageRole::Docker | ImageRole::Client));
    let is_copy = !is_client && catalog::resembles_docker(container.image());
    if !(is_client || is_copy) || pod.is_daemon(container) {
        return;
    }
    let finding = findings::image_finding(&RULE, pod, container, "runs image");
    let endpoint = docker_usage::client_endpoint(pod, container);
    findings.push(if endpoint.is_elsewhere() {
        finding
            .advisory("its daemon is not the node's")
            .consequence("")
    } else if docker_usage::only_copies(container) {
        finding
            .advisory("its command only copies files")
            .consequence("")
    } else if endpoint == Endpoint::NodeOrPod {
        findings::shared_port(finding)
    } else if !endpoint.is_node() && docker_usage::needs_no_daemon(container) {
        finding
            .certainty(Certainty::Possible)
            .reason("fine without a daemon, as far as it shows")
            .consequence(
                "its calls go to registries and remote builders; a client such as crane or \
                 skopeo needs no Docker image",
            )
    } else if is_copy && !endpoint.is_node() {
        finding
            .certainty(Certainty::Possible)
            .consequence("judged by its name alone")
    } else if let Endpoint::NodeSocket(path) = endpoint {
        let socket = path.shown();
        finding
            .certainty(Certainty::Certain)
            .consequence(format!("it talks to the node's daemon through {socket}"))
    } else {
        finding
    });
}
