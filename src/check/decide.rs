//! The second pass: a decision about each object, with the places of what was found.

use super::context::Context;
use super::input::ParsedInput;
use super::lines::Lines;
use super::not_judged;
use super::position::Positions;
use super::{CheckError, CheckedObject, Placed};
use crate::decision::namespace::NamespaceSettings;
use crate::decision::{self, Decision, Requester};
use crate::finding::text::clip;
use crate::manifest::{Item, Manifest, ManifestError};

/// As much of a line as is kept for each finding in it: a whole list can stand in one line of JSON.
const MAX_LINE: usize = 1024;

/// What became of one input.
#[derive(Default)]
pub(super) struct DecidedInput {
    pub(super) objects: Vec<CheckedObject>,
    pub(super) skipped: usize,
    pub(super) errors: Vec<CheckError>,
}

/// Decides about every object of `input`.
pub(super) fn decide(input: &ParsedInput<'_>, context: &Context<'_>) -> DecidedInput {
    let mut decided = DecidedInput {
        skipped: input.skipped,
        ..DecidedInput::default()
    };
    let mut lines = Lines::new(input.text);
    for document in &input.documents {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                decided.errors.push(failure(input.file, error.clone()));
                continue;
            }
        };
        decided.skipped += document.manifest.skipped();
        for item in document.manifest.items() {
            match decide_item(&document.manifest, item, context, &mut lines) {
                Ok((object, rest)) => {
                    decided.errors.extend(rest.map(|message| CheckError {
                        file: input.file.to_owned(),
                        line: object.line,
                        column: 1,
                        message: format!("{} {}: {message}", object.kind, object.name),
                    }));
                    decided.objects.push(CheckedObject {
                        file: input.file.to_owned(),
                        source: document.source.clone(),
                        ..object
                    });
                }
                Err(error) => decided.errors.push(failure(input.file, error)),
            }
        }
    }
    decided
}

fn failure(file: &str, error: ManifestError) -> CheckError {
    CheckError {
        file: file.to_owned(),
        line: error.line,
        column: error.column,
        message: error.message,
    }
}

/// The object with its findings, and why not all of it was evaluated.
fn decide_item(
    manifest: &Manifest<'_>,
    item: &Item,
    context: &Context<'_>,
    lines: &mut Lines<'_>,
) -> Result<(CheckedObject, Option<String>), ManifestError> {
    let object = manifest.object(item)?;
    let inner = manifest.inner_pods(item);
    let workload = context.view(manifest, item, &object, &inner)?;
    let Decision {
        outcome,
        findings,
        mut notes,
        error,
        ..
    } = decision::decide(&workload, None, &context.policy, Requester::default());
    if workload.kind() == "Namespace" {
        notes.extend(NamespaceSettings::of(&workload).flaws(context.policy.period()));
    }
    let mut positions = Positions::new(manifest, item, lines);
    let placed: Vec<_> = findings
        .into_iter()
        .map(|judged| {
            let position = positions.of(&judged.finding);
            Placed {
                judged,
                line: position.line,
                column: position.column,
                width: position.width,
                text: clip(positions.line(position.line), MAX_LINE),
            }
        })
        .collect();
    let checked = CheckedObject {
        file: String::new(),
        source: None,
        line: manifest.start(item).0,
        api_version: workload.api_version().to_owned(),
        kind: workload.kind().to_owned(),
        namespace: workload.namespace.to_owned(),
        name: workload.name.to_owned(),
        owner_kind: workload.owner.kind.to_string(),
        owner_name: workload.owner.name.to_string(),
        outcome,
        findings: placed,
        notes,
        not_judged: not_judged::unseen(&workload),
    };
    Ok((checked, error))
}
