//! `report -o table`: what a person at a terminal asks first.

use std::io::{self, Write};

use super::model::{Finding, Report, Status, Verdict};
use super::text::count;
use crate::finding::text::{elide, escape_controls};

/// Findings that are listed; every other output has them all.
const MAX_FINDINGS: usize = 50;
/// Missed writes and errors that are listed.
const MAX_NOTES: usize = 10;

/// Writes `report` for people. `colour` adds ANSI colours.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, report: &Report, colour: bool) -> io::Result<()> {
    head(out, report)?;
    for notice in &report.notices {
        writeln!(out, "note: {}\n", escape_controls(notice))?;
    }
    namespaces(out, report, colour)?;
    findings(out, report)?;
    exemptions(out, report)?;
    missed(out, report)?;
    burn_down(out, report)?;
    for error in report.errors.iter().take(MAX_NOTES) {
        writeln!(
            out,
            "error: {}:{}: {}",
            escape_controls(&error.file),
            error.line,
            escape_controls(&error.message)
        )?;
    }
    let unreadable = report.coverage.unreadable;
    if unreadable > 0 {
        writeln!(
            out,
            "{unreadable} lines could not be read: the report is incomplete"
        )?;
    }
    Ok(())
}

fn head(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let clusters = if report.clusters.is_empty() {
        "-".to_owned()
    } else {
        report.clusters.join(", ")
    };
    let (window, coverage) = (&report.window, &report.coverage);
    writeln!(
        out,
        "Cluster {}   {} .. {} ({} d)",
        escape_controls(&clusters),
        day(&window.from),
        day(&window.to),
        window.days
    )?;
    write!(
        out,
        "{} reviews: {} recorded, {} in audit logs",
        coverage.reviews, coverage.records, coverage.audited
    )?;
    if coverage.scans > 0 {
        write!(out, "; {}", count(coverage.scans, "scan"))?;
    }
    if coverage.replayed + coverage.without_object > 0 {
        write!(
            out,
            ", {} replayed ({} writes logged without an object)",
            coverage.replayed, coverage.without_object
        )?;
    }
    writeln!(
        out,
        "; {} unreviewed, {} missed, {}\n",
        count(coverage.unreviewed, "write"),
        coverage.missed,
        count(coverage.dry_runs, "dry run")
    )
}

fn namespaces(out: &mut dyn Write, report: &Report, colour: bool) -> io::Result<()> {
    let titles = [
        "NAMESPACE",
        "MODE",
        "VERDICT",
        "OWNERS",
        "OPEN",
        "EXEMPT",
        "FIXED",
        "WOULD-DENY",
        "MISSED",
        "WHY NOT",
    ];
    let mut rows = vec![titles.map(str::to_owned)];
    let several = report.clusters.len() > 1;
    for namespace in &report.namespaces {
        let name = if namespace.name.is_empty() {
            "(cluster)"
        } else {
            &namespace.name
        };
        rows.push([
            if several {
                format!("{}/{name}", namespace.cluster)
            } else {
                name.to_owned()
            },
            or_dash(&namespace.mode),
            namespace.verdict.as_str().to_owned(),
            namespace.owners.to_string(),
            namespace.open.to_string(),
            namespace.exempt.to_string(),
            (namespace.fixed + namespace.removed).to_string(),
            namespace.would_deny.to_string(),
            namespace.missed.to_string(),
            match (namespace.verdict, namespace.mode.as_str()) {
                (Verdict::Ready, "enforce") => "enforced".to_owned(),
                (Verdict::Ready, _) if namespace.name.is_empty() => {
                    "nothing here would be refused".to_owned()
                }
                (Verdict::Ready, _) => "undock.dev/mode=enforce is safe".to_owned(),
                _ => namespace.reasons.join("; "),
            },
        ]);
    }
    let paint = |cell: &str| {
        let code = [("BLOCKED", "31;1"), ("UNKNOWN", "33;1"), ("READY", "32;1")]
            .iter()
            .find(|(word, _)| *word == cell.trim_end());
        match code.filter(|_| colour) {
            Some((_, code)) => format!("\u{1b}[{code}m{cell}\u{1b}[0m"),
            None => cell.to_owned(),
        }
    };
    columns(out, &rows, &paint)
}

