//! What to do, first on the page: namespaces to switch with their commands, then one row for each owner with something to fix.

use crate::finding::text::count;
use std::io::{self, Write};

use super::{day, escape, more, place, short, table};
use crate::report::model::Report;
use crate::report::work::{by_cluster, owners, switch_command, switchable};

/// Rows of owners; `-o csv` has them all.
const MAX_OWNERS: usize = 300;

/// What the inputs cannot tell, what can be switched, and what to fix.
pub(super) fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for notice in &report.notices {
        writeln!(out, "<p class=notice>{}</p>", escape(notice))?;
    }
    clusters(out, report)?;
    let ready = switchable(report);
    if !ready.is_empty() {
        let what = count(ready.len() as u64, "namespace");
        writeln!(
            out,
            "<h2 id=switch>Switch today</h2>\n<p>{what} in which nothing would be refused.</p>\n<ul class=commands>"
        )?;
        for namespace in ready {
            let command = switch_command(namespace, report);
            writeln!(out, "<li><code>{}</code></li>", escape(&command))?;
        }
        writeln!(out, "</ul>")?;
    }
    let owners = owners(report);
    if owners.is_empty() {
        return Ok(());
    }
    let refused = owners.iter().filter(|work| work.is_refused).count();
    writeln!(
        out,
        "<h2 id=to-do>To do</h2>\n<p>{} of {} would be refused.</p>",
        count(refused as u64, "owner"),
        owners.len()
    )?;
    let rows = owners.iter().take(MAX_OWNERS).map(|work| {
        let own = work.finding;
        let refused = if work.is_refused {
            "<span class=\"tag open\">refused</span>"
        } else {
            "no"
        };
        let team = match own.team.as_str() {
            "" => String::new(),
            team => format!("<a href=\"#{}\">{}</a>", anchor("team", &[team]), short(team)),
        };
        format!(
            "<th scope=row class=long id=\"{}\">{}<br>{}/{}</th><td class=long>{}</td><td>{refused}</td>\
             <td class=long>{}</td><td class=long>{team}</td><td class=t>{}</td>",
            anchor("owner", &[&own.cluster, &own.namespace, &own.owner.kind, &own.owner.name]),
            place(report, &own.cluster, &own.namespace),
            short(&own.owner.kind),
            short(&own.owner.name),
            escape(&work.rules.join(" ")),
            escape(&work.fix),
            day(work.last_seen),
        )
    });
    let titles = ["Owner", "Rules", "Enforce", "Fix", "Team", "Last seen"];
    table(out, "Owners with something to fix", &titles, rows)?;
    more(out, owners.len(), MAX_OWNERS, "csv")
}

/// Several clusters, each with its namespaces by verdict.
fn clusters(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let counts = by_cluster(report);
    if counts.len() < 2 {
        return Ok(());
    }
    writeln!(out, "<h2 id=clusters>Clusters</h2>")?;
    let rows = counts.iter().map(|(cluster, counts)| {
        let cells = counts.map(|count| format!("<td class=n>{count}</td>"));
        format!(
            "<th scope=row class=long>{}</th>{}",
            short(cluster),
            cells.concat()
        )
    });
    let titles = ["Cluster", "READY#", "UNKNOWN#", "BLOCKED#"];
    table(out, "Namespaces by verdict", &titles, rows)
}

/// The anchor of a thing with these names, which no other one has.
pub(super) fn anchor(what: &str, names: &[&str]) -> String {
    let mut anchor = what.to_owned();
    for name in names {
        anchor.push('.');
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                anchor.push(char::from(byte));
            } else {
                anchor.push_str(&format!("_{byte:02x}"));
            }
        }
    }
    anchor
}
