//! `report -o csv` and `-o csv-exemptions`: one row for each finding, or exemption; RFC 4180. No
//! cell is a formula: spreadsheets would run it.

use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use super::model::{Exemption, Finding, Report};
use crate::finding::text::escape_controls;

/// Title of a column, and its cell in a row.
type Column<T> = (&'static str, fn(&T) -> String);

const COLUMNS: [Column<Finding>; 31] = [
    ("cluster", |own| own.cluster.clone()),
    ("namespace", |own| own.namespace.clone()),
    ("owner_kind", |own| own.owner.kind.clone()),
    ("owner_name", |own| own.owner.name.clone()),
    ("team", |own| own.team.clone()),
    ("managed_by", |own| own.managed_by.clone()),
    ("release", |own| own.release.clone()),
    ("rule", |own| own.rule.clone()),
    ("rule_name", |own| own.rule_name.clone()),
    ("severity", |own| own.impact.clone()),
    ("certainty", |own| own.certainty.clone()),
    ("status", |own| own.status.as_str().to_owned()),
    ("denies", |own| own.denies.to_string()),
    ("container", |own| own.container.clone()),
    ("field", |own| own.field.clone()),
    ("evidence", |own| own.evidence.clone()),
    ("first_seen", |own| own.first_seen.clone()),
    ("last_seen", |own| own.last_seen.clone()),
    ("observations", |own| own.observations.to_string()),
    ("would_deny", |own| own.would_deny.to_string()),
    ("denied", |own| own.denied.to_string()),
    ("last_writer", |own| own.last_writer.clone()),
    ("exempt_until", |own| own.exempt_until.clone()),
    ("exempt_ref", |own| own.exempt_ref.clone()),
    ("ended_at", |own| own.ended_at.clone()),
    ("fingerprint", |own| own.fingerprint.clone()),
    ("ended_by", |own| own.ended_by.clone()),
    ("exempt_scope", |own| own.exempt_scope.clone()),
    ("sources", |own| own.sources.join(" ")),
    ("objects", |own| own.objects.to_string()),
    ("edit", |own| own.edit.clone()),
];

const EXEMPTION_COLUMNS: [Column<Exemption>; 12] = [
    ("cluster", |own| own.cluster.clone()),
    ("namespace", |own| own.namespace.clone()),
    ("holder", |own| own.holder.clone()),
    ("scope", |own| own.scope.clone()),
    ("rules", |own| own.rules.clone()),
    ("status", |own| own.status.as_str().to_owned()),
    ("until", |own| own.until.clone()),
    ("days_left", |own| {
        own.days_left
            .map_or_else(String::new, |days| days.to_string())
    }),
    ("findings", |own| own.findings.to_string()),
    ("ref", |own| own.reference.clone()),
    ("reason", |own| own.reason.clone()),
    ("error", |own| own.error.clone()),
];

/// Writes the findings of `report`.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_rows(out, &COLUMNS, &report.findings)
}

/// Writes the exemptions of `report`.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_exemptions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_rows(out, &EXEMPTION_COLUMNS, &report.exemptions)
}

fn write_rows<T>(out: &mut dyn Write, columns: &[Column<T>], rows: &[T]) -> io::Result<()> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(out);
    writer.write_record(columns.iter().map(|(title, _)| title))?;
    for row in rows {
        writer.write_record(columns.iter().map(|(_, text)| cell(&text(row))))?;
    }
    writer.flush()
}

/// Without control characters; with an apostrophe in front where a spreadsheet would see a formula.
fn cell(text: &str) -> String {
    let text = escape_controls(text);
    let is_number = text.parse::<i64>().is_ok();
    if !is_number && text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut out = Vec::new();
            let columns: [Column<&str>; 2] =
                [("a", |text| (*text).to_owned()), ("b", |_| "".into())];
            write_rows(&mut out, &columns, &[text]).unwrap();
            assert_eq!(
                String::from_utf8(out).unwrap(),
                format!("a,b\r\n{expected},\r\n")
            );
        }
    }
}
