//! CLU902 ci-controller-config-docker: the configuration of a controller that makes Pods with
//! Docker.

use super::findings;
use crate::analysis::configuration::pod_sources::{self, docker_pods};
use crate::analysis::{Workload, sockets};
use crate::embedded::{Language, is_prose};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::host_path::HostPath;
use crate::workload::string_fields::StringField;

pub(super) static RULE: Rule = Rule {
    code: "CLU902",
    name: "ci-controller-config-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    summary: "a CI or workflow controller's configuration produces Pods that use Docker",
    reason: "the Pods that it makes need Docker",
    consequence: "every Pod that the controller makes from it depends on the node's Docker",
    short_fix: "change it at the source",
    page: include_str!("../../docs/rules/ci-controller-config-docker.md"),
    check: Check::Texts(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let has_pods = workload.pod.is_some() || !workload.parts.is_empty();
    for document in &workload.settings {
        // The pods of the object itself have rules of their own, and so have a policy's patterns.
        let is_judged_elsewhere =
            document.is_object() && has_pods || pod_sources::is_refusing_policy(document);
        if is_judged_elsewhere {
            continue;
        }
        for found in docker_pods(document) {
            let finding = Finding::new(&RULE)
                .in_settings(document, found.node)
                .what(found.what)
                .evidence(&found.evidence);
            findings.push(match found.is_doubtful {
                true => finding
                    .certainty(Certainty::Possible)
                    .action(Action::Record),
                false => finding,
            });
        }
    }
    // Jenkins' Groovy and XML are not parsed, or read as blocks of something else.
    let is_unread = |string_field: &&StringField| {
        let language = string_field.document().map(|document| document.language);
        matches!(language, None | Some(Language::Blocks | Language::Tags))
    };
    // A policy that refuses names what it refuses.
    let kind = workload.kind();
    let refuses = kind.contains("Policy") && !kind.starts_with("Mutating");
    let unread = workload.string_fields.iter();
    let unread = unread.filter(|string_field| !refuses && !is_prose(string_field.key()));
    for string_field in unread.filter(is_unread) {
        if let Some((offset, path)) = host_path_in_text(&string_field.text) {
            findings.push(
                findings::object_finding(&RULE, workload, string_field)
                    .offset(Some(offset))
                    .what(format!("mounts {path} into the Pods that it makes"))
                    .evidence(path),
            );
        }
    }
}

/// What stands between a name and its value in the languages of templates.
const MARKS: [char; 9] = [':', '=', '>', '"', '\'', ' ', '{', '\n', '\t'];

/// A path of Docker behind the word `hostPath` (`hostPath: '…'`, `<hostPath>…</hostPath>`,
/// `hostPath{path: "…"}`, and YAML inside another language), and its place.
fn host_path_in_text(text: &str) -> Option<(usize, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("hostPath") {
        let behind = from + at + "hostPath".len();
        let rest = text[behind..].trim_start_matches(MARKS);
        let rest = rest
            .strip_prefix("path")
            .map_or(rest, |rest| rest.trim_start_matches(MARKS));
        let start = text.len() - rest.len();
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<,)".contains(c));
        let path = &rest[..end.unwrap_or(rest.len())];
        let line = &text[text[..start].rfind('\n').map_or(0, |at| at + 1)..start];
        let is_comment = line.trim_start().starts_with(['#', '/', '*']);
        if !is_comment && path.starts_with('/') && sockets::is_docker_socket(&HostPath::new(path)) {
            return Some((start, path));
        }
        from = behind;
    }
    None
}
