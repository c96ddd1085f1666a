//! The other lists of the page: clusters, teams, exemptions, blind spots.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::MAX_ROWS;
use super::view::{anchor, short};
use crate::finding::text::{clip, count, elide};
use crate::report::model::{Exemption, Namespace, Report, Status};
use crate::report::place::{exemption_place, place};

pub(super) struct ClusterRow {
    pub(super) name: String,
    pub(super) blocked: usize,
    pub(super) unknown: usize,
    pub(super) ready: usize,
    pub(super) owners: usize,
}

pub(super) struct TeamRow {
    pub(super) anchor: String,
    pub(super) name: String,
    /// The page of the team; empty where it has none.
    pub(super) file: String,
    /// Open, would be refused, exempt, fixed or removed.
    pub(super) counts: [u64; 4],
}

/// Teams with what is theirs; none where no finding has a team. `file` names the page of a team.
pub(super) fn teams(report: &Report, file: impl Fn(&str) -> String) -> Vec<TeamRow> {
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
        return Vec::new();
    }
    // Those with the most to do first.
    let mut teams: Vec<_> = teams.into_iter().collect();
    teams.sort_by_key(|(_, [open, refused, ..])| Reverse((*refused, *open)));
    teams
        .into_iter()
        .map(|(team, counts)| TeamRow {
            anchor: anchor("team", &[team]),
            name: if team.is_empty() {
                "(no team label)".to_owned()
            } else {
                short(team)
            },
            file: file(team),
            counts,
        })
        .collect()
}

pub(super) struct Exemptions {
    pub(super) rows: Vec<ExemptionRow>,
    pub(super) more: usize,
}

pub(super) struct ExemptionRow {
    pub(super) status: &'static str,
    pub(super) until: String,
    pub(super) left: String,
    pub(super) rules: String,
    pub(super) place: String,
    pub(super) findings: usize,
    pub(super) reference: String,
    pub(super) why: String,
}

impl Exemptions {
    pub(super) fn of(report: &Report) -> Self {
        let rows = report.exemptions.iter().take(MAX_ROWS);
        Self {
            rows: rows.map(|own| exemption(report, own)).collect(),
            more: report.exemptions.len().saturating_sub(MAX_ROWS),
        }
    }
}

fn exemption(report: &Report, own: &Exemption) -> ExemptionRow {
    ExemptionRow {
        status: own.status.as_str(),
        until: own.until.clone(),
        left: match own.days_left {
            None => String::new(),
            Some(days) if days < 0 => format!("{} ago", count(days.unsigned_abs(), "day")),
            Some(days) => format!("in {}", count(days.unsigned_abs(), "day")),
        },
        rules: short(&own.rules),
        place: short(&exemption_place(report, own)),
        findings: own.findings,
        reference: short(&own.reference),
        why: clip(own.why(), 200),
    }
}

/// What the inputs do not show.
pub(super) struct BlindSpots {
    pub(super) lines: Vec<String>,
    pub(super) missed: Vec<MissedRow>,
    pub(super) more_missed: usize,
    pub(super) errors: Vec<ErrorRow>,
}

pub(super) struct MissedRow {
    pub(super) time: String,
    pub(super) verb: String,
    pub(super) object: String,
    pub(super) user: String,
    pub(super) webhook: String,
}

pub(super) struct ErrorRow {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) message: String,
}

impl BlindSpots {
    pub(super) fn of(report: &Report) -> Self {
        let missed = report.missed_writes.iter().take(MAX_ROWS).map(|missed| {
            let own = place(report, &missed.cluster, &missed.namespace);
            let object = [&own, &missed.resource, &missed.name].map(|text| elide(text, 60));
            let [time, verb, user, webhook] =
                [&missed.time, &missed.verb, &missed.user, &missed.webhook].map(|text| short(text));
            MissedRow {
                time,
                verb,
                object: object.join("/"),
                user,
                webhook,
            }
        });
        let errors = report.errors.iter().map(|error| ErrorRow {
            file: short(&error.file),
            line: error.line,
            message: clip(&error.message, 240),
        });
        Self {
            lines: lines(report),
            missed: missed.collect(),
            more_missed: report.missed_writes.len().saturating_sub(MAX_ROWS),
            errors: errors.collect(),
        }
    }
}

fn lines(report: &Report) -> Vec<String> {
    let coverage = &report.coverage;
    let of_namespaces = |is: fn(&&Namespace) -> bool| {
        let with = report.namespaces.iter().filter(is);
        with.count() as u64
    };
    [
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
            of_namespaces(|own| own.scanned_at.is_empty()),
            "namespace",
            "without a scan of all of it: what was there before the logs is not known",
        ),
        (
            of_namespaces(|own| own.mode == "off"),
            "namespace",
            "in mode off: nothing is reviewed",
        ),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, noun, what)| format!("{} {what}", count(number, noun)))
    .collect()
}
