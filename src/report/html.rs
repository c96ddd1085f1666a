//! `report -o html`: one page that opens from disk: no script, no network, charts as SVG with their data beside them.

mod charts;
mod sections;
mod to_do;

use std::fmt::Write as _;
use std::io::{self, Write};

use super::model::{ExemptionStatus, Finding, Namespace, Report, Status, Verdict};
use super::work::switchable;
use crate::finding::text::{clip, count, elide, escape_controls};

/// What a browser may load for the page: nothing but its own styles. In the page, and for those that serve it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Light and dark, from 320 px to paper.
const CSS: &str = include_str!("html/style.css");
/// Bytes for the rows of findings: with them the page stays below 1 MB, whatever the names are; `-o csv` has them all.
const FINDINGS_BYTES: usize = 400_000;
/// Rows of the other tables.
const MAX_ROWS: usize = 300;

/// Writes `report` as one page.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let title = match report.clusters.as_slice() {
        [] => "Off Docker: migration report".to_owned(),
        clusters => format!("Off Docker: {}", clusters.join(", ")),
    };
    let title = escape(&title);
    write!(
        out,
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
         <meta http-equiv=Content-Security-Policy content=\"{CONTENT_SECURITY_POLICY}\">\n\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\n<meta name=color-scheme content=\"light dark\">\n\
         <meta name=referrer content=no-referrer>\n<title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n\
         <a class=skip href=#main>Skip to the report</a>\n<header>\n<h1>{title}</h1>\n",
        CSS
    )?;
    head(out, report)?;
    write!(out, "</header>\n<main id=main>\n")?;
    to_do::write(out, report)?;
    write!(
        out,
        "<h2 id=charts>Progress</h2>\n<div class=charts>\n{}",
        charts::readiness(&report.summary)
    )?;
    write!(
        out,
        "{}{}",
        charts::burn_down(&report.burn_down),
        charts::would_deny(&report.burn_down)
    )?;
    let by_place = |own: &Finding| plain_place(report, &own.cluster, &own.namespace);
    write!(
        out,
        "{}",
        charts::open_by(
            report,
            "by-namespace",
            "Open findings by namespace",
            by_place
        )
    )?;
    let rule = |finding: &Finding| format!("{} {}", finding.rule, finding.rule_name);
    writeln!(
        out,
        "{}</div>",
        charts::open_by(report, "by-rule", "Open findings by rule", rule)
    )?;
    namespaces(out, report)?;
    sections::findings(out, report)?;
    sections::teams(out, report)?;
    sections::exemptions(out, report)?;
    sections::blind_spots(out, report)?;
    sections::rules(out, report)?;
    let coverage = &report.coverage;
    write!(
        out,
        "</main>\n<footer><p>Made by undock {} from {} ({} recorded, {} in audit logs, {} replayed) and {}. \
         Fixed means that a later review or scan of the same owner was without the finding; silence never counts as fixed.</p></footer>\n\
         </body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        count(coverage.reviews, "review"),
        coverage.records,
        coverage.audited,
        coverage.replayed,
        count(coverage.scans, "scan")
    )
}

