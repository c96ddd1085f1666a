//! `report -o html`: one page that opens from disk: no script, no network, charts as SVG with their data beside them.

mod charts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::model::{ExemptionStatus, Finding, Namespace, Report, Status, Verdict};
use super::text::count;
use crate::finding::text::{clip, elide, escape_controls};
use crate::rules::RULES;

/// What a browser may load for the page: nothing but its own styles. In the page, and for those that serve it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Light and dark, from 320 px to paper.
const CSS: &str = include_str!("html/style.css");
/// Bytes for the rows of findings: with them the page stays below 1 MB, whatever the names are; `-o csv` has them all.
const FINDINGS_BYTES: usize = 560_000;
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
    let place = |finding: &Finding| {
        if finding.namespace.is_empty() {
            "(cluster)".to_owned()
        } else {
            finding.namespace.clone()
        }
    };
    write!(
        out,
        "{}",
        charts::open_by(report, "by-namespace", "Open findings by namespace", place)
    )?;
    let rule = |finding: &Finding| format!("{} {}", finding.rule, finding.rule_name);
    writeln!(
        out,
        "{}</div>",
        charts::open_by(report, "by-rule", "Open findings by rule", rule)
    )?;
    namespaces(out, report)?;
    findings(out, report)?;
    teams(out, report)?;
    exemptions(out, report)?;
    blind_spots(out, report)?;
    rules(out, report)?;
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
    let mut links = vec![("namespaces", "Namespaces"), ("findings", "Findings")];
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
    let is_switchable = |namespace: &&Namespace| {
        namespace.verdict == Verdict::Ready
            && namespace.mode != "enforce"
            && !namespace.name.is_empty()
    };
    let switchable = report.namespaces.iter().filter(is_switchable).count();
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
        "Missed#",
    ];
    let several = report.clusters.len() > 1;
    let row = |namespace: &Namespace| {
        let why = if namespace.verdict == Verdict::Ready && namespace.mode == "enforce" {
            "enforced".to_owned()
        } else if namespace.verdict == Verdict::Ready && namespace.name.is_empty() {
            "nothing here would be refused".to_owned()
        } else if namespace.verdict == Verdict::Ready {
            format!(
                "<code>kubectl label ns {} undock.dev/mode=enforce --overwrite</code>",
                escape(&namespace.name)
            )
        } else {
            let reasons: Vec<String> = namespace
                .reasons
                .iter()
                .map(|reason| format!("<li>{}</li>", escape(&clip(reason, 240))))
                .collect();
            format!("<ul class=why>{}</ul>", reasons.concat())
        };
        let name = if namespace.name.is_empty() {
            "(cluster)"
        } else {
            &namespace.name
        };
        let name = if several {
            format!("{}/{name}", namespace.cluster)
        } else {
            name.to_owned()
        };
        let Namespace {
            owners,
            open,
            exempt,
            fixed,
            removed,
            would_deny,
            missed,
            ..
        } = namespace;
        let numbers = [
            *owners as u64,
            *open as u64,
            *exempt as u64,
            (*fixed + *removed) as u64,
            *would_deny,
            *missed,
        ];
        let numbers: String = numbers
            .iter()
            .map(|number| format!("<td class=n>{number}</td>"))
            .collect();
        let verdict = namespace.verdict.as_str();
        let mode = escape(&namespace.mode);
        format!(
            "<th scope=row class=long>{}</th><td><span class=\"tag {verdict}\">{verdict}</span></td><td class=why>{why}</td><td>{mode}</td>{numbers}",
            escape(&name)
        )
    };
    table(
        out,
        "Which namespaces can be switched, and why not",
        &titles,
        report.namespaces.iter().take(MAX_ROWS).map(row),
    )?;
    more(out, report.namespaces.len(), MAX_ROWS, "json")
}

