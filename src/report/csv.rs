//! `report -o csv`: one row for each finding, RFC 4180. No cell is a formula: spreadsheets would run it.

use std::io::{self, Write};

use super::model::{Finding, Report};

const COLUMNS: [&str; 26] = [
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
];

/// Writes the findings of `report`.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))?;
    for finding in &report.findings {
        let cells: Vec<String> = cells(finding).iter().map(|text| cell(text)).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
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
        text(&finding.severity),
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
    ]
}

/// Quoted where RFC 4180 asks for it; with an apostrophe in front where a spreadsheet would see a formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{guard}{}\"", text.replace('"', "\"\"")) } else { format!("{guard}{text}") }
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
            ("a\nb", "\"a\nb\""),
            ("=1+1", "'=1+1"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("@x", "'@x"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
