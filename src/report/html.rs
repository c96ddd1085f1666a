//! `report -o html`: one page that opens from disk: no script, no network, charts as SVG with their
//! data beside them.
//!
//! The templates are in `html/*.html`; `escape` is what everything that they show goes through.

mod axes;
mod charts;
mod escape;
mod findings;
mod folder;
mod head;
mod namespaces;
mod sections;
mod to_do;
mod view;

use std::collections::HashSet;
use std::io::{self, Write};

use askama::Template;

use super::model::{Coverage, Finding, Report};
use super::place::{day, place};
use super::work::{by_cluster, last_week, owners};
use crate::finding::Rule;
use crate::finding::text::count;
use crate::rules::RULES;
use charts::Figure;
use findings::{FINDINGS_HEAD, Findings};
use head::Tile;
use namespaces::Namespaces;
use sections::{BlindSpots, ClusterRow, Exemptions, TeamRow};
use to_do::{Owners, Switch};
use view::{minute, short};

pub use folder::write_folder;

/// What a browser may load for the page: nothing but its own styles. In the page, and for those
/// that serve it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Light and dark, from 320 px to paper.
const CSS: &str = include_str!("html/style.css");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Rows of most tables.
const MAX_ROWS: usize = 300;

/// Writes `report` as one page.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_page(out, report, &Kind::Alone)
}

/// Which page of several it is.
enum Kind<'k> {
    Alone,
    /// Of all teams, with links to their pages.
    Index,
    /// Of one team; empty where a finding has none.
    Team(&'k str),
}

fn write_page(mut out: &mut dyn Write, report: &Report, kind: &Kind<'_>) -> io::Result<()> {
    let page = Page::of(report, kind).map_err(io::Error::other)?;
    page.write_into(&mut out)?;
    out.write_all(b"\n")
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'r> {
    title: String,
    is_of_team: bool,
    lede: String,
    tiles: [Tile; 5],
    as_of: String,
    days: String,
    since: &'r str,
    reviews: String,
    missed: String,
    scans: String,
    week: Option<String>,
    links: Vec<(&'static str, &'static str)>,
    notices: &'r [String],
    clusters: Vec<ClusterRow>,
    switch: Switch,
    owners: Owners,
    charts: Vec<Figure>,
    namespaces: Namespaces,
    findings: Findings,
    teams: Vec<TeamRow>,
    more_teams: usize,
    exemptions: Exemptions,
    spots: BlindSpots,
    rules: Vec<&'static Rule>,
    coverage: &'r Coverage,
}

impl<'r> Page<'r> {
    fn of(report: &'r Report, kind: &Kind<'_>) -> askama::Result<Self> {
        let coverage = &report.coverage;
        let work = owners(report);
        let clusters: Vec<ClusterRow> = by_cluster(report, &work)
            .into_iter()
            .map(|(name, counts)| ClusterRow {
                name: short(if name.is_empty() { "(no name)" } else { name }),
                blocked: counts.blocked,
                unknown: counts.unknown,
                ready: counts.ready,
                owners: counts.owners,
            })
            .collect();
        let mut teams = sections::teams(report, |team| match kind {
            Kind::Index => folder::file_name(team),
            Kind::Alone | Kind::Team(_) => String::new(),
        });
        let more_teams = teams.len().saturating_sub(MAX_ROWS);
        teams.truncate(MAX_ROWS);
        let anchors: HashSet<&str> = teams.iter().map(|team| team.anchor.as_str()).collect();
        let is_seen: HashSet<&str> = report
            .findings
            .iter()
            .map(|own| own.rule.as_str())
            .collect();
        let by_place = |own: &Finding| place(report, &own.cluster, &own.namespace);
        Ok(Self {
            title: title(report, kind),
            is_of_team: matches!(kind, Kind::Team(_)),
            lede: head::lede(report),
            tiles: head::tiles(report),
            as_of: minute(&report.as_of),
            days: count(u64::from(report.window.days), "day"),
            since: day(&report.window.since),
            reviews: count(coverage.reviews, "review"),
            missed: count(coverage.missed, "write"),
            scans: count(coverage.scans, "scan"),
            week: last_week(report),
            links: head::links(report, !clusters.is_empty()),
            notices: &report.notices,
            clusters,
            switch: Switch::of(report),
            owners: Owners::of(report, &work, &anchors),
            charts: charts::charts(report, by_place)?,
            namespaces: Namespaces::of(report),
            findings: Findings::of(report)?,
            exemptions: Exemptions::of(report),
            spots: BlindSpots::of(report),
            rules: RULES
                .iter()
                .copied()
                .filter(|rule| is_seen.contains(rule.code))
                .collect(),
            coverage,
            teams,
            more_teams,
        })
    }
}

fn title(report: &Report, kind: &Kind<'_>) -> String {
    let title = match report.clusters.as_slice() {
        [] => "Off Docker: migration report".to_owned(),
        clusters => format!("Off Docker: {}", clusters.join(", ")),
    };
    match kind {
        Kind::Team("") => format!("{title}, without a team"),
        Kind::Team(team) => format!("{title}, team {team}"),
        Kind::Alone | Kind::Index => title,
    }
}
