//! DKR803 seccomp-docker-default: the seccomp annotation with Docker's name for it.

use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR803",
    name: "seccomp-docker-default",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a seccomp annotation with the value docker/default",
    reason: "ignored since Kubernetes 1.27",
    consequence: "the container runs unconfined unless kubelet has a default",
    short_fix: "set seccompProfile",
    page: include_str!("../../docs/rules/seccomp-docker-default.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for (metadata, annotations) in workload.annotations() {
        for (key, value) in annotations.iter() {
            // Comparing comes first: a search costs a clean object hundreds of instructions.
            if value == "docker/default" && key.contains("seccomp") {
                findings.push(
                    Finding::new(&RULE)
                        .on("annotation", key)
                        .field(format!("{metadata}.annotations['{key}']"))
                        .what(format!("is {value}"))
                        .evidence(value),
                );
            }
        }
    }
}
