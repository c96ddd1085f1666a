//! DKR703 docker-id-prefix-parser: code that takes docker:// off container ids.

use super::findings;
use crate::analysis::{Pod, Workload};
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::search::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR703",
    name: "docker-id-prefix-parser",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Degrades,
    summary: "a script or configuration handles docker:// or docker-pullable:// as a prefix of ids",
    reason: "ids begin otherwise on {nodes}",
    consequence: "ids begin with containerd:// or cri-o://, and imageID has no docker-pullable://",
    short_fix: "cut at :// instead",
    page: include_str!("../../docs/rules/docker-id-prefix-parser.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let is_config = workload.kind() == "ConfigMap";
    let string_fields = workload.string_fields.iter().filter(|_| is_config);
    for string_field in string_fields.filter(|string_field| strips_prefix(&string_field.text)) {
        let finding = findings::object_finding(&RULE, workload, string_field);
        findings.push(said(finding, &string_field.text));
    }
    if let Some(pod) = &workload.pod {
        check_containers(pod, findings);
    }
}

fn check_containers(pod: &Pod<'_>, findings: &mut Findings) {
    let containers = pod.containers.iter();
    for container in containers.filter(|container| container.mentions_docker()) {
        let texts = container.texts_with(|found| found.docker);
        let texts = texts.filter(|(field, _)| !field.is_hook());
        for (field, text) in texts.filter(|(_, text)| strips_prefix(text)) {
            let finding = Finding::new(&RULE).in_container(pod, container, field.path());
            findings.push(said(finding, text));
        }
    }
}

fn said(finding: Finding, text: &str) -> Finding {
    finding
        .what("handles ids that begin with docker://")
        .evidence("docker://")
        .within(text)
}

/// True if `docker://` stands there as a prefix: not in front of an image's name or a variable that
/// holds one, and not beside the prefix of another runtime.
fn strips_prefix(text: &str) -> bool {
    if mentions(text, "docker-pullable://") {
        return true;
    }
    let is_handled = || mentions(text, "containerd://") || mentions(text, "cri-o://");
    if !mentions(text, "docker://") || is_handled() {
        return false;
    }
    text.match_indices("docker://").any(|(at, prefix)| {
        // A shell joins what stands in quotes: `docker://"$IMAGE"`.
        let behind = &text[at + prefix.len()..];
        let behind = behind.strip_prefix(['"', '\'']).unwrap_or(behind);
        let next = behind.chars().next();
        let previous = text[..at].chars().next_back();
        let names_image = next.is_some_and(|c| c.is_ascii_alphanumeric() || "${[<".contains(c));
        (!names_image || is_class(behind)) && previous.is_none_or(|c| !c.is_ascii_alphanumeric())
    })
}

/// True for a class of characters in a regular expression, `[0-9a-f]+`, not a place to fill in.
fn is_class(text: &str) -> bool {
    let class = text.strip_prefix('[').and_then(|text| text.split_once(']'));
    class.is_some_and(|(_, behind)| behind.starts_with(['+', '*', '?', '{']))
}
