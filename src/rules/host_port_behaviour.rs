//! DKR805 host-port-behaviour: a port of the node.

use crate::analysis::{Container, Pod};
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR805",
    name: "host-port-behaviour",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a container takes a hostPort without hostNetwork",
    reason: "another component serves it on {nodes}",
    consequence: "with CRI runtimes the CNI's portmap plug-in serves host ports",
    short_fix: "test it once",
    page: include_str!("../../docs/rules/host-port-behaviour.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if pod.spec.host_network.0 {
        return;
    }
    for (i, port) in container.raw.ports.iter().enumerate() {
        if let Some(number) = port.host_port.0.filter(|number| *number > 0) {
            findings.push(
                Finding::new(&RULE)
                    .in_container(pod, container, format_args!("ports[{i}].hostPort"))
                    .what(format!("takes hostPort {number}"))
                    .evidence(&number.to_string()),
            );
        }
    }
}
