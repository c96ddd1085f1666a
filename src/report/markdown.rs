//! `report -o markdown`: for a page, an issue or a comment.

use std::io::{self, Write};

use super::model::{Report, Verdict};
use crate::finding::text::{clip, escape_controls};

/// Comments end at 65,536 characters; this leaves room.
const MAX_ROWS: usize = 150;

/// Writes `report` as tables.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(
        out,
        "# Off Docker: {} open findings as of {}\n",
        summary.open,
        cell(&report.as_of)
    )?;
    writeln!(
        out,
        "{} would be refused under enforce, {} exempt, {} fixed, {} removed, {} blocked, {} stale. {} of {} namespaces are READY.\n",
        summary.open_denied,
        summary.exempt,
        summary.fixed,
        summary.removed,
        summary.blocked,
        summary.stale,
        summary.ready,
        report.namespaces.len()
    )?;
    writeln!(
        out,
        "| namespace | mode | verdict | owners | open | fixed | would-deny | missed | why not |"
    )?;
    writeln!(
        out,
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"
    )?;
    for namespace in report.namespaces.iter().take(MAX_ROWS) {
        let why = if namespace.verdict == Verdict::Ready {
            "safe to enforce".to_owned()
        } else {
            namespace.reasons.join("; ")
        };
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(if namespace.name.is_empty() {
                "(cluster)"
            } else {
                &namespace.name
            }),
            cell(&namespace.mode),
            namespace.verdict.as_str(),
            namespace.owners,
            namespace.open,
            namespace.fixed + namespace.removed,
            namespace.would_deny,
            namespace.missed,
            cell(&why)
        )?;
    }
    if !report.findings.is_empty() {
        writeln!(
            out,
            "\n| rule | status | owner | evidence | team | last seen | last writer |\n| --- | --- | --- | --- | --- | --- | --- |"
        )?;
    }
    for finding in report.findings.iter().take(MAX_ROWS) {
        let owner = format!(
            "{} {}/{}",
            finding.owner.kind, finding.namespace, finding.owner.name
        );
        let texts = [
            &owner,
            &finding.evidence,
            &finding.team,
            &finding.last_seen,
            &finding.last_writer,
        ]
        .map(|text| cell(text));
        writeln!(
            out,
            "| {} | {} | {} |",
            cell(&finding.rule),
            finding.status.as_str(),
            texts.join(" | ")
        )?;
    }
    let more = report.findings.len().saturating_sub(MAX_ROWS);
    if more > 0 {
        writeln!(out, "\n{more} more findings are not shown.")?;
    }
    exemptions(out, report)?;
    for missed in report.missed_writes.iter().take(MAX_ROWS) {
        let object = format!("{}/{}/{}", missed.namespace, missed.resource, missed.name);
        writeln!(
            out,
            "\nMissed: {} {} {} by {}",
            cell(&missed.time),
            cell(&missed.verb),
            cell(&object),
            cell(&missed.user)
        )?;
    }
    for error in &report.errors {
        writeln!(
            out,
            "\nCould not read {}: {}",
            cell(&format!("{}:{}", error.file, error.line)),
            cell(&error.message)
        )?;
    }
    Ok(())
}

fn exemptions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.exemptions.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| exemption | until | rules | where | findings | ref | reason |\n| --- | --- | --- | --- | ---: | --- | --- |"
    )?;
    for exemption in report.exemptions.iter().take(MAX_ROWS) {
        let why = if exemption.error.is_empty() {
            &exemption.reason
        } else {
            &exemption.error
        };
        let texts = [&exemption.until, &exemption.rules, &exemption.place()]
            .map(|text| cell(text))
            .join(" | ");
        let (reference, why) = (cell(&exemption.reference), cell(why));
        writeln!(
            out,
            "| {} | {texts} | {} | {reference} | {why} |",
            exemption.status.as_str(),
            exemption.findings
        )?;
    }
    match report.exemptions.len().saturating_sub(MAX_ROWS) {
        0 => Ok(()),
        more => writeln!(out, "\n{more} more exemptions are not shown."),
    }
}

/// Text that is neither markup nor the end of a cell.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for c in escape_controls(&clip(text, 300)).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '@' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
