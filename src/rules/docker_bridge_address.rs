//! DKR305 docker-bridge-address: the address of Docker's bridge, used as the node's.

use crate::analysis::endpoint::BRIDGE_ADDRESSES;
use crate::analysis::{Container, Pod};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::search::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR305",
    name: "docker-bridge-address",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    summary: "an address of Docker's bridge (172.17.0.1, host.docker.internal) in a variable, \
        argument or host alias",
    reason: "docker0 is absent on {nodes}",
    consequence: "the address leads nowhere once docker0 is gone",
    short_fix: "use status.hostIP",
    page: include_str!("../../docs/rules/docker-bridge-address.md"),
    check: Check::Pod(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, findings: &mut Findings) {
    for (i, alias) in pod.spec.host_aliases.iter().enumerate() {
        if BRIDGE_ADDRESSES.contains(&alias.ip.as_str()) {
            findings.push(
                Finding::new(&RULE)
                    .on("hostAlias", &alias.ip)
                    .field(format!("{}.hostAliases[{i}].ip", pod.path))
                    .what("names Docker's bridge")
                    .evidence(&alias.ip),
            );
        }
    }
    for container in &pod.containers {
        check_container(pod, container, findings);
    }
}

fn check_container(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let mentioned = container.prefilter();
    if !mentioned.docker && !mentioned.bridge {
        return;
    }
    for (field, text) in container.texts_with(|found| found.docker | found.bridge) {
        if let Some(address) = bridge_address(text) {
            let place = container.describe(field);
            findings.push(
                Finding::new(&RULE)
                    .in_container(pod, container, field.path())
                    .what(format!("uses {address} in {place}"))
                    .evidence(address)
                    .within(text),
            );
        }
    }
}

/// The address of Docker's bridge that `text` holds as a word of its own.
fn bridge_address(text: &str) -> Option<&'static str> {
    if !mentions(text, "172.17.") && !mentions(text, "docker.internal") {
        return None;
    }
    let is_address = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let mut words = text.split(|c| !is_address(c));
    words.find_map(|word| {
        BRIDGE_ADDRESSES
            .into_iter()
            .find(|address| *address == word)
    })
}
