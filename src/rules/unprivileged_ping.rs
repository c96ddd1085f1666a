//! DKR802 unprivileged-ping: ping without root and without NET_RAW.

use crate::analysis::{self, Container, Pod};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR802",
    name: "unprivileged-ping",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a non-root container without NET_RAW runs ping",
    reason: "may not ping on {nodes}",
    consequence: "Docker opens net.ipv4.ping_group_range to every group; containerd 1.x and CRI-O \
        do not",
    short_fix: "use another probe",
    page: include_str!("../../docs/rules/unprivileged-ping.md"),
    check: Check::Mentioning(|found| found.ping, check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if !container.runs_without_root(pod.spec) || !container.drops_capability("NET_RAW") {
        return;
    }
    let calls = analysis::read_naming(container.raw, "ping");
    let mut calls = calls.iter();
    if let Some(call) = calls.find(|call| call.invocation.program() == "ping") {
        findings.push(
            Finding::new(&RULE)
                .in_container(pod, container, call.field.path())
                .what("runs ping without root")
                .evidence("ping"),
        );
    }
}
