//! DKR305 docker-bridge-address: the address of Docker's bridge, used as the node's.

use super::signals;
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint::BRIDGE_ADDRESSES;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR305",
    name: "docker-bridge-address",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "an address of Docker's bridge (172.17.0.1, host.docker.internal) in a variable, \
        argument or host alias",
    reason: "docker0 is absent on {nodes}",
    consequence: "the address leads nowhere once docker0 is gone",
    short_fix: "use status.hostIP",
    page: include_str!("../../docs/rules/docker-bridge-address.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for (i, alias) in pod
        .spec
        .host_aliases
        .iter()
        .enumerate()
        .filter(|(_, alias)| BRIDGE_ADDRESSES.contains(&alias.ip.as_str()))
    {
        let field = format!("{}.hostAliases[{i}].ip", pod.path);
        findings.push(Finding::new(
            &RULE,
            "hostAlias",
            &alias.ip,
            "names Docker's bridge".to_owned(),
            field,
            &alias.ip,
        ));
    }
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions().docker || container.mentions().bridge)
    {
        for (field, text) in container.all_texts() {
            let Some(address) = bridge_address(text) else {
                continue;
            };
            let path = format!("{}.{}", pod.container_path(container), field.path());
            let what = format!("uses {address} in {}", signals::describe(container, field));
            findings.push(Finding::in_container(&RULE, container, what, path, address));
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
