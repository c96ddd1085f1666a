//! `report -o csv` and `-o csv-exemptions`: one row for each finding, or exemption; RFC 4180. No
//! cell is a formula: spreadsheets would run it.

use std::io::{self, Write};

use crate::finding::text::escape_controls;

use super::model::{Exemption, Finding, Report};

const COLUMNS: [&str; 31] = [
    "cluster",
    "namespace",
    "owner_kind",
    "owner_name",
    "team",
    "managed_by",
    "release",
    "rule",
    "rule_name",
    "severity",
    "certainty",
    "status",
    "denies",
    "container",
    "field",
    "evidence",
    "first_seen",
    "last_seen",
    "observations",
    "would_deny",
    "denied",
    "last_writer",
    "exempt_until",
    "exempt_ref",
    "ended_at",
    "fingerprint",
    "ended_by",
    "exempt_scope",
    "sources",
    "objects",
    "edit",
];

const EXEMPTION_COLUMNS: [&str; 12] = [
    "cluster",
    "namespace",
    "holder",
    "scope",
    "rules",
    "status",
    "until",
    "days_left",
    "findings",
    "ref",
    "reason",
    "error",
];

/// Writes the findings of `report`.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))?;
    report
        .findings
        .iter()
        .try_for_each(|finding| row(out, &cells(finding)))
}

/// Writes the exemptions of `report`.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_exemptions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write!(out, "{}\r\n", EXEMPTION_COLUMNS.join(","))?;
    report
        .exemptions
        .iter()
        .try_for_each(|exemption| row(out, &exemption_cells(exemption)))
}

fn row(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

fn exemption_cells(exemption: &Exemption) -> [String; EXEMPTION_COLUMNS.len()] {
    let days_left = exemption.days_left.map(|days| days.to_string());
    [
        exemption.cluster.clone(),
        exemption.namespace.clone(),
        exemption.holder.clone(),
        exemption.scope.clone(),
        exemption.rules.clone(),
        exemption.status.as_str().to_owned(),
        exemption.until.clone(),
        days_left.unwrap_or_default(),
        exemption.findings.to_string(),
        exemption.reference.clone(),
        exemption.reason.clone(),
        exemption.error.clone(),
    ]
}

fn cells(finding: &Finding) -> [String; COLUMNS.len()] {
    let text = |text: &String| text.clone();
    [
        text(&finding.cluster),
        text(&finding.namespace),
        text(&finding.owner.kind),
        text(&finding.owner.name),
        text(&finding.team),
        text(&finding.managed_by),
        text(&finding.release),
        text(&finding.rule),
        text(&finding.rule_name),
        text(&finding.impact),
        text(&finding.certainty),
        finding.status.as_str().to_owned(),
        finding.denies.to_string(),
        text(&finding.container),
        text(&finding.field),
        text(&finding.evidence),
        text(&finding.first_seen),
        text(&finding.last_seen),
        finding.observations.to_string(),
        finding.would_deny.to_string(),
        finding.denied.to_string(),
        text(&finding.last_writer),
        text(&finding.exempt_until),
        text(&finding.exempt_ref),
        text(&finding.ended_at),
        text(&finding.fingerprint),
        text(&finding.ended_by),
        text(&finding.exempt_scope),
        finding.sources.join(" "),
        finding.objects.to_string(),
        text(&finding.edit),
    ]
}

/// Without control characters, quoted where RFC 4180 asks for it; with an apostrophe in front where
/// a spreadsheet would see a formula.
fn cell(text: &str) -> String {
    let text = escape_controls(text);
    let is_number = text.parse::<i64>().is_ok();
    let guard = if !is_number && text.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    if text.contains(['"', ',']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("a\nb", "a\\u{a}b"),
            ("\t=1", "\\u{9}=1"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("=1+1", "'=1+1"),
            (
                "=HYPERLINK(\"x\",\"y\")",
                "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"",
            ),
            ("@x", "'@x"),
            ("-5", "-5"),
            ("-5+1", "'-5+1"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
