//! `-o sarif`: SARIF 2.1.0 in the subset that code scanning services take.
//!
//! There is always a list of results, and fingerprints do not change when lines move, so that an
//! alert stays the same alert.

use std::collections::BTreeSet;
use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::chart::render_command;
use crate::check::{CheckError, Checked, CheckedObject, Placed};
use crate::decision::exemption::Granted;
use crate::finding::{Action, Rule};
use crate::rules::RULES;

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Value; 1],
}

/// Writes `checked` as one SARIF log.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let rules = rules_in_use(checked);
    let results = checked.objects.iter().flat_map(|object| {
        object
            .findings
            .iter()
            .map(|placed| result(object, placed, &rules, checked.compared.is_some()))
    });
    let charts = checked.not_rendered.iter().map(|chart| not_rendered(chart));
    let unseen = checked.not_judged();
    let unseen = unseen.map(|(object, unseen)| not_judged(object, unseen));
    let notifications = checked
        .errors
        .iter()
        .map(unread)
        .chain(charts)
        .chain(unseen);
    let run = json!({
        "tool": {"driver": {
            "name": "undock",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
        }},
        "columnKind": "unicodeCodePoints",
        "results": results.collect::<Vec<_>>(),
        "invocations": [{
            "executionSuccessful": checked.errors.is_empty(),
            "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
        }],
    });
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn descriptor(rule: &Rule) -> Value {
    let (why, fix) = (rule.why(), rule.fix());
    let help = format!("{why}\n\n{fix}\n\nNot flagged: {}", rule.not_flagged());
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": why},
        "help": {"text": fix, "markdown": help},
        "helpUri": format!(
            concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/{}.md"),
            rule.name
        ),
        "properties": {"tags": ["kubernetes", "docker", rule.impact.as_str()],
        "precision": precision(rule)},
    })
}

fn precision(rule: &Rule) -> &'static str {
    match rule.certainty.as_str() {
        "certain" => "very-high",
        "likely" => "high",
        _ => "medium",
    }
}

/// The rules that found something, in the order of their codes.
fn rules_in_use(checked: &Checked) -> Vec<&'static Rule> {
    let findings = checked.objects.iter().flat_map(|object| &object.findings);
    let codes: BTreeSet<&str> = findings
        .map(|placed| placed.judged.finding.rule.code)
        .collect();
    let in_use = RULES.iter().copied();
    in_use.filter(|rule| codes.contains(rule.code)).collect()
}

fn result(
    object: &CheckedObject,
    placed: &Placed,
    rules: &[&'static Rule],
    is_compared: bool,
) -> Value {
    let finding = &placed.judged.finding;
    let level = match placed.judged.action {
        Action::Deny => "error",
        Action::Warn => "warning",
        Action::Record | Action::Off => "note",
    };
    let index = rules.iter().position(|rule| rule.code == finding.rule.code);
    let (file, has_lines) = object.artifact();
    let place = has_lines.then_some((placed.line, placed.column));
    let mut result = json!({
        "ruleId": finding.rule.code,
        "ruleIndex": index,
        "level": level,
        "message": {"text": format!("{}. {}", finding.message(), finding.fix())},
        "locations": [{
            "physicalLocation": location(file, place),
            "logicalLocations": [{
                "fullyQualifiedName": format!(
                    "{}/{}/{} {}",
                    object.kind, object.namespace, object.name, finding.field
                ),
                "kind": "object",
            }],
        }],
        "partialFingerprints": {"undockFinding/v1": placed.judged.fingerprint},
        "suppressions": placed.judged.exempt.iter().map(suppression).collect::<Vec<_>>(),
    });
    if is_compared {
        let state = if placed.judged.preexisting {
            "unchanged"
        } else {
            "new"
        };
        result["baselineState"] = state.into();
    }
    result
}

/// An exemption, which somebody granted until a day.
fn suppression(granted: &Granted) -> Value {
    let (terms, scope) = (&granted.terms, granted.scope.as_str());
    json!({
        "kind": "external",
        "status": "accepted",
        "justification": format!("exempt until {} by the {scope}: {}", terms.until, terms.reason),
    })
}

fn not_rendered(chart: &str) -> Value {
    let location = location(&format!("{chart}/Chart.yaml"), None);
    notification(
        "note",
        format!("not rendered: {}", render_command(chart)),
        location,
    )
}

fn not_judged(object: &CheckedObject, unseen: &str) -> Value {
    let (file, has_lines) = object.artifact();
    let location = location(file, has_lines.then_some((object.line, 1)));
    let message = format!("not judged: {unseen} of {} {}", object.kind, object.name);
    notification("note", message, location)
}

fn unread(error: &CheckError) -> Value {
    let place = (error.line > 0).then_some((error.line, error.column));
    notification("error", error.message.clone(), location(&error.file, place))
}

fn notification(level: &str, message: String, location: Value) -> Value {
    json!({"level": level, "message": {"text": message},
        "locations": [{"physicalLocation": location}]})
}

/// A file, and a line and column of it, if it has any.
fn location(file: &str, place: Option<(usize, usize)>) -> Value {
    let mut location = json!({"artifactLocation": {"uri": uri(file)}});
    if let Some((line, column)) = place {
        location["region"] = json!({"startLine": line.max(1), "startColumn": column.max(1)});
    }
    location
}

/// A path as a URI, relative as long as the path is: forward slashes, everything but plain
/// characters escaped.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    // Services know the repository, not where it was checked out.
    let here = std::env::current_dir().unwrap_or_default();
    let here = format!("{}/", here.display());
    let path = path.strip_prefix(&here).unwrap_or(&path);
    let path = path.strip_prefix("./").unwrap_or(path);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", utf8_percent_encode(path, PLAIN))
}

/// What stands for itself in a URI made of a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'_')
    .remove(b'-')
    .remove(b'~');
