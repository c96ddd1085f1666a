//! DKR805 host-port-behaviour: a port of the node.

use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR805",
    name: "host-port-behaviour",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a container takes a hostPort without hostNetwork",
    reason: "another component serves it on {nodes}",
    consequence: "with CRI runtimes the CNI's portmap plug-in serves host ports",
    short_fix: "test it once",
    page: include_str!("../../docs/rules/host-port-behaviour.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = workload.pod.as_ref().filter(|pod| !pod.spec.host_network.0) else {
        return;
    };
    for container in &pod.containers {
        for (i, port) in container.raw.ports.iter().enumerate() {
            let Some(number) = port.host_port.0.filter(|number| *number > 0) else {
                continue;
            };
            let field = format!("{}.ports[{i}].hostPort", pod.container_path(container));
            findings.push(Finding::in_container(
                &RULE,
                container,
                format!("takes hostPort {number}"),
                field,
                &number.to_string(),
            ));
        }
    }
}