fn findings(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    out.write_all(b"<h2 id=findings>Findings</h2>\n")?;
    if report.findings.is_empty() {
        return out.write_all(b"<p>None.</p>\n");
    }
    let titles = [
        "Rule",
        "Status",
        "Owner",
        "Where",
        "Team, release",
        "First seen",
        "Last seen",
        "Seen#",
        "Last writer",
    ];
    let row = |finding: &Finding| {
        let status = finding.status.as_str();
        let rule = escape(&finding.rule);
        // What this version knows is explained below.
        let rule = if finding.rule_name.is_empty() {
            rule
        } else {
            format!("<a href=\"#{rule}\">{rule}</a>")
        };
        let detail = match finding.status {
            Status::Fixed | Status::Removed => format!(
                "<br>{} {}",
                day(&finding.ended_at),
                escape(&finding.ended_how(72))
            ),
            Status::Exempt => format!("<br>until {}", escape(&finding.exempt_until)),
            _ => String::new(),
        };
        let container = if finding.container.is_empty() {
            String::new()
        } else {
            format!("container {}", finding.container)
        };
        let wheres = [&container, &finding.evidence].map(|text| short(text));
        let release =
            [&finding.team, &finding.managed_by, &finding.release].map(|text| short(text));
        let join = |texts: &[String], by: &str| {
            texts
                .iter()
                .filter(|text| !text.is_empty())
                .cloned()
                .collect::<Vec<_>>()
                .join(by)
        };
        format!(
            "<th scope=row class=long>{rule}</th><td class=long><span class=\"tag {status}\">{status}</span>{detail}</td>\
             <td class=long>{}<br>{}/{}</td><td class=long>{}</td><td class=long>{}</td><td class=t>{}</td><td class=t>{}</td><td class=n>{}</td><td class=long>{}</td>",
            if finding.namespace.is_empty() {
                "(cluster)".to_owned()
            } else {
                short(&finding.namespace)
            },
            short(&finding.owner.kind),
            short(&finding.owner.name),
            join(&wheres, "<br>"),
            join(&release, "<br>"),
            day(&finding.first_seen),
            day(&finding.last_seen),
            finding.observations,
            short(&finding.last_writer),
        )
    };
    let mut left = FINDINGS_BYTES;
    let rows = report.findings.iter().map(row).map_while(|row| {
        left = left.checked_sub(row.len())?;
        Some(row)
    });
    let rows: Vec<String> = rows.collect();
    let shown = rows.len();
    table(out, "Open findings first", &titles, rows.into_iter())?;
    more(out, report.findings.len(), shown, "csv")
}

fn teams(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut teams: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for finding in &report.findings {
        let counts = teams.entry(&finding.team).or_default();
        let is_done = matches!(finding.status, Status::Fixed | Status::Removed);
        let are = [
            finding.status == Status::Open,
            finding.status == Status::Open && finding.denies,
            finding.status == Status::Exempt,
            is_done,
        ];
        counts
            .iter_mut()
            .zip(are)
            .for_each(|(count, is)| *count += u64::from(is));
    }
    if teams.keys().all(|team| team.is_empty()) {
        return Ok(());
    }
    out.write_all(b"<h2 id=teams>Teams</h2>\n")?;
    let rows = teams.iter().take(MAX_ROWS).map(|(team, counts)| {
        let cells: String = counts
            .iter()
            .map(|count| format!("<td class=n>{count}</td>"))
            .collect();
        format!(
            "<th scope=row>{}</th>{cells}",
            if team.is_empty() {
                "(no team label)".to_owned()
            } else {
                short(team)
            }
        )
    });
    table(
        out,
        "Findings by team",
        &[
            "Team",
            "Open#",
            "Would be refused#",
            "Exempt#",
            "Fixed or removed#",
        ],
        rows,
    )
}