fn findings(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(
        out,
        "\nFINDINGS  {} open ({} would be refused), {} exempt, {} fixed, {} removed, {} blocked, {} stale",
        summary.open,
        summary.open_denied,
        summary.exempt,
        summary.fixed,
        summary.removed,
        summary.blocked,
        summary.stale
    )?;
    if report.findings.is_empty() {
        return Ok(());
    }
    let titles = [
        "RULE",
        "SEVERITY",
        "STATUS",
        "OWNER",
        "TEAM",
        "RELEASE",
        "FIRST SEEN",
        "LAST SEEN",
        "SEEN",
        "LAST WRITER",
    ];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(report.findings.iter().take(MAX_FINDINGS).map(|finding| {
        [
            finding.rule.clone(),
            or_dash(&finding.severity),
            status(finding),
            format!(
                "{}/{}/{}",
                or_dash(&finding.namespace),
                finding.owner.kind,
                elide(&finding.owner.name, 40)
            ),
            or_dash(&finding.team),
            or_dash(
                [finding.managed_by.as_str(), finding.release.as_str()]
                    .join(":")
                    .trim_matches(':'),
            ),
            day(&finding.first_seen),
            day(&finding.last_seen),
            finding.observations.to_string(),
            elide(&finding.last_writer, 44),
        ]
    }));
    columns(out, &rows, &|cell| cell.to_owned())?;
    let more = report.findings.len().saturating_sub(MAX_FINDINGS);
    if more > 0 {
        writeln!(out, "{more} more are in -o csv, -o json and -o html")?;
    }
    Ok(())
}

/// The status, with who ended it and when.
fn status(finding: &Finding) -> String {
    match finding.status {
        Status::Fixed | Status::Removed => {
            format!(
                "{} {} {}",
                finding.status.as_str(),
                day(&finding.ended_at),
                finding.ended_how(24)
            )
        }
        Status::Exempt => format!("exempt until {}", finding.exempt_until),
        status => status.as_str().to_owned(),
    }
}

fn exemptions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.exemptions.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nEXEMPTIONS  the most urgent first")?;
    let mut rows = vec![
        [
            "STATUS", "UNTIL", "RULES", "WHERE", "FINDINGS", "REF", "REASON",
        ]
        .map(str::to_owned),
    ];
    rows.extend(report.exemptions.iter().take(MAX_NOTES).map(|exemption| {
        [
            exemption.status.as_str().to_owned(),
            or_dash(&exemption.until),
            elide(&exemption.rules, 24),
            elide(&exemption.place(), 60),
            exemption.findings.to_string(),
            or_dash(&elide(&exemption.reference, 24)),
            if exemption.error.is_empty() {
                elide(&exemption.reason, 60)
            } else {
                elide(&exemption.error, 80)
            },
        ]
    }));
    columns(out, &rows, &|cell| cell.to_owned())?;
    let more = report.exemptions.len().saturating_sub(MAX_NOTES);
    if more > 0 {
        writeln!(
            out,
            "{more} more are in -o csv-exemptions, -o json and -o html"
        )?;
    }
    Ok(())
}

fn missed(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.missed_writes.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nMISSED WRITES  stored without a review, as undock did not answer"
    )?;
    for missed in report.missed_writes.iter().take(MAX_NOTES) {
        let line = format!(
            "{}  {} {}/{}/{} by {} ({})",
            missed.time,
            missed.verb,
            missed.namespace,
            missed.resource,
            missed.name,
            missed.user,
            missed.webhook
        );
        writeln!(out, "{}", escape_controls(&line))?;
    }
    let more = report.missed_writes.len().saturating_sub(MAX_NOTES);
    if more > 0 {
        writeln!(out, "{more} more are in -o json and -o html")?;
    }
    Ok(())
}

fn burn_down(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let burn_down = &report.burn_down;
    let days = &burn_down.days[burn_down.days.len().saturating_sub(14)..];
    let values: Vec<String> = days.iter().map(|day| day.open.to_string()).collect();
    write!(out, "\nBURN-DOWN  open {}", values.join(" "))?;
    if let Some(deadline) = &burn_down.deadline {
        write!(out, "   deadline {deadline}")?;
    }
    if let Some(slope) = burn_down.slope {
        write!(out, "   trend {slope:+.2}/day")?;
    }
    match &burn_down.projected_zero {
        Some(date) => writeln!(out, "   projected zero {date}"),
        None => writeln!(out, "   {}", burn_down.note),
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}

/// The day of a moment.
fn day(time: &str) -> String {
    time.get(..10).unwrap_or(time).to_owned()
}

/// Writes `rows` in columns; the last one is as wide as it is.
fn columns<const N: usize>(
    out: &mut dyn Write,
    rows: &[[String; N]],
    paint: &dyn Fn(&str) -> String,
) -> io::Result<()> {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| escape_controls(cell)).collect())
        .collect();
    let width = |at: usize| {
        rows.iter()
            .map(|row| row[at].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| paint(&format!("{cell:<width$}")))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
