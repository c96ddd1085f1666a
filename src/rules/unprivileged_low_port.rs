//! DKR801 unprivileged-low-port: a low port without root.

use crate::analysis::{Container, Pod};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::budget::spend;

pub(super) static RULE: Rule = Rule {
    code: "DKR801",
    name: "unprivileged-low-port",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Breaks,
    action: Some(Action::Record),
    needs_docker_absent: false,
    summary: "a non-root container listens on a port below 1024 without the sysctl or capability \
        for it",
    reason: "may not bind it on {nodes}",
    consequence: "Docker allows it since 20.10; containerd does by default only from 2.0, CRI-O \
        does not",
    short_fix: "use a port from 1024 up",
    page: include_str!("../../docs/rules/unprivileged-low-port.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let is_low = |number: i64| (1..1024).contains(&number);
    let ports = container.raw.ports.iter().enumerate();
    let declared: Vec<(usize, i64)> = ports
        .filter_map(|(i, port)| Some((i, port.container_port.0?)))
        .filter(|(_, number)| is_low(*number))
        .collect();
    // A probe tells of a port that nothing declares.
    let is_declared = |number: i64| declared.iter().any(|(_, declared)| *declared == number);
    let probed =
        probed_ports(container).find(|(.., number)| is_low(*number) && !is_declared(*number));
    if declared.is_empty() && probed.is_none() || may_bind(pod, container) {
        return;
    }
    for (i, number) in declared {
        findings.push(
            Finding::new(&RULE)
                .in_container(pod, container, format_args!("ports[{i}].containerPort"))
                .what(format!("listens on port {number} without root"))
                .evidence(&number.to_string()),
        );
    }
    if let Some((probe, way, number)) = probed {
        findings.push(
            Finding::new(&RULE)
                .in_container(pod, container, format_args!("{probe}.{way}.port"))
                .what(format!("is probed on port {number}, without root"))
                .evidence(&number.to_string()),
        );
    }
}

/// True if `container` may listen on low ports with any runtime.
fn may_bind(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    let context = pod.spec.security_context.iter();
    let sysctls = context.flat_map(|context| context.sysctls.iter());
    let mut sysctls = sysctls.take_while(|_| spend(1));
    pod.spec.host_network.0
        || sysctls.any(|sysctl| *sysctl.name == *"net.ipv4.ip_unprivileged_port_start")
        || !container.runs_without_root(pod.spec)
        || container.adds_capability("NET_BIND_SERVICE")
}

/// The ports that the probes of `container` connect to, with the probe's field and the way's below
/// it.
fn probed_ports(
    container: &Container<'_>,
) -> impl Iterator<Item = (&'static str, &'static str, i64)> {
    let probed = container.raw.probed();
    let probed = probed.filter(|(place, way, _)| !place.starts_with("lifecycle") && *way != "grpc");
    probed.filter_map(|(place, way, probed)| Some((place, way, probed.port.parse().ok()?)))
}