/// Text of strangers, without meaning in HTML, in text and in quoted attributes alike.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in escape_controls(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn head(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let (summary, window, coverage) = (&report.summary, &report.window, &report.coverage);
    writeln!(out, "<p class=lede>{}</p>", escape(&lede(report)))?;
    let tiles: [(&str, usize, &str, &str); 5] = [
        (
            "READY",
            summary.ready,
            "READY",
            "namespaces in which nothing would be refused",
        ),
        (
            "BLOCKED",
            summary.blocked_namespaces,
            "BLOCKED",
            "namespaces in which writes would be refused",
        ),
        (
            "UNKNOWN",
            summary.unknown,
            "UNKNOWN",
            "namespaces of which too little is known",
        ),
        (
            "open",
            summary.open_denied,
            "to fix",
            "open findings that enforce would refuse",
        ),
        (
            "fixed",
            summary.fixed + summary.removed,
            "done",
            "findings fixed or removed",
        ),
    ];
    out.write_all(b"<ul class=tiles aria-label=Summary>\n")?;
    for (class, value, word, label) in tiles {
        writeln!(
            out,
            "<li><span class=\"{class}\"><b>{value}</b> {word}</span>{label}</li>"
        )?;
    }
    write!(
        out,
        "</ul>\n<p class=dim>As of <strong>{}</strong>. The logs cover {} since {}: {}, {} missed. {}.</p>\n",
        escape(&minute(&report.as_of)),
        count(u64::from(window.days), "day"),
        day(&window.since),
        count(coverage.reviews, "review"),
        count(coverage.missed, "write"),
        count(coverage.scans, "scan")
    )?;
    let mut links = Vec::new();
    links.extend((!switchable(report).is_empty()).then_some(("switch", "Switch today")));
    let has_open = report.summary.open + report.summary.stale > 0;
    links.extend(has_open.then_some(("to-do", "To do")));
    links.extend([("namespaces", "Namespaces"), ("findings", "Findings")]);
    let has_teams = report
        .findings
        .iter()
        .any(|finding| !finding.team.is_empty());
    links.extend(has_teams.then_some(("teams", "Teams")));
    links.extend((!report.exemptions.is_empty()).then_some(("exemptions", "Exemptions")));
    links.push(("blind-spots", "Blind spots"));
    let has_rules = report
        .findings
        .iter()
        .any(|finding| !finding.rule_name.is_empty());
    links.extend(has_rules.then_some(("rules", "Rules")));
    let links: String = links
        .iter()
        .map(|(id, name)| format!("<li><a href=\"#{id}\">{name}</a></li>"))
        .collect();
    writeln!(out, "<nav aria-label=Sections><ul>{links}</ul></nav>")
}

/// The state of things in three sentences at most.
fn lede(report: &Report) -> String {
    let summary = &report.summary;
    let switchable = switchable(report).len();
    let mut told = match (summary.open_denied, switchable) {
        (0, 0) => "Nothing open would be refused.".to_owned(),
        (0, _) => format!(
            "Nothing open would be refused; {switchable} of {} namespaces can be switched to enforce today.",
            report.namespaces.len()
        ),
        (open, _) => {
            let owners: std::collections::BTreeSet<_> = report
                .findings
                .iter()
                .filter(|finding| finding.status == Status::Open && finding.denies)
                .map(Finding::place)
                .collect();
            let owners = owners.len();
            format!(
                "{} in {} would be refused under enforce; {switchable} of {} namespaces can be switched today.",
                count(open as u64, "open finding"),
                count(owners as u64, "workload"),
                report.namespaces.len()
            )
        }
    };
    let burn_down = &report.burn_down;
    match (&burn_down.projected_zero, &burn_down.deadline) {
        (Some(zero), Some(deadline)) if zero <= deadline => {
            _ = write!(
                told,
                " At the pace of the last 14 days nothing is left on {zero}, before the deadline {deadline}."
            )
        }
        (Some(zero), Some(deadline)) => {
            _ = write!(
                told,
                " At the pace of the last 14 days nothing is left on {zero}: after the deadline {deadline}."
            )
        }
        (Some(zero), None) => {
            _ = write!(
                told,
                " At the pace of the last 14 days nothing is left on {zero}."
            )
        }
        (None, Some(deadline))
            if report
                .as_of
                .get(..10)
                .is_some_and(|today| today > deadline.as_str()) =>
        {
            _ = write!(told, " The deadline {deadline} is over.")
        }
        (None, Some(deadline)) => _ = write!(told, " The deadline is {deadline}."),
        (None, None) => {}
    }
    let ending = report
        .exemptions
        .iter()
        .filter(|exemption| exemption.status == ExemptionStatus::Ending)
        .count();
    if ending > 0 {
        _ = write!(
            told,
            " {ending} exemption{} within 14 days.",
            if ending == 1 { " ends" } else { "s end" }
        );
    }
    told
}

