//! The lists of the page: findings, teams, exemptions, blind spots, rules.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::to_do::anchor;
use super::{FINDINGS_BYTES, MAX_ROWS, day, escape, more, place, short, table};
use crate::finding::text::{clip, count, elide};
use crate::report::model::{Finding, Namespace, Report, Status};
use crate::rules::RULES;

pub(super) fn findings(out: &mut dyn Write, report: &Report) -> io::Result<()> {
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
            place(report, &finding.cluster, &finding.namespace),
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
    let (present, ended): (Vec<&Finding>, Vec<&Finding>) = report
        .findings
        .iter()
        .partition(|finding| finding.status.is_present());
    let mut left = FINDINGS_BYTES;
    let mut rows = |findings: &[&Finding]| -> Vec<String> {
        let rows = findings.iter().map(|finding| row(finding));
        rows.map_while(|row| {
            left = left.checked_sub(row.len())?;
            Some(row)
        })
        .collect()
    };
    let (open, done) = (rows(&present), rows(&ended));
    let shown = open.len();
    if present.is_empty() {
        out.write_all(b"<p>None is open.</p>\n")?;
    } else {
        table(out, "Open findings", &titles, open.into_iter())?;
    }
    more(out, present.len(), shown, "csv")?;
    if ended.is_empty() {
        return Ok(());
    }
    let (shown, all) = (done.len(), ended.len());
    writeln!(
        out,
        "<details><summary>{} fixed, removed or refused</summary>",
        count(all as u64, "finding")
    )?;
    table(
        out,
        "Fixed, removed or refused findings",
        &titles,
        done.into_iter(),
    )?;
    more(out, all, shown, "csv")?;
    out.write_all(b"</details>\n")
}

pub(super) fn teams(out: &mut dyn Write, report: &Report) -> io::Result<()> {
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
            "<th scope=row id=\"{}\">{}</th>{cells}",
            anchor("team", &[team]),
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

pub(super) fn exemptions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
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

pub(super) fn blind_spots(out: &mut dyn Write, report: &Report) -> io::Result<()> {
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
        (
            coverage.unreviewed - coverage.missed.min(coverage.unreviewed),
            "write",
            "of a reviewed kind carry no review, or were not evaluated",
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

pub(super) fn rules(out: &mut dyn Write, report: &Report) -> io::Result<()> {
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
