//! DKR201 docker-cli-image: a Docker client by its image.

use super::{host_paths, signals};
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint::Endpoint;
use crate::workload::pod::{Container, Pod};
use crate::workload::tables::{self, ImageRole};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR201",
    name: "docker-cli-image",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a container runs an image of the Docker client",
    reason: "no Docker on {nodes}",
    consequence: "the client fails with \"Cannot connect to the Docker daemon\"",
    short_fix: "use BuildKit/Buildah",
    page: include_str!("../../docs/rules/docker-cli-image.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        let is_client = matches!(
            container.image_role(),
            Some(ImageRole::Docker | ImageRole::Client)
        );
        let is_copy = !is_client && tables::resembles_docker(container.image());
        if !(is_client || is_copy) || pod.is_daemon(container) {
            continue;
        }
        let mut finding = image_finding(&RULE, pod, container, "runs image");
        let endpoint = signals::client_endpoint(pod, container);
        if endpoint.is_elsewhere() {
            finding.certainty = Certainty::Possible;
            finding.impact = Impact::Advisory;
            finding.action = Some(Action::Record);
            finding.reason = "its daemon is not the node's".to_owned();
            finding.consequence = String::new();
        } else if !endpoint.is_node() && signals::needs_no_daemon(container) {
            finding.certainty = Certainty::Possible;
            finding.reason = "fine without a daemon, as far as it shows".to_owned();
            finding.consequence = "its calls go to registries and remote builders; a client such as crane or skopeo needs no Docker image".to_owned();
        } else if is_copy {
            finding.certainty = Certainty::Possible;
            finding.consequence = "judged by its name alone".to_owned();
        } else if let Endpoint::NodeSocket(path) = endpoint {
            finding.certainty = Certainty::Certain;
            finding.consequence = format!(
                "it talks to the node's daemon through {}",
                host_paths::shown(&path)
            );
        }
        findings.push(finding);
    }
}

/// A finding at the image of `container`; the identity is the repository, so that a new tag is not a new finding.
pub(super) fn image_finding(
    rule: &'static Rule,
    pod: &Pod<'_>,
    container: &Container<'_>,
    what: &str,
) -> Finding {
    let image = container.raw.image.as_str();
    let field = format!("{}.image", pod.container_path(container));
    let mut finding =
        Finding::in_container(rule, container, format!("{what} {image}"), field, image);
    finding.identity = container.image().repository();
    finding
}
