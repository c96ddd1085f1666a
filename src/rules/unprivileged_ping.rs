//! DKR802 unprivileged-ping: ping without root and without NET_RAW.

use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::commands;
use crate::workload::pod::Container;

/// The declaration; messages, pages and metrics come from it.
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
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    let may_not = |container: &&Container<'_>| {
        container.runs_without_root(pod) && container.drops_capability("NET_RAW")
    };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions().ping)
        .filter(may_not)
    {
        let calls = commands::read_naming(container.raw, "ping");
        if let Some(call) = calls
            .iter()
            .find(|call| call.invocation.program() == "ping")
        {
            let path = format!("{}.{}", pod.container_path(container), call.field);
            findings.push(Finding::in_container(
                &RULE,
                container,
                "runs ping without root".to_owned(),
                path,
                "ping",
            ));
        }
    }
}
