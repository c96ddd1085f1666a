//! DKR804 runtimeclass-docker: a RuntimeClass that means Docker.

use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR804",
    name: "runtimeclass-docker",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a RuntimeClass with the handler docker, or a Pod that asks for such a class",
    reason: "no such handler on {nodes}",
    consequence: "the Pod fails when its sandbox is made",
    short_fix: "drop the runtime class",
    page: include_str!("../../docs/rules/runtimeclass-docker.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let handler = workload.object.handler.as_str();
    if workload.kind() == "RuntimeClass" && handler == "docker" {
        findings.push(
            Finding::new(&RULE)
                .on("RuntimeClass", workload.name)
                .field("handler")
                .what("has the handler docker")
                .evidence(handler),
        );
    }
    let Some(pod) = &workload.pod else { return };
    let class = pod.spec.runtime_class_name.as_str();
    if class == "docker" || workload.has_docker_class {
        let finding = Finding::new(&RULE)
            .on("runtimeClass", class)
            .field(format!("{}.runtimeClassName", pod.path))
            .what("is asked for")
            .evidence(class);
        findings.push(if workload.has_docker_class {
            finding
        } else {
            // The class may have another handler than its name says.
            finding.certainty(Certainty::Likely)
        });
    }
}
