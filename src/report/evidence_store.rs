//! All evidence from all inputs: each review once, in any order, a few dozen bytes for each.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::evidence::{AboutOwner, DAY, Deletion, Details, FindingKey, Flags, OwnerKey, Review};
use super::interner::{Interner, Latest};
use super::model::{Missed, ReadError};
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
    pub(super) reviews: HashMap<u128, Review>,
    pub(super) modes: BTreeMap<(String, String), Latest<String>>,
    pub(super) deletions: BTreeSet<Deletion>,
    pub(super) missed: BTreeSet<(i64, Missed)>,
    pub(super) without_object: HashSet<u128>,
    pub(super) dry_runs: HashSet<u128>,
    pub(super) clusters: BTreeSet<String>,
    pub(super) scans: BTreeMap<u128, Reach>,
    /// From the oldest to the newest moment of all inputs.
    pub(super) span: Option<(i64, i64)>,
    /// The same of logs: a scan says nothing about the time before it.
    pub(super) logs: Option<(i64, i64)>,
    /// Days since 1970 of which there are logs.
    pub(super) days: BTreeSet<i64>,
    pub(super) has_audit: bool,
    pub(super) errors: BTreeSet<ReadError>,
    pub(super) unreadable: u64,
}

impl EvidenceStore {
    /// Takes a review; of one that is known already, what is new.
    pub(super) fn add(&mut self, id: u128, review: Review) {
        if !review.flags.has(Flags::SCAN) {
            self.see(review.time);
        }
        let Some(known) = self.reviews.get_mut(&id) else {
            self.reviews.insert(id, review);
            return;
        };
        let old = *known;
        let (better, other) = if review.flags.rank() > old.flags.rank() {
            (review, old)
        } else {
            (old, review)
        };
        let mut set = better.set;
        if other.set != better.set {
            let mut union: Vec<u32> = self
                .sets
                .get(better.set)
                .iter()
                .chain(self.sets.get(other.set))
                .copied()
                .collect();
            union.sort_unstable();
            union.dedup();
            set = self.sets.number(&union);
        }
        *known = Review {
            set,
            suppressed: better.suppressed.max(other.suppressed),
            flags: old.flags.merge(review.flags),
            ..better
        };
    }

    /// Takes a scan; the same one twice is one.
    pub(super) fn add_scan(&mut self, id: u128, reach: Reach) {
        match self.scans.entry(id) {
            Entry::Vacant(entry) => _ = entry.insert(reach),
            Entry::Occupied(mut entry) => entry.get_mut().owners.extend(reach.owners),
        }
    }

    /// Widens the time that the logs cover.
    pub(super) fn see(&mut self, time: i64) {
        self.see_scan(time);
        self.logs = Some(widened(self.logs, time));
        self.days.insert(time.div_euclid(DAY));
    }

    /// Widens the time that the inputs cover.
    pub(super) fn see_scan(&mut self, time: i64) {
        self.span = Some(widened(self.span, time));
    }

    /// Notes what could not be read.
    pub(super) fn fail(&mut self, file: &str, line: usize, message: String) {
        self.unreadable += 1;
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
        if let Err(place) = set.binary_search(&number) {
            set.insert(place, number);
        }
        self.details.entry(number).or_default()
    }
}

fn widened(span: Option<(i64, i64)>, time: i64) -> (i64, i64) {
    span.map_or((time, time), |(from, to)| (from.min(time), to.max(time)))
}