/// A table in a region that scrolls by itself, and can be reached by keyboard for it.
fn table(
    out: &mut dyn Write,
    caption: &str,
    titles: &[&str],
    rows: impl Iterator<Item = String>,
) -> io::Result<()> {
    let caption = escape(caption);
    write!(
        out,
        "<div class=scroll tabindex=0 role=region aria-label=\"{caption}\"><table><caption>{caption}</caption><thead><tr>"
    )?;
    for title in titles {
        // A title that ends in a sign of number stands above numbers.
        match title.strip_suffix('#') {
            Some(title) => write!(out, "<th scope=col class=n>{title}</th>")?,
            None => write!(out, "<th scope=col>{title}</th>")?,
        }
    }
    out.write_all(b"</tr></thead><tbody>\n")?;
    for row in rows {
        writeln!(out, "<tr>{row}</tr>")?;
    }
    out.write_all(b"</tbody></table></div>\n")
}

fn namespaces(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    out.write_all(b"<h2 id=namespaces>Namespaces</h2>\n")?;
    let titles = [
        "Namespace",
        "Verdict",
        "Why, or what to do",
        "Mode",
        "Owners#",
        "Open#",
        "Exempt#",
        "Done#",
        "Would deny#",
        "Unreviewed#",
    ];
    let row = |namespace: &Namespace| {
        let why = namespace.why();
        let why = match why.as_slice() {
            [only] if namespace.verdict == Verdict::Ready => escape(only),
            reasons => {
                let reasons = reasons.iter();
                let items =
                    reasons.map(|reason| format!("<li>{}</li>", escape(&clip(reason, 240))));
                format!("<ul class=why>{}</ul>", items.collect::<String>())
            }
        };
        let name = place(report, &namespace.cluster, &namespace.name);
        let Namespace {
            owners,
            open,
            exempt,
            fixed,
            removed,
            would_deny,
            unreviewed,
            ..
        } = namespace;
        let numbers = [
            *owners as u64,
            *open as u64,
            *exempt as u64,
            (*fixed + *removed) as u64,
            *would_deny,
            *unreviewed,
        ];
        let numbers: String = numbers
            .iter()
            .map(|number| format!("<td class=n>{number}</td>"))
            .collect();
        let verdict = namespace.verdict.as_str();
        let mode = escape(&namespace.mode);
        format!(
            "<th scope=row class=long id=\"{}\">{name}</th><td><span class=\"tag {verdict}\">{verdict}</span></td><td class=why>{why}</td><td>{mode}</td>{numbers}",
            to_do::anchor("ns", &[&namespace.cluster, &namespace.name])
        )
    };
    // READY ones are what everybody looks for: they are never cut.
    let (ready, others): (Vec<&Namespace>, Vec<&Namespace>) = report
        .namespaces
        .iter()
        .partition(|own| own.verdict == Verdict::Ready);
    let rows = ready
        .iter()
        .chain(others.iter().take(MAX_ROWS))
        .map(|own| row(own));
    let caption = "Which namespaces can be switched, and why not";
    table(out, caption, &titles, rows)?;
    more(out, others.len(), MAX_ROWS, "json")
}

/// A namespace, with its cluster where there are several, as HTML.
fn place(report: &Report, cluster: &str, namespace: &str) -> String {
    short(&plain_place(report, cluster, namespace))
}

/// The same as text.
fn plain_place(report: &Report, cluster: &str, namespace: &str) -> String {
    let name = if namespace.is_empty() {
        "(cluster)"
    } else {
        namespace
    };
    if report.clusters.len() > 1 {
        format!("{cluster}/{name}")
    } else {
        name.to_owned()
    }
}

fn more(out: &mut dyn Write, count: usize, limit: usize, format: &str) -> io::Result<()> {
    match count.saturating_sub(limit) {
        0 => Ok(()),
        more => writeln!(
            out,
            "<p>{more} more are not shown here; <code>undock report -o {format}</code> has them all.</p>"
        ),
    }
}

fn short(text: &str) -> String {
    escape(&elide(text, 72))
}

/// `2026-11-20 10:00 UTC`
fn minute(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(clock)) => format!("{day} {clock} UTC"),
        _ => time.to_owned(),
    }
}

fn day(time: &str) -> String {
    escape(time.get(..10).unwrap_or(time))
}
