//! The findings of the page: open ones, and folded what ended. As many rows as keep the page small.

use askama::Template;

use super::view::{filled, short};
use crate::finding::text::count;
use crate::report::model::{Finding, Report, Status};
use crate::report::place::{day, place};

/// Bytes for the rows: with them the page stays below 1 MB, whatever the names are; `-o csv` has
/// them all.
const MAX_BYTES: usize = 400_000;

/// The titles above the rows.
pub(super) const FINDINGS_HEAD: &str = "<thead><tr><th scope=col>Rule</th>\
     <th scope=col>Status</th><th scope=col>Owner</th><th scope=col>Where</th>\
     <th scope=col>Team, release</th><th scope=col>First seen</th><th scope=col>Last seen</th>\
     <th scope=col class=n>Seen</th><th scope=col>Last writer</th></tr></thead><tbody>";

pub(super) struct Findings {
    pub(super) is_none: bool,
    pub(super) open: List,
    pub(super) ended: List,
}

/// Findings of one table, and how many do not fit.
pub(super) struct List {
    pub(super) what: String,
    pub(super) all: usize,
    /// As HTML.
    pub(super) rows: Vec<String>,
    pub(super) more: usize,
}

#[derive(Template)]
#[template(path = "finding.html")]
struct Row<'r> {
    own: &'r Finding,
    status: &'static str,
    detail: String,
    place: String,
    kind: String,
    name: String,
    wheres: Vec<String>,
    release: Vec<String>,
    first_seen: &'r str,
    last_seen: &'r str,
    last_writer: String,
}

impl Findings {
    /// # Errors
    /// If a row cannot be made.
    pub(super) fn of(report: &Report) -> askama::Result<Self> {
        let (open, ended): (Vec<&Finding>, Vec<&Finding>) = report
            .findings
            .iter()
            .partition(|finding| finding.status.is_present());
        let mut left = MAX_BYTES;
        Ok(Self {
            is_none: report.findings.is_empty(),
            open: list(report, &open, &mut left)?,
            ended: list(report, &ended, &mut left)?,
        })
    }
}

fn list(report: &Report, findings: &[&Finding], left: &mut usize) -> askama::Result<List> {
    let mut rows = Vec::new();
    for finding in findings {
        let row = row(report, finding).render()?;
        let Some(rest) = left.checked_sub(row.len()) else {
            break;
        };
        *left = rest;
        rows.push(row);
    }
    let what = count(findings.len() as u64, "finding");
    Ok(List {
        what: format!("{what} fixed, removed or refused"),
        all: findings.len(),
        more: findings.len() - rows.len(),
        rows,
    })
}

fn row<'r>(report: &Report, own: &'r Finding) -> Row<'r> {
    let container = if own.container.is_empty() {
        String::new()
    } else {
        format!("container {}", own.container)
    };
    let detail = match own.status {
        Status::Fixed | Status::Removed => {
            format!("{} {}", day(&own.ended_at), own.ended_how(72))
        }
        Status::Exempt => format!("until {}", own.exempt_until),
        _ => String::new(),
    };
    Row {
        own,
        status: own.status.as_str(),
        detail,
        place: short(&place(report, &own.cluster, &own.namespace)),
        kind: short(&own.owner.kind),
        name: short(&own.owner.name),
        wheres: filled([&container, &own.evidence].map(|text| short(text))),
        release: filled([&own.team, &own.managed_by, &own.release].map(|text| short(text))),
        first_seen: day(&own.first_seen),
        last_seen: day(&own.last_seen),
        last_writer: short(&own.last_writer),
    }
}
