//! DKR703 docker-id-prefix-parser: code that takes docker:// off container ids.

use super::place;
use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR703",
    name: "docker-id-prefix-parser",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "a script or configuration handles docker:// or docker-pullable:// as a prefix of ids",
    reason: "ids begin otherwise on {nodes}",
    consequence: "ids begin with containerd:// or cri-o://, and imageID has no docker-pullable://",
    short_fix: "cut at :// instead",
    page: include_str!("../../docs/rules/docker-id-prefix-parser.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for leaf in place::texts_of(workload, "ConfigMap").filter(|leaf| strips_prefix(&leaf.text)) {
        findings.push(place::in_object(
            &RULE,
            workload,
            leaf,
            "handles ids that begin with docker://".to_owned(),
            "docker://",
        ));
    }
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions_docker())
    {
        for (field, _) in container.texts().filter(|(_, text)| strips_prefix(text)) {
            let path = format!("{}.{}", pod.container_path(container), field.path());
            findings.push(Finding::in_container(
                &RULE,
                container,
                "handles ids that begin with docker://".to_owned(),
                path,
                "docker://",
            ));
        }
    }
}

/// True if `docker://` stands there as a prefix: not in front of an image's name or a variable that holds one.
fn strips_prefix(text: &str) -> bool {
    if mentions(text, "docker-pullable://") {
        return true;
    }
    text.match_indices("docker://").any(|(at, prefix)| {
        let next = text[at + prefix.len()..].chars().next();
        let previous = text[..at].chars().next_back();
        let names_image = next.is_some_and(|c| c.is_ascii_alphanumeric() || "$({[<".contains(c));
        !names_image && previous.is_none_or(|c| !c.is_ascii_alphanumeric())
    })
}
