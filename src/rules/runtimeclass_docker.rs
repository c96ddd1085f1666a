//! DKR804 runtimeclass-docker: a RuntimeClass that means Docker.

use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR804",
    name: "runtimeclass-docker",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a RuntimeClass with the handler docker, or a Pod that asks for such a class",
    reason: "no such handler on {nodes}",
    consequence: "the Pod fails when its sandbox is made",
    short_fix: "drop the runtime class",
    page: include_str!("../../docs/rules/runtimeclass-docker.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let handler = workload.object.handler.as_str();
    if workload.kind() == "RuntimeClass" && handler == "docker" {
        let what = "has the handler docker".to_owned();
        findings.push(Finding::new(
            &RULE,
            "RuntimeClass",
            workload.name,
            what,
            "handler".to_owned(),
            handler,
        ));
    }
    let Some(pod) = &workload.pod else { return };
    let class = pod.spec.runtime_class_name.as_str();
    if class == "docker" || workload.has_docker_class {
        let mut finding = Finding::new(
            &RULE,
            "runtimeClass",
            class,
            "is asked for".to_owned(),
            format!("{}.runtimeClassName", pod.path),
            class,
        );
        if !workload.has_docker_class {
            // The class may have another handler than its name says.
            finding.certainty = Certainty::Likely;
        }
        findings.push(finding);
    }
}
