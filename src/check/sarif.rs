//! `check -o sarif`: SARIF 2.1.0 in the subset that code scanning services take.
//!
//! There is always a list of results, and fingerprints do not change when lines move, so that an alert stays the same alert.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{CheckError, Checked, CheckedObject, Placed};
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
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let found = checked.objects.iter().flat_map(|object| {
        object
            .findings
            .iter()
            .map(move |placed| result(object, placed))
    });
    let run = json!({
        "tool": {"driver": {
            "name": "undock",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": RULES.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
        }},
        "columnKind": "unicodeCodePoints",
        "results": found.collect::<Vec<_>>(),
        "invocations": [{
            "executionSuccessful": checked.errors.is_empty(),
            "toolExecutionNotifications": checked.errors.iter().map(notification).collect::<Vec<_>>(),
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
        "properties": {"tags": ["kubernetes", "docker", rule.impact.as_str()], "precision": precision(rule)},
    })
}

fn precision(rule: &Rule) -> &'static str {
    match rule.certainty.as_str() {
        "certain" => "very-high",
        "likely" => "high",
        _ => "medium",
    }
}

fn result(object: &CheckedObject, placed: &Placed) -> Value {
    let finding = &placed.judged.finding;
    let level = match placed.judged.action {
        Action::Deny => "error",
        Action::Warn => "warning",
        Action::Record | Action::Off => "note",
    };
    let index = RULES.iter().position(|rule| rule.code == finding.rule.code);
    json!({
        "ruleId": finding.rule.code,
        "ruleIndex": index,
        "level": level,
        "message": {"text": format!("{}. {}", finding.message(), finding.fix())},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&object.file)},
                "region": {"startLine": placed.line.max(1), "startColumn": placed.column.max(1)},
            },
            "logicalLocations": [{
                "fullyQualifiedName": format!("{}/{}/{} {}", object.kind, object.namespace, object.name, finding.field),
                "kind": "object",
            }],
        }],
        "partialFingerprints": {"undockFinding/v1": placed.judged.fingerprint},
    })
}

fn notification(error: &CheckError) -> Value {
    let mut location = json!({"artifactLocation": {"uri": uri(&error.file)}});
    if error.line > 0 {
        location["region"] = json!({"startLine": error.line, "startColumn": error.column.max(1)});
    }
    json!({"level": "error", "message": {"text": error.message}, "locations": [{"physicalLocation": location}]})
}

/// A path as a URI, relative as long as the path is: forward slashes, everything but plain characters escaped.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
