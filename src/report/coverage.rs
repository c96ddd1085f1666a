//! What the inputs cover: days of the logs, and writes that nobody evaluated. What they do not
//! cover is not READY.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::burndown::date;
use super::disappearance::Disappearances;
use super::evidence::{Cause, DAY, UnreviewedWrite};
use super::evidence_store::{EvidenceStore, LogCoverage};
use super::model::UnreviewedDay;
use super::resolution::OwnerHistory;
use crate::kinds::{self, Handling};

/// Days without a line in the logs that are no reason for doubt: a weekend, and one more.
const SILENT_DAYS: i64 = 3;

/// How far the logs of a cluster reach into the window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Logs {
    pub(super) has_audit: bool,
    /// A review left its mark in them, or was made by replay.
    pub(super) has_reviews: bool,
    /// Days of the window that they cover, and days that they should.
    pub(super) days: u32,
    pub(super) wanted_days: u32,
    /// The longest pause in the window that is too long, by its first and last day.
    pub(super) silence: Option<(Date, Date)>,
}

impl Logs {
    /// Those of a cluster, in a window that starts at `since`.
    pub(super) fn of(coverage: Option<&LogCoverage>, since: i64, wanted_days: u32) -> Self {
        let Some((coverage, (from, to))) =
            coverage.and_then(|coverage| Some((coverage, coverage.span?)))
        else {
            return Self {
                wanted_days,
                ..Self::default()
            };
        };
        let start = from.max(since);
        let days = if to < start {
            0
        } else {
            (to - start + DAY) / DAY
        };
        let first = start.div_euclid(DAY);
        let mut last_heard = first - 1;
        let mut silence = None;
        for day in coverage.days.range(first..) {
            let pause = day - last_heard - 1;
            if pause > SILENT_DAYS && silence.is_none_or(|(from, to)| pause > to - from + 1) {
                silence = Some((last_heard + 1, day - 1));
            }
            last_heard = *day;
        }
        let silence = silence.and_then(|(from, to)| Some((date(from * DAY)?, date(to * DAY)?)));
        Self {
            has_audit: coverage.has_audit,
            has_reviews: coverage.has_reviews,
            days: u32::try_from(days).unwrap_or(u32::MAX),
            wanted_days,
            silence,
        }
    }
}

/// Unreviewed writes of one namespace in the window, by day and cause: all, and those that no later
/// evidence makes up for.
pub(super) type UnreviewedDays = BTreeMap<(i64, Cause), (u64, u64)>;

/// Cluster and namespace.
pub(super) type NamespaceKey = (String, String);

/// The unreviewed writes of every namespace since `since`.
pub(super) fn unreviewed(
    store: &EvidenceStore,
    disappearances: &Disappearances<'_>,
    histories: &HashMap<u32, OwnerHistory<'_>>,
    since: i64,
) -> BTreeMap<NamespaceKey, UnreviewedDays> {
    let mut all: BTreeMap<NamespaceKey, UnreviewedDays> = BTreeMap::new();
    let writes = store.unreviewed.values().chain(store.missed.values());
    for write in writes.filter(|write| write.time >= since) {
        let owner = store.owners.get(write.owner);
        let key = (owner.cluster.clone(), owner.namespace.clone());
        let counts = all
            .entry(key)
            .or_default()
            .entry((write.time.div_euclid(DAY), write.cause))
            .or_default();
        counts.0 += 1;
        if !is_made_up_for(store, disappearances, histories, write) {
            counts.1 += 1;
        }
    }
    all
}

/// True if the object, or the template that it was made from, was evaluated later. That it is gone
/// makes up for nothing.
fn is_made_up_for(
    store: &EvidenceStore,
    disappearances: &Disappearances<'_>,
    histories: &HashMap<u32, OwnerHistory<'_>>,
    write: &UnreviewedWrite,
) -> bool {
    let history = histories.get(&write.owner);
    if history.is_some_and(|history| history.is_evaluated_after(write.time)) {
        return true;
    }
    // What a controller makes comes from a template, which a whole scan shows if it is still there.
    let owner = store.owners.get(write.owner);
    let scans = disappearances.scans(&owner.cluster).iter().rev();
    write.by_controller
        && scans
            .take_while(|scan| scan.time > write.time)
            .any(|scan| scan.covers(&owner.kind, &owner.namespace))
}

/// True for what is made and goes by itself: Pods, Jobs, runs of pipelines. What it did will be
/// done again.
pub(super) fn is_transient(kind: &str) -> bool {
    matches!(kind, "Pod" | "Job")
        || kinds::find(kind).is_none_or(|kind| {
            !matches!(
                kind.handling,
                Handling::Template | Handling::Volume | Handling::Text
            )
        })
}

/// The days of all namespaces, as the report lists them.
pub(super) fn listed(all: &BTreeMap<NamespaceKey, UnreviewedDays>) -> Vec<UnreviewedDay> {
    let days = all.iter().flat_map(|((cluster, namespace), days)| {
        days.iter()
            .map(move |((day, cause), (writes, unresolved))| UnreviewedDay {
                cluster: cluster.clone(),
                namespace: namespace.clone(),
                day: date(day * DAY)
                    .map(|date| date.to_string())
                    .unwrap_or_default(),
                cause: cause.as_str().to_owned(),
                writes: *writes,
                unresolved: *unresolved,
            })
    });
    days.collect()
}
