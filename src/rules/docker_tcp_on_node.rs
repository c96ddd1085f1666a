//! DKR304 docker-tcp-on-node: Docker's TCP ports on the node.

use super::findings;
use crate::analysis::endpoint::{Endpoint, docker_addresses};
use crate::analysis::{Container, Pod, resolve};
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::address::{canonical, is_loopback};

pub(super) static RULE: Rule = Rule {
    code: "DKR304",
    name: "docker-tcp-on-node",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a container addresses port 2375 or 2376 of its node",
    reason: "no daemon on {nodes}",
    consequence: "and today the port gives everyone who reaches it control of the node",
    short_fix: "use the Kubernetes API",
    page: include_str!("../../docs/rules/docker-tcp-on-node.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if container.prefilter().docker_port {
        check_texts(pod, container, findings);
    }
    check_probes(pod, container, findings);
}

/// What kubelet connects to for probes and hooks of `container`: it does so from the node.
fn check_probes(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    for (place, way, probed) in container.raw.probed() {
        let port = container.raw.port_number(&probed.port);
        let Some(port) = port.filter(|port| matches!(port, 2375 | 2376)) else {
            continue;
        };
        let host = canonical(&probed.host);
        let is_own = host.is_empty() && pod.spec.host_network.0;
        let is_loopback = is_loopback(&host);
        let is_node = is_loopback || resolve::is_address_of_node(pod, &host);
        // A daemon of the Pod has the Pod's own address.
        let has_daemon = pod.spec.host_network.0 && pod.daemon().is_some();
        if !is_node && (!is_own || has_daemon) {
            continue;
        }
        let shown = if is_own { "the node" } else { &*probed.host };
        let evidence = format!("{shown}:{port}");
        let finding = Finding::new(&RULE)
            .in_container(pod, container, format!("{place}.{way}.port"))
            .what(format!("lets kubelet ask {evidence} in {place}"))
            .evidence(&evidence);
        findings.push(if is_own || is_loopback && has_daemon {
            findings::shared_port(finding)
        } else {
            finding
        });
    }
}

/// Addresses of one text that are looked at; each may ask for variables.
const MAX_ADDRESSES: usize = 64;

/// Addresses in the texts of `container`.
fn check_texts(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let is_daemon = pod.is_daemon(container);
    for (field, text) in container.texts_with(|found| found.docker_port) {
        let mut addresses = docker_addresses(text)
            .map(|(host, port)| (container.fill(host), port))
            .take(MAX_ADDRESSES);
        // What a daemon is told in words of its own is where it listens.
        let listens = is_daemon && !text.contains(char::is_whitespace);
        let found = addresses.find_map(|(host, port)| {
            let endpoint = resolve::of_host(pod, &host);
            let is_meant = endpoint.is_node() || endpoint == Endpoint::NodeOrPod && !listens;
            is_meant.then_some((host, port, endpoint))
        });
        let Some((host, port, endpoint)) = found else {
            continue;
        };
        let evidence = format!("{host}:{port}");
        let place = container.describe(field);
        let finding = Finding::new(&RULE)
            .in_container(pod, container, field.path())
            .what(format!("addresses {evidence} in {place}"))
            .evidence(&evidence)
            .within(text);
        findings.push(match endpoint {
            Endpoint::NodeOrPod => findings::shared_port(finding),
            _ => finding,
        });
    }
}
