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
    fix: "Write the registry: docker.io/library/nginx instead of nginx.",
    why: "Docker and containerd read nginx as docker.io/library/nginx. CRI-O asks registries.conf, and since 1.34 refuses names that more than one registry could serve.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: nginx:1.27
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: docker.io/library/nginx:1.27
"#,
    not_flagged: "Every cluster whose target is not CRI-O.",
    references: &["cri-o/cri-o#9401", "kubernetes/minikube#19395"],
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
