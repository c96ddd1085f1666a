//! DKR206 insecure-or-mirrored-registry: a registry that the runtime may need settings for.

use super::findings;
use crate::analysis::{Container, Pod};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR206",
    name: "insecure-or-mirrored-registry",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "the image's registry is a private address or a local name with a port",
    reason: "registry settings move with the runtime",
    consequence: "insecure-registries and registry-mirrors of daemon.json must be set again for \
        the new runtime",
    short_fix: "configure it in the runtime",
    page: include_str!("../../docs/rules/insecure-or-mirrored-registry.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if is_local_registry(container.image().host) {
        findings.push(findings::image_finding(&RULE, pod, container, "pulls"));
    }
}

/// A host that a public certificate cannot be for, with a port of its own.
fn is_local_registry(host: &str) -> bool {
    let Some((name, _)) = host
        .rsplit_once(':')
        .filter(|(_, port)| !matches!(*port, "" | "443"))
    else {
        return false;
    };
    match name.parse::<std::net::Ipv4Addr>() {
        Ok(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Err(_) => {
            name == "localhost"
                || [".local", ".internal", ".svc", ".lan"]
                    .iter()
                    .any(|suffix| name.ends_with(suffix))
        }
    }
}
