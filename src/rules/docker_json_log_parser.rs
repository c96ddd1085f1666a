//! DKR701 docker-json-log-parser: a log agent that only parses Docker's log format.

use super::findings;
use crate::analysis::configuration::log_inputs::{self, Unit};
use crate::analysis::settings::Settings;
use crate::analysis::{Container, Pod, Workload};
use crate::embedded::{Language, is_prose};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::catalog;
use crate::workload::host_path::{HostPath, is_within};
use crate::workload::string_fields::StringField;

pub(super) static RULE: Rule = Rule {
    code: "DKR701",
    name: "docker-json-log-parser",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    summary: "a log agent's configuration parses only Docker's JSON log format",
    reason: "the log format differs on {nodes}",
    consequence: "lines arrive with time, stream and tag as text, timestamps are lost and \
        multi-line records break",
    short_fix: "parse the CRI format",
    page: include_str!("../../docs/rules/docker-json-log-parser.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    if let Some(pod) = &workload.pod {
        for container in &pod.containers {
            findings.extend(image_default(pod, container));
        }
    }
    if workload.string_fields.is_empty() {
        return;
    }
    let documents = &workload.settings;
    for (document, (node, input)) in log_inputs::docker_only(documents) {
        findings.push(
            Finding::new(&RULE)
                .in_settings(document, node)
                .what(format!("reads logs with {input}"))
                .evidence(input),
        );
    }
    let units = log_inputs::docker_units(documents).into_iter();
    findings.extend(units.map(|(document, unit)| journal(document, &unit)));
    let is_unread = |string_field: &&StringField| match string_field.document() {
        Some(document) => document.language == Language::Blocks,
        None => true,
    };
    let unread = workload.string_fields.iter().filter(|string_field| {
        string_field.text.contains('\n')
            && !string_field.text.starts_with("#!")
            && !is_prose(string_field.key())
    });
    let unread = unread.filter(is_unread);
    findings.extend(unread.filter_map(|string_field| named_directory(workload, string_field)));
}

/// An agent whose image reads Docker's JSON lines unless it is told otherwise, where it reads the
/// containers' logs.
fn image_default(pod: &Pod<'_>, container: &Container<'_>) -> Option<Finding> {
    // Without a volume of the node's there is nothing to read, and no image to be looked up.
    let mut logs = pod.mounts_of(container).filter(|mount| {
        let path = mount.path.as_str();
        is_within("/var/log/containers", path) || mount.path.is_within("/var/log")
    });
    logs.next()?;
    let (variable, directory) = catalog::json_log_settings(container.image())?;
    let is_configured = (container.raw.volume_mounts.iter())
        .any(|mount| is_within(HostPath::new(&mount.mount_path).as_str(), directory));
    let is_set = container.variable(variable).is_some_and(|value| {
        !value.text.trim().eq_ignore_ascii_case("json") && !value.text.trim().is_empty()
    });
    if is_configured || is_set || container.raw.env_from.0 && container.env(variable).is_none() {
        return None;
    }
    Some(
        findings::image_finding(&RULE, pod, container, "reads logs as JSON lines with image")
            .consequence(format!(
                "its own configuration reads Docker's JSON lines unless {variable} says otherwise"
            )),
    )
}

/// The journal of Docker's unit, which is empty without Docker.
fn journal(document: &Settings<'_>, unit: &Unit<'_>) -> Finding {
    let finding = Finding::new(&RULE)
        .in_settings(document, unit.node)
        .what(format!("reads the journal of {}", unit.name))
        .evidence(unit.name)
        .consequence("nothing of that name writes there, so nothing arrives from it");
    match unit.is_one_of_many {
        true => finding.advisory("the journal has no such name"),
        false => finding.reason("the journal has no such name"),
    }
}

/// A text in no language that is read here, which names the directory: anywhere but in a statement
/// that reads it, nothing shows what does.
fn named_directory(workload: &Workload<'_>, string_field: &StringField) -> Option<Finding> {
    let named = log_inputs::named_directory(string_field)?;
    let finding = findings::object_finding(&RULE, workload, string_field)
        .offset(Some(named.line))
        .evidence(log_inputs::DIRECTORY);
    Some(match named.is_read_alone {
        true => finding.what("reads files of Docker's log directory only"),
        false => finding
            .what("names Docker's log directory")
            .certainty(Certainty::Possible)
            .action(Action::Record),
    })
}
