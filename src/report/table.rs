//! `report -o table`: what a person at a terminal asks first.

mod columns;

use std::io::{self, Write};

use super::model::{Finding, Namespace, Report, Status, Verdict};
use super::place::{day, of_cluster, place};
use super::work::{
    OwnerWork, by_cluster, last_week, own_reasons, owners, shared_reasons, switch_commands,
    switchable,
};
use crate::finding::text::{count, elide, escape_controls};
use columns::columns;

/// Findings that are listed; every other output has them all.
const MAX_FINDINGS: usize = 50;
/// BLOCKED namespaces that are listed, and as many UNKNOWN ones.
const MAX_NAMESPACES: usize = 50;
/// Missed writes and errors that are listed.
const MAX_NOTES: usize = 10;

/// How the table is to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With ANSI colours.
    pub colour: bool,
    /// Columns of the terminal; without it, lines are as long as they are.
    pub width: Option<usize>,
}

/// Writes `report` for people.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    head(out, report)?;
    for notice in &report.notices {
        writeln!(out, "note: {}\n", escape_controls(notice))?;
    }
    let owners = owners(report);
    clusters(out, report, &owners, style)?;
    to_do(out, report, &owners, style)?;
    namespaces(out, report, style)?;
    findings(out, report, style)?;
    exemptions(out, report, style)?;
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
            "{} could not be read: the report is incomplete",
            count(unreadable, "line")
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
        "{}: {} recorded, {} in audit logs",
        count(coverage.reviews, "review"),
        coverage.records,
        coverage.audited
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
        "; {} unreviewed, {} missed, {}",
        count(coverage.unreviewed, "write"),
        coverage.missed,
        count(coverage.dry_runs, "dry run")
    )?;
    match last_week(report) {
        Some(week) => writeln!(out, "{week}\n"),
        None => writeln!(out),
    }
}

