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
    fix: "Build with BuildKit or Buildah, inspect with kubectl or crictl; where Docker itself is needed, run docker:dind in the same Pod.",
    why: "The image brings a client and no daemon. Without a daemon in the Pod or an address of a remote one, it talks to the node's Docker through whatever is mounted, or to nothing.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: build
    image: docker:27-cli
    command: ["docker", "build", "-t", "registry.example/app:1", "."]
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: build
    image: quay.io/buildah/stable:v1.40
    command: ["buildah", "build", "-t", "registry.example/app:1", "."]
"#,
    not_flagged: "A client whose endpoint is a daemon in the same Pod or an explicit remote one: that is recorded and never refused. One that only logs in, reads manifests or builds with a remote builder, and a copy under another registry, which its name alone gives away: those are warnings. Registries and images that merely have docker in their name.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/check-if-dockershim-removal-affects-you/",
        "https://kubernetes.io/blog/2020/12/02/dont-panic-kubernetes-and-docker/",
        "docker-library/docker: docker-entrypoint.sh",
    ],
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
        } else if is_copy && !endpoint.is_node() {
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
