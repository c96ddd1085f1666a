//! DKR605 agent-config-docker: an agent's configuration turns on an input that asks Docker's API.

use super::findings;
use crate::analysis::Workload;
use crate::analysis::configuration::docker_inputs::docker_inputs;
use crate::analysis::scripts::code_lines;
use crate::embedded::{Language, is_prose};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::search::{mentions, occurrences};
use crate::workload::string_fields::StringField;

pub(super) static RULE: Rule = Rule {
    code: "DKR605",
    name: "agent-config-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    summary: "an agent's configuration turns on an input that asks Docker's API",
    reason: "no answer on {nodes}",
    consequence: "the agent logs errors and what it collected from Docker is missing",
    short_fix: "use the Kubernetes input",
    page: include_str!("../../docs/rules/agent-config-docker.md"),
    check: Check::Texts(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let mut found = Vec::new();
    for document in &workload.settings {
        let inputs = docker_inputs(document).into_iter();
        found.extend(inputs.map(|(node, input)| {
            Finding::new(&RULE)
                .in_settings(document, node)
                .what(format!("turns on {input}"))
                .evidence(&input)
        }));
    }
    if matches!(workload.kind(), "ConfigMap" | "Secret") {
        let is_script = |field: &StringField| {
            let mut scripts = workload.scripts.iter();
            scripts.any(|script| script.field.path == field.path)
        };
        let is_found = |field: &StringField| found.iter().any(|found| found.field == field.path);
        let unread = workload.string_fields.iter();
        let unread =
            unread.filter(|field| is_unread(field) && !is_script(field) && !is_found(field));
        let named: Vec<Finding> = unread
            .filter_map(|field| named_socket(workload, field))
            .collect();
        found.extend(named);
    }
    findings.extend(found);
}

/// True for a text in no language that is read here. Policies in Rego name what they refuse.
fn is_unread(field: &StringField) -> bool {
    let language = field.document().map(|document| document.language);
    let is_policy = field.key().ends_with(".rego") || field.text.starts_with("package ");
    field.text.contains('\n')
        && matches!(language, None | Some(Language::Blocks))
        && !is_prose(field.key())
        && !is_policy
}

/// The first line outside of comments that holds Docker's socket as a value: in quotes, or behind
/// the sign that assigns it or the scheme of an address. Nothing shows what uses it.
fn named_socket(workload: &Workload<'_>, field: &StringField) -> Option<Finding> {
    const SOCKETS: [&str; 2] = ["/run/docker.sock", "%2Frun%2Fdocker.sock"];
    const COMMENTS: [&str; 4] = ["//", "*", ";", "--"];
    let lines = code_lines(&field.text).filter(|(_, line)| {
        let is_comment = COMMENTS.iter().any(|mark| line.starts_with(mark));
        // Volumes of Pods are CLU902's.
        !is_comment && mentions(line, "docker.sock") && !mentions(line, "ostPath")
    });
    let places = lines.flat_map(|(start, line)| {
        let all = SOCKETS.into_iter();
        all.flat_map(move |socket| {
            let found = occurrences(line, socket).filter(|at| ends_before_value(&line[..*at]));
            found.map(move |at| (start + at, socket))
        })
    });
    let (offset, socket) = places.into_iter().next()?;
    let finding = findings::object_finding(&RULE, workload, field)
        .offset(Some(offset))
        .what("names Docker's socket")
        .evidence(socket)
        .certainty(Certainty::Possible)
        .action(Action::Record);
    Some(finding)
}

/// True for the front of a line, behind which a value begins with `/run`, or `/var` and that.
fn ends_before_value(front: &str) -> bool {
    let mut spellings = ["/var", "%2Fvar"].into_iter();
    let front = spellings
        .find_map(|var| front.strip_suffix(var))
        .unwrap_or(front);
    // Behind a scheme, Docker's own clients take one slash, two or three.
    let front = front.trim_end_matches('/');
    front.ends_with(['"', '\'', '`', '=', ':', '@'])
}