/// Several clusters, each with its namespaces by verdict.
fn clusters(
    out: &mut dyn Write,
    report: &Report,
    owners: &[OwnerWork<'_>],
    style: Style,
) -> io::Result<()> {
    let clusters = by_cluster(report, owners);
    if clusters.is_empty() {
        return Ok(());
    }
    let titles = ["CLUSTER", "BLOCKED", "UNKNOWN", "READY", "OWNERS TO FIX"];
    let rows = clusters.iter().map(|(cluster, counts)| {
        [
            or_dash(cluster),
            counts.blocked.to_string(),
            counts.unknown.to_string(),
            counts.ready.to_string(),
            counts.owners.to_string(),
        ]
    });
    columns(out, titles, rows, &[], style)?;
    writeln!(out)
}

/// What can be switched today, then what to fix: one row for each owner.
fn to_do(
    out: &mut dyn Write,
    report: &Report,
    owners: &[OwnerWork<'_>],
    style: Style,
) -> io::Result<()> {
    let ready = switchable(report);
    if !ready.is_empty() {
        let what = count(ready.len() as u64, "namespace");
        writeln!(
            out,
            "SWITCH TODAY  {what} in which nothing would be refused; to rehearse, add \
             --dry-run=server"
        )?;
        for command in switch_commands(&ready, report) {
            writeln!(out, "  {}", escape_controls(&command))?;
        }
        writeln!(out)?;
    }
    if owners.is_empty() {
        return Ok(());
    }
    let refused = owners.iter().filter(|work| work.is_refused).count();
    let what = count(refused as u64, "owner");
    writeln!(out, "TO DO  {what} of {} would be refused", owners.len())?;
    let titles = ["OWNER", "RULES", "REFUSED", "TEAM", "LAST SEEN", "FIX"];
    let rows = owners.iter().take(MAX_FINDINGS).map(|work| {
        let own = work.finding;
        [
            place(report, &own.cluster, &own.namespace)
                + &format!("/{}/{}", own.owner.kind, elide(&own.owner.name, 40)),
            work.rules.join(" "),
            if work.is_refused { "yes" } else { "no" }.to_owned(),
            or_dash(&own.team),
            day(work.last_seen).to_owned(),
            work.fix.to_owned(),
        ]
    });
    columns(out, titles, rows, &[4, 3], style)?;
    more(
        out,
        owners.len(),
        MAX_FINDINGS,
        "-o csv, -o json and -o html",
    )?;
    writeln!(out)
}

fn namespaces(out: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    let titles = [
        "NAMESPACE",
        "MODE",
        "VERDICT",
        "OWNERS",
        "OPEN",
        "EXEMPT",
        "FIXED",
        "REMOVED",
        "WOULD-DENY",
        "UNREVIEWED",
        "WHY NOT",
    ];
    let shared = shared_reasons(report);
    for reason in &shared {
        writeln!(out, "In every namespace: {}", escape_controls(reason))?;
    }
    // READY ones are what everybody looks for: they are never cut.
    let mut shown = [0; 2];
    let mut is_shown = |namespace: &&Namespace| {
        let shown = match namespace.verdict {
            Verdict::Ready => return true,
            Verdict::Blocked => &mut shown[0],
            Verdict::Unknown => &mut shown[1],
        };
        *shown += 1;
        *shown <= MAX_NAMESPACES
    };
    let namespaces = report.namespaces.iter();
    let shown: Vec<&Namespace> = namespaces.filter(|own| is_shown(own)).collect();
    let rows = shown.iter().map(|namespace| {
        [
            place(report, &namespace.cluster, &namespace.name),
            or_dash(&namespace.mode),
            namespace.verdict.as_str().to_owned(),
            namespace.owners.to_string(),
            namespace.open.to_string(),
            namespace.exempt.to_string(),
            namespace.fixed.to_string(),
            namespace.removed.to_string(),
            namespace.would_deny.to_string(),
            namespace.unreviewed.to_string(),
            own_reasons(namespace, &shared).join("; "),
        ]
    });
    columns(out, titles, rows, &[5, 7, 3, 6, 8, 9], style)?;
    more(
        out,
        report.namespaces.len(),
        shown.len(),
        "-o json and -o html",
    )
}

fn findings(out: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(
        out,
        "\nFINDINGS  {} open ({} would be refused), {} exempt, {} fixed, {} removed, {} blocked, \
         {} stale",
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
    let rows = report.findings.iter().take(MAX_FINDINGS).map(|finding| {
        [
            finding.rule.clone(),
            or_dash(&finding.impact),
            status(finding),
            place(report, &finding.cluster, &finding.namespace)
                + &format!("/{}/{}", finding.owner.kind, elide(&finding.owner.name, 40)),
            or_dash(&finding.team),
            or_dash(
                [finding.managed_by.as_str(), finding.release.as_str()]
                    .join(":")
                    .trim_matches(':'),
            ),
            day(&finding.first_seen).to_owned(),
            day(&finding.last_seen).to_owned(),
            finding.observations.to_string(),
            elide(&finding.last_writer, 44),
        ]
    });
    columns(out, titles, rows, &[9, 5, 6, 8, 4, 1], style)?;
    more(
        out,
        report.findings.len(),
        MAX_FINDINGS,
        "-o csv, -o json and -o html",
    )
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

fn exemptions(out: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    if report.exemptions.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nEXEMPTIONS  the most urgent first")?;
    let titles = [
        "STATUS", "UNTIL", "RULES", "WHERE", "FINDINGS", "REF", "REASON",
    ];
    let rows = report.exemptions.iter().take(MAX_NOTES).map(|exemption| {
        [
            exemption.status.as_str().to_owned(),
            or_dash(&exemption.until),
            elide(&exemption.rules, 24),
            elide(
                &of_cluster(report, &exemption.cluster, &exemption.place()),
                60,
            ),
            exemption.findings.to_string(),
            or_dash(&elide(&exemption.reference, 24)),
            if exemption.error.is_empty() {
                elide(&exemption.reason, 60)
            } else {
                elide(&exemption.error, 80)
            },
        ]
    });
    columns(out, titles, rows, &[5, 4], style)?;
    let formats = "-o csv-exemptions, -o json and -o html";
    more(out, report.exemptions.len(), MAX_NOTES, formats)
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
            of_cluster(report, &missed.cluster, &missed.namespace),
            missed.resource,
            missed.name,
            missed.user,
            missed.webhook
        );
        writeln!(out, "{}", escape_controls(&line))?;
    }
    more(
        out,
        report.missed_writes.len(),
        MAX_NOTES,
        "-o json and -o html",
    )
}

/// Where the rest is, if not all were shown.
fn more(out: &mut dyn Write, all: usize, shown: usize, formats: &str) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "{more} more are in {formats}"),
    }
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
