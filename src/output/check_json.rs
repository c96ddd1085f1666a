//! `check -o json`: the stable form `undock.check/v1`. Fields are only ever added.

use std::io::{self, Write};

use serde::Serialize;

use super::chart::render_command;
use crate::check::{CheckError, Checked, CheckedObject, Placed, SCHEMA};
use crate::decision::Outcome;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    schema: &'static str,
    summary: Summary,
    objects: Vec<ObjectOut<'a>>,
    errors: Vec<ErrorOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_rendered: Vec<ChartOut<'a>>,
}

/// A Helm chart that was not rendered, and so not checked.
#[derive(Serialize)]
struct ChartOut<'a> {
    chart: &'a str,
    command: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    files: usize,
    objects: usize,
    flagged: usize,
    denied: usize,
    errors: usize,
    skipped: usize,
    excluded: usize,
    not_rendered: usize,
    not_judged: usize,
    /// Findings that the baseline has, and fingerprints of it that are gone; only with a baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectOut<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    line: usize,
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    owner: OwnerOut<'a>,
    decision: &'static str,
    /// What it will become elsewhere, and so was not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<&'a str>,
    findings: Vec<FindingOut<'a>>,
}

#[derive(Serialize)]
struct OwnerOut<'a> {
    kind: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct FindingOut<'a> {
    rule: &'static str,
    name: &'static str,
    certainty: &'static str,
    impact: &'static str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    field: &'a str,
    line: usize,
    column: usize,
    evidence: &'a str,
    message: String,
    fix: String,
    fingerprint: &'a str,
    /// The Pod, for what lies in an ephemeral container of a Pod that something else owns.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerOut<'a>>,
    /// The baseline has it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    known: bool,
}

#[derive(Serialize)]
struct ErrorOut<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
}

/// Writes `checked` as one JSON object.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let report = Report {
        schema: SCHEMA,
        summary: Summary {
            files: checked.files,
            objects: checked.objects.len(),
            flagged: checked.flagged(),
            denied: checked.count(Outcome::Deny),
            errors: checked.errors.len(),
            skipped: checked.skipped,
            excluded: checked.excluded,
            not_rendered: checked.not_rendered.len(),
            not_judged: checked.not_judged().count(),
            known: checked.compared.map(|compared| compared.known),
            gone: checked.compared.map(|compared| compared.gone),
        },
        objects: checked.objects.iter().map(ObjectOut::from).collect(),
        errors: checked.errors.iter().map(ErrorOut::from).collect(),
        not_rendered: checked
            .not_rendered
            .iter()
            .map(|chart| ChartOut {
                chart,
                command: render_command(chart),
            })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    out.write_all(b"\n")
}

impl<'a> From<&'a CheckedObject> for ObjectOut<'a> {
    fn from(object: &'a CheckedObject) -> Self {
        Self {
            file: &object.file,
            source: object.source.as_deref(),
            line: object.line,
            api_version: &object.api_version,
            kind: &object.kind,
            namespace: &object.namespace,
            name: &object.name,
            owner: OwnerOut {
                kind: &object.owner_kind,
                name: &object.owner_name,
            },
            decision: object.decision(),
            not_judged: object.not_judged.as_deref(),
            findings: object
                .findings
                .iter()
                .map(|placed| FindingOut {
                    owner: of_pod(object, placed),
                    ..FindingOut::from(placed)
                })
                .collect(),
        }
    }
}

fn of_pod<'a>(object: &'a CheckedObject, placed: &Placed) -> Option<OwnerOut<'a>> {
    let is_own = (&object.kind, &object.name) == (&object.owner_kind, &object.owner_name);
    (placed.judged.is_ephemeral && !is_own).then_some(OwnerOut {
        kind: &object.kind,
        name: &object.name,
    })
}

impl<'a> From<&'a Placed> for FindingOut<'a> {
    fn from(placed: &'a Placed) -> Self {
        let finding = &placed.judged.finding;
        Self {
            rule: finding.rule.code,
            name: finding.rule.name,
            certainty: finding.certainty.as_str(),
            impact: finding.impact.as_str(),
            action: placed.judged.action.as_str(),
            container: finding.container.as_deref(),
            field: &finding.field,
            line: placed.line,
            column: placed.column,
            evidence: &finding.evidence,
            message: finding.message(),
            fix: finding.fix(),
            fingerprint: &placed.judged.fingerprint,
            owner: None,
            known: placed.judged.known,
        }
    }
}

impl<'a> From<&'a CheckError> for ErrorOut<'a> {
    fn from(error: &'a CheckError) -> Self {
        Self {
            file: &error.file,
            line: error.line,
            column: error.column,
            message: &error.message,
        }
    }
}
