//! From all evidence to the report.

use std::collections::HashMap;

use super::Options;
use super::burndown::{burn_down, date};
use super::coverage::{Logs, listed, unreviewed};
use super::disappearance::Disappearances;
use super::evidence::{DAY, Flags, Review};
use super::evidence_store::{EvidenceStore, LogCoverage};
use super::exemptions::exemptions;
use super::findings::findings;
use super::model::{Coverage, Missed, Report, SCHEMA, Window};
use super::moment;
use super::namespaces::{Sources, namespaces};
use super::notices::notices;
use super::resolution::OwnerHistory;
use super::summary::summary;

/// The report of `store`.
pub(super) fn build(mut store: EvidenceStore, options: &Options) -> Report {
    let span = store.span.unwrap_or_default();
    let window_start = span.1 - i64::from(options.window_days) * DAY;
    let asked = options.since.map(|since| since.from(span.1));
    let since = asked.unwrap_or(window_start);
    let mut reviews: Vec<(u128, Review)> = std::mem::take(&mut store.reviews).into_iter().collect();
    reviews.sort_unstable_by_key(|(id, review)| (review.owner, review.time, *id));
    let reviews: Vec<Review> = reviews.into_iter().map(|(_, review)| review).collect();
    let disappearances = Disappearances::of(&store);
    let histories: HashMap<u32, OwnerHistory<'_>> = reviews
        .chunk_by(|a, b| a.owner == b.owner)
        .map(|reviews| {
            let owner = reviews[0].owner;
            let ends = disappearances.of_owner(owner);
            let is_series = store.owners.get(owner).is_series();
            (owner, OwnerHistory::new(reviews, ends, is_series))
        })
        .collect();
    let (findings, open) = findings(&store, &histories, span.1, asked);
    let unreviewed = unreviewed(&store, &disappearances, &histories, window_start);
    let sources = Sources {
        store: &store,
        disappearances: &disappearances,
        histories: &histories,
        reviews: &reviews,
        findings: &findings,
        unreviewed: &unreviewed,
        now: span.1,
        window_start,
        since,
    };
    let namespaces = namespaces(&sources, options);
    let would_deny: Vec<i64> = reviews
        .iter()
        .filter(|review| review.flags.has(Flags::WOULD_DENY))
        .map(|review| review.time)
        .collect();
    let missed: Vec<Missed> = store
        .missed
        .keys()
        .map(|(_, missed)| missed.clone())
        .collect();
    let unreviewed_days = listed(&unreviewed);
    let coverage = coverage(
        &store,
        &reviews,
        unreviewed_days.iter().map(|day| day.writes).sum(),
    );
    Report {
        schema: SCHEMA.to_owned(),
        as_of: store.span.map(|_| moment(span.1)).unwrap_or_default(),
        clusters: store.clusters.iter().cloned().collect(),
        notices: notices(&store, &coverage),
        summary: summary(&namespaces, &findings),
        burn_down: store
            .span
            .map(|span| burn_down(&open, &would_deny, &store.past_days, span, options.deadline))
            .unwrap_or_default(),
        errors: store.errors.iter().cloned().collect(),
        exemptions: exemptions(&store, &disappearances, &findings, date(span.1)),
        missed_writes: missed,
        unreviewed_writes: unreviewed_days,
        window: window(&store, since),
        coverage,
        namespaces,
        findings,
    }
}

fn window(store: &EvidenceStore, since: i64) -> Window {
    let Some((from, to)) = store.span else {
        return Window::default();
    };
    let mut all = LogCoverage::default();
    store.logs.values().for_each(|logs| all.merge(logs.clone()));
    Window {
        from: moment(from),
        to: moment(to),
        since: moment(since.max(from)),
        days: Logs::of(Some(&all), since, 0).days,
    }
}

fn coverage(store: &EvidenceStore, reviews: &[Review], unreviewed: u64) -> Coverage {
    let is_own = |review: &&Review| !review.flags.has(Flags::HISTORY);
    let reviews: Vec<&Review> = reviews.iter().filter(is_own).collect();
    let count = |flag: Flags| {
        let with = reviews.iter().filter(|review| review.flags.has(flag));
        with.count() as u64
    };
    Coverage {
        reviews: reviews.len() as u64 - count(Flags::SCAN),
        records: count(Flags::RECORD),
        audited: reviews
            .iter()
            .filter(|review| review.flags.has(Flags::AUDIT) && !review.flags.has(Flags::REPLAY))
            .count() as u64,
        replayed: count(Flags::REPLAY),
        scans: store.scans.len() as u64,
        without_object: store.without_object.len() as u64,
        missed: store.missed.len() as u64,
        unreviewed,
        dry_runs: store.dry_runs.len() as u64,
        review_errors: count(Flags::ERROR),
        unreadable: store.unreadable,
        other_lines: store.foreign,
    }
}
