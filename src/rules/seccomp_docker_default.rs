//! DKR803 seccomp-docker-default: the seccomp annotation with Docker's name for it.

use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR803",
    name: "seccomp-docker-default",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a seccomp annotation with the value docker/default",
    reason: "ignored since Kubernetes 1.27",
    consequence: "the container runs unconfined unless kubelet has a default",
    short_fix: "set seccompProfile",
    fix: "Set securityContext.seccompProfile.type to RuntimeDefault.",
    why: "docker/default was the old spelling of the runtime's default profile. The annotations are no longer read, so the container has no profile at all.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
  annotations:
    seccomp.security.alpha.kubernetes.io/pod: docker/default
spec:
  containers:
  - name: app
    image: registry.example/tool:1
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  securityContext:
    seccompProfile:
      type: RuntimeDefault
  containers:
  - name: app
    image: registry.example/tool:1
"#,
    not_flagged: "The value runtime/default.",
    references: &[
        "kubernetes/kubernetes#109819",
        "kubernetes/kubernetes#114947",
    ],
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for (prefix, annotations) in workload.annotations() {
        for (key, value) in annotations
            .iter()
            .filter(|(key, value)| key.contains("seccomp") && *value == "docker/default")
        {
            let field = format!("{prefix}.annotations['{key}']");
            findings.push(Finding::new(
                &RULE,
                "annotation",
                key,
                format!("is {value}"),
                field,
                value,
            ));
        }
    }
}
