//! `report -o markdown`: for a page, an issue or a comment.

use std::io::{self, Write};

use super::model::Report;
use super::place::{exemption_place, place};
use super::work::{
    OwnerWork, by_cluster, last_week, own_reasons, owners, shared_reasons, switch_commands,
    switchable,
};
use crate::finding::text::{escape_controls, markdown_cell as cell};

/// Comments end at 65,536 characters; this leaves room.
const MAX_ROWS: usize = 150;

/// Writes `report` as tables.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    head(out, report)?;
    let owners = owners(report);
    clusters(out, report, &owners)?;
    to_do(out, report, &owners)?;
    namespaces(out, report)?;
    findings(out, report)?;
    exemptions(out, report)?;
    blind_spots(out, report)
}

/// The counts, and what is to be known of them.
fn head(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(
        out,
        "# Off Docker: {} open findings as of {}\n",
        summary.open,
        cell(&report.as_of)
    )?;
    writeln!(
        out,
        "{} would be refused under enforce, {} exempt, {} fixed, {} removed, {} blocked, {} stale. \
         {} of {} namespaces are READY.\n",
        summary.open_denied,
        summary.exempt,
        summary.fixed,
        summary.removed,
        summary.blocked,
        summary.stale,
        summary.ready,
        report.namespaces.len()
    )?;
    if let Some(week) = last_week(report) {
        writeln!(out, "{week}\n")?;
    }
    for notice in &report.notices {
        writeln!(out, "> {}\n", cell(notice))?;
    }
    Ok(())
}

fn namespaces(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let shared = shared_reasons(report);
    for reason in &shared {
        writeln!(out, "> In every namespace: {}\n", cell(reason))?;
    }
    writeln!(
        out,
        "| namespace | mode | verdict | owners | open | fixed | removed | would-deny | unreviewed \
         | why not |"
    )?;
    writeln!(
        out,
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    )?;
    for namespace in report.namespaces.iter().take(MAX_ROWS) {
        let why = own_reasons(namespace, &shared).join("; ");
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&place(report, &namespace.cluster, &namespace.name)),
            cell(&namespace.mode),
            namespace.verdict.as_str(),
            namespace.owners,
            namespace.open,
            namespace.fixed,
            namespace.removed,
            namespace.would_deny,
            namespace.unreviewed,
            cell(&why)
        )?;
    }
    Ok(())
}

fn findings(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| rule | status | owner | evidence | team | last seen | last writer |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    )?;
    for finding in report.findings.iter().take(MAX_ROWS) {
        let owner = format!(
            "{} {}/{}",
            finding.owner.kind,
            place(report, &finding.cluster, &finding.namespace),
            finding.owner.name
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
    match report.findings.len().saturating_sub(MAX_ROWS) {
        0 => Ok(()),
        more => writeln!(out, "\n{more} more findings are not shown."),
    }
}

/// What the inputs do not show.
fn blind_spots(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for missed in report.missed_writes.iter().take(MAX_ROWS) {
        let place = place(report, &missed.cluster, &missed.namespace);
        let object = format!("{place}/{}/{}", missed.resource, missed.name);
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

/// Several clusters, each with its namespaces by verdict.
fn clusters(out: &mut dyn Write, report: &Report, owners: &[OwnerWork<'_>]) -> io::Result<()> {
    let clusters = by_cluster(report, owners);
    if clusters.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "| cluster | BLOCKED | UNKNOWN | READY | owners to fix |\n\
         | --- | ---: | ---: | ---: | ---: |"
    )?;
    for (cluster, counts) in clusters {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(cluster),
            counts.blocked,
            counts.unknown,
            counts.ready,
            counts.owners
        )?;
    }
    writeln!(out)
}

/// What can be switched today, then one row for each owner with something to fix.
fn to_do(out: &mut dyn Write, report: &Report, owners: &[OwnerWork<'_>]) -> io::Result<()> {
    let ready = switchable(report);
    if !ready.is_empty() {
        writeln!(out, "## Switch today\n")?;
        for command in switch_commands(&ready, report) {
            // In a block of code nothing is markup; a name of a namespace cannot end it.
            writeln!(out, "    {}", escape_controls(&command))?;
        }
        writeln!(out)?;
    }
    if owners.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## To do\n\n| owner | rules | would be refused | team | fix |\n\
         | --- | --- | --- | --- | --- |"
    )?;
    for work in owners.iter().take(MAX_ROWS) {
        let own = work.finding;
        let place = place(report, &own.cluster, &own.namespace);
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(&format!("{} {place}/{}", own.owner.kind, own.owner.name)),
            cell(&work.rules.join(" ")),
            if work.is_refused { "yes" } else { "no" },
            cell(&own.team),
            cell(&work.fix)
        )?;
    }
    match owners.len().saturating_sub(MAX_ROWS) {
        0 => writeln!(out),
        more => writeln!(out, "\n{more} more owners are not shown.\n"),
    }
}

fn exemptions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.exemptions.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| exemption | until | rules | where | findings | ref | reason |\n\
         | --- | --- | --- | --- | ---: | --- | --- |"
    )?;
    for exemption in report.exemptions.iter().take(MAX_ROWS) {
        let place = exemption_place(report, exemption);
        let texts = [&exemption.until, &exemption.rules, &place]
            .map(|text| cell(text))
            .join(" | ");
        let (reference, why) = (cell(&exemption.reference), cell(exemption.why()));
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