fn exemptions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.exemptions.is_empty() {
        return Ok(());
    }
    out.write_all(b"<h2 id=exemptions>Exemptions</h2>\n")?;
    if report.coverage.scans == 0 {
        out.write_all(b"<p>Those that reviews used. Unused ones are known only with a scan (<code>undock scan -o json</code>) among the inputs.</p>\n")?;
    }
    let rows = report.exemptions.iter().take(MAX_ROWS).map(|exemption| {
        let status = exemption.status.as_str();
        let left = match exemption.days_left {
            None => String::new(),
            Some(days) if days < 0 => format!("<br>{} days ago", -days),
            Some(days) => format!("<br>in {days} days"),
        };
        let why = if exemption.error.is_empty() { &exemption.reason } else { &exemption.error };
        let [rules, place, reference] = [&exemption.rules, &exemption.place(), &exemption.reference].map(|text| short(text));
        format!(
            "<td><span class=\"tag x-{status}\">{status}</span></td><td class=t>{}{left}</td><th scope=row>{rules}</th>\
             <td class=long>{place}</td><td class=n>{}</td><td class=long>{reference}</td><td class=long>{}</td>",
            escape(&exemption.until),
            exemption.findings,
            escape(&clip(why, 200))
        )
    });
    let titles = [
        "Status",
        "Until",
        "Rules",
        "Where",
        "Findings#",
        "Reference",
        "Reason",
    ];
    table(out, "The most urgent first", &titles, rows)?;
    more(out, report.exemptions.len(), MAX_ROWS, "csv-exemptions")
}

fn blind_spots(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    out.write_all(b"<h2 id=blind-spots>Blind spots</h2>\n")?;
    let coverage = &report.coverage;
    let of_namespaces = |is: &dyn Fn(&Namespace) -> bool| {
        report
            .namespaces
            .iter()
            .filter(|namespace| is(namespace))
            .count() as u64
    };
    let spots = [
        (
            coverage.missed,
            "write",
            "reached the cluster unreviewed: the webhook did not answer",
        ),
        (coverage.review_errors, "object", "could not be evaluated"),
        (coverage.unreadable, "line", "could not be read"),
        (
            coverage.without_object,
            "logged write",
            "carried no object to replay",
        ),
        (
            of_namespaces(&|namespace| namespace.scanned_at.is_empty()),
            "namespace",
            "without a scan of all of it: what was there before the logs is not known",
        ),
        (
            of_namespaces(&|namespace| namespace.mode == "off"),
            "namespace",
            "in mode off: nothing is reviewed",
        ),
    ];
    let spots: String = spots
        .iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, noun, what)| format!("<li>{} {what}</li>", count(*number, noun)))
        .collect();
    match spots.as_str() {
        "" => out.write_all(b"<p>None known.</p>\n")?,
        spots => writeln!(out, "<ul>{spots}</ul>")?,
    }
    if !report.missed_writes.is_empty() {
        let rows = report.missed_writes.iter().take(MAX_ROWS).map(|missed| {
            let object = [&missed.namespace, &missed.resource, &missed.name].map(|text| escape(&elide(text, 60))).join("/");
            let [time, verb, user, webhook] = [&missed.time, &missed.verb, &missed.user, &missed.webhook].map(|text| short(text));
            format!(
                "<td class=t>{time}</td><td>{verb}</td><th scope=row class=long>{object}</th><td class=long>{user}</td><td>{webhook}</td>"
            )
        });
        table(
            out,
            "Writes that failed open",
            &["Time", "Verb", "Object", "Writer", "Webhook"],
            rows,
        )?;
        more(out, report.missed_writes.len(), MAX_ROWS, "json")?;
    }
    if !report.errors.is_empty() {
        let rows = report.errors.iter().map(|error| {
            format!(
                "<th scope=row class=long>{}</th><td class=n>{}</td><td>{}</td>",
                short(&error.file),
                error.line,
                short(&error.message)
            )
        });
        table(
            out,
            "What could not be read",
            &["Input", "Line#", "Why"],
            rows,
        )?;
    }
    Ok(())
}

fn rules(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let seen = |code: &str| report.findings.iter().any(|finding| finding.rule == code);
    let mut is_first = true;
    for rule in RULES.iter().filter(|rule| seen(rule.code)) {
        if std::mem::take(&mut is_first) {
            out.write_all(b"<h2 id=rules>Rules</h2>\n")?;
        }
        write!(
            out,
            "<h3 id=\"{code}\">{code} {}</h3>\n<p>{}</p>\n<p><strong>Fix:</strong> {}</p>\n",
            escape(rule.name),
            escape(&rule.why()),
            escape(&rule.fix()),
            code = rule.code
        )?;
    }
    Ok(())
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
