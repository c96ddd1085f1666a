//! All evidence from all inputs: each review once, in any order, a few dozen bytes for each.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::evidence::{
    AboutOwner, DAY, Deletion, Details, FindingKey, OwnerKey, PastDays, Review, UnreviewedWrite,
};
use super::interner::Interner;
use super::model::{Missed, ReadError};
use super::modes::ModeHistory;
use super::reach::Reach;

/// Errors that are kept to be shown; all are counted.
const MAX_ERRORS: usize = 100;

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct EvidenceStore {
    pub(super) texts: Interner<String>,
    pub(super) owners: Interner<OwnerKey>,
    pub(super) about: HashMap<u32, AboutOwner>,
    pub(super) findings: Interner<FindingKey>,
    pub(super) details: HashMap<u32, Details>,
    pub(super) sets: Interner<Vec<u32>>,
    /// Codes of rules, with commas between.
    pub(super) rules_off: Interner<String>,
    pub(super) reviews: HashMap<u128, Review>,
    /// Sets of findings that other inputs show of the same review.
    further_sets: HashMap<u128, Vec<u32>>,
    /// By cluster and namespace.
    pub(super) modes: BTreeMap<(String, String), ModeHistory>,
    pub(super) deletions: BTreeSet<Deletion>,
    /// Writes that failed open, by time.
    pub(super) missed: BTreeMap<(i64, Missed), UnreviewedWrite>,
    /// Other writes that were not evaluated, by audit id.
    pub(super) unreviewed: HashMap<u128, UnreviewedWrite>,
    pub(super) without_object: HashSet<u128>,
    pub(super) dry_runs: HashSet<u128>,
    pub(super) clusters: BTreeSet<String>,
    pub(super) scans: BTreeMap<u128, Reach>,
    /// Of an earlier report.
    pub(super) past_days: PastDays,
    /// From the oldest to the newest moment of all inputs.
    pub(super) span: Option<(i64, i64)>,
    /// How far the logs of each cluster reach.
    pub(super) logs: BTreeMap<String, LogCoverage>,
    pub(super) errors: BTreeSet<ReadError>,
    pub(super) unreadable: u64,
    /// Lines of other programs.
    pub(super) foreign: u64,
}

/// How far the logs of a cluster reach.
#[derive(Clone, Debug, Default)]
pub(super) struct LogCoverage {
    /// From the oldest to the newest moment.
    pub(super) span: Option<(i64, i64)>,
    /// Days since 1970 of which there is anything.
    pub(super) days: BTreeSet<i64>,
    /// There is an audit log among them.
    pub(super) has_audit: bool,
    /// A review left its mark in the audit log.
    pub(super) has_reviews: bool,
    /// An event holds an object, as none does at audit level Metadata.
    pub(super) has_objects: bool,
}

impl LogCoverage {
    pub(super) fn merge(&mut self, other: Self) {
        for time in other.span.into_iter().flat_map(|(from, to)| [from, to]) {
            self.span = Some(widened(self.span, time));
        }
        self.days.extend(other.days);
        self.has_audit |= other.has_audit;
        self.has_reviews |= other.has_reviews;
        self.has_objects |= other.has_objects;
    }
}

impl EvidenceStore {
    /// Takes a review; of one that is known already, what is new.
    pub(super) fn add(&mut self, id: u128, review: Review) {
        let Some(&old) = self.reviews.get(&id) else {
            self.reviews.insert(id, review);
            return;
        };
        let (better, other) = if review.flags.rank() > old.flags.rank() {
            (review, old)
        } else {
            (old, review)
        };
        if other.set != better.set {
            self.further_sets.entry(id).or_default().push(other.set);
        }
        let both = Review {
            owner: self.owner_of_both(better.owner, other.owner),
            suppressed: better.suppressed.max(other.suppressed),
            flags: old.flags.merge(review.flags),
            ..better
        };
        self.reviews.insert(id, both);
    }

    /// The owner of a review that two inputs show: they may differ in the cluster, which not every
    /// input names. `better` is of the input that tells more.
    fn owner_of_both(&self, better: u32, other: u32) -> u32 {
        let cluster = |owner| self.owners.get(owner).cluster.as_str();
        // Of two that are named the first, so that the order of the inputs does not matter.
        let rank = |owner| (cluster(owner).is_empty(), cluster(owner));
        match rank(other) < rank(better) {
            true => other,
            false => better,
        }
    }

    /// Gives each review all findings that any input shows of it, as findings of its owner. Once,
    /// at the end: many inputs may show the same one.
    pub(super) fn unite_sets(&mut self) {
        for (id, mut sets) in std::mem::take(&mut self.further_sets) {
            let Some(&Review { owner, set, .. }) = self.reviews.get(&id) else {
                continue;
            };
            sets.push(set);
            sets.sort_unstable();
            sets.dedup();
            let mut numbers: Vec<u32> = sets
                .iter()
                .flat_map(|set| self.sets.get(*set))
                .copied()
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            let mut union = Vec::with_capacity(numbers.len());
            for number in numbers {
                let key = self.findings.get(number).clone();
                if key.owner == owner {
                    insert(&mut union, number);
                } else {
                    let details = self.details.get(&number).cloned().unwrap_or_default();
                    self.finding(&mut union, owner, &key.rule, &key.fingerprint)
                        .merge(details);
                }
            }
            let set = self.sets.number(&union);
            self.reviews.entry(id).and_modify(|review| review.set = set);
        }
    }

    /// Takes a scan; the same one twice is one.
    pub(super) fn add_scan(&mut self, id: u128, reach: Reach) {
        match self.scans.entry(id) {
            Entry::Vacant(entry) => _ = entry.insert(reach),
            Entry::Occupied(mut entry) => entry.get_mut().owners.extend(reach.owners),
        }
    }

    /// Widens the time that the logs of `cluster` cover.
    pub(super) fn see(&mut self, cluster: &str, time: i64) -> &mut LogCoverage {
        self.see_scan(time);
        if !self.logs.contains_key(cluster) {
            self.logs.insert(cluster.to_owned(), LogCoverage::default());
        }
        let logs = self.logs.get_mut(cluster).expect("inserted above");
        logs.span = Some(widened(logs.span, time));
        logs.days.insert(time.div_euclid(DAY));
        logs
    }

    /// Widens the time that the inputs cover.
    pub(super) fn see_scan(&mut self, time: i64) {
        self.span = Some(widened(self.span, time));
    }

    /// Notes what could not be read: `count` lines, or a whole input.
    pub(super) fn fail(&mut self, file: &str, line: usize, message: String, count: u64) {
        self.unreadable += count;
        self.errors.insert(ReadError {
            file: file.to_owned(),
            line,
            message,
        });
        if self.errors.len() > MAX_ERRORS {
            self.errors.pop_last();
        }
    }

    /// The number of a finding, in `set` once.
    pub(super) fn finding(
        &mut self,
        set: &mut Vec<u32>,
        owner: u32,
        rule: &str,
        fingerprint: &str,
    ) -> &mut Details {
        let number = self.findings.number(&FindingKey {
            owner,
            rule: rule.to_owned(),
            fingerprint: fingerprint.to_owned(),
        });
        insert(set, number);
        self.details.entry(number).or_default()
    }
}

/// Adds `number` to `set`, which is in order.
fn insert(set: &mut Vec<u32>, number: u32) {
    if let Err(place) = set.binary_search(&number) {
        set.insert(place, number);
    }
}

fn widened(span: Option<(i64, i64)>, time: i64) -> (i64, i64) {
    span.map_or((time, time), |(from, to)| (from.min(time), to.max(time)))
}
