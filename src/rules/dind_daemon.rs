//! DKR203 dind-daemon: a Docker daemon inside the Pod.

use super::docker_cli_image::image_finding;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR203",
    name: "dind-daemon",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Security,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a container runs a Docker daemon of its own (Docker-in-Docker)",
    reason: "privileged, not tied to the node's Docker",
    consequence: "it keeps working on {nodes}, with full control of the node",
    short_fix: "prefer rootless BuildKit",
    fix: "Keep it where Docker itself is needed; for image builds prefer rootless BuildKit or Buildah, which need no privileges.",
    why: "Docker-in-Docker does not need the node's Docker and survives the move. It needs a privileged container, which gives control of the node, and is worth replacing where only image builds are needed.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: dind
    image: docker:27-dind
    securityContext:
      privileged: true
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: build
    image: moby/buildkit:rootless
    args: ["--addr", "unix:///run/user/1000/buildkit/buildkitd.sock"]
"#,
    not_flagged: "Clients of such a daemon (DKR201 records them).",
    references: &[
        "actions/actions-runner-controller#251",
        "argoproj/argo-workflows: examples/sidecar-dind.yaml",
    ],
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod.daemons() {
        findings.push(image_finding(
            &RULE,
            pod,
            container,
            "runs a Docker daemon in image",
        ));
    }
}
