//! DKR304 docker-tcp-on-node: Docker's TCP ports on the node.

use crate::analysis::{Container, Pod, resolve};
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR304",
    name: "docker-tcp-on-node",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a container addresses port 2375 or 2376 of its node",
    reason: "no daemon on {nodes}",
    consequence: "and today the port gives everyone who reaches it control of the node",
    short_fix: "use the Kubernetes API",
    page: include_str!("../../docs/rules/docker-tcp-on-node.md"),
    host_path: None,
    target: None,
    check: Check::Mentioning(|found| found.docker_port, check),
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let is_on_node = |host: &str| resolve::of_host(pod, host).is_node();
    for (field, text) in container.texts_with(|found| found.docker_port) {
        let mut addresses = docker_addresses(text)
            .map(|(host, port)| (container.fill(host), port))
            .take(MAX_ADDRESSES);
        let Some((host, port)) = addresses.find(|(host, _)| is_on_node(host)) else {
            continue;
        };
        let evidence = format!("{host}:{port}");
        let place = container.describe(field);
        findings.push(
            Finding::new(&RULE)
                .in_container(pod, container, field.path())
                .what(format!("addresses {evidence} in {place}"))
                .evidence(&evidence)
                .within(text),
        );
    }
}

/// Longest IPv6 address, with a zone.
const MAX_IPV6: usize = 64;

/// Addresses of one text that are looked at; each may ask for variables.
const MAX_ADDRESSES: usize = 64;

/// The hosts in front of `:2375` or `:2376` in `text`, and the port.
fn docker_addresses(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let ports = memchr::memchr_iter(b':', text.as_bytes()).filter(|&at| {
        let rest = &text.as_bytes()[at + 1..];
        (rest.starts_with(b"2375") || rest.starts_with(b"2376"))
            && !rest.get(4).is_some_and(u8::is_ascii_digit)
    });
    ports.filter_map(|at| {
        // As a host holds no colon outside of brackets, each is looked for behind the colon before.
        let front = &text[..at];
        let host = match front.strip_suffix(']') {
            Some(inside) => {
                let near =
                    &inside[inside.floor_char_boundary(inside.len().saturating_sub(MAX_IPV6))..];
                &near[near.rfind('[')? + 1..]
            }
            None => {
                &front[front.rfind(|c: char| !is_of_host(c)).map_or(0, |i| {
                    i + front[i..].chars().next().map_or(1, char::len_utf8)
                })..]
            }
        };
        (!host.is_empty()).then(|| (host, &text[at + 1..at + 5]))
    })
}

fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-$(){}".contains(c)
}
