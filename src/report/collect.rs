//! Reviews gathered from all inputs: each once, in any order, a few dozen bytes for each.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fate::DAY;
use super::model::{Missed, ReadError};
use super::names::{Latest, Names};
use super::scan::Reach;

/// Errors that are kept to be shown; all are counted.
const MAX_ERRORS: usize = 100;

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) texts: Names<String>,
    pub(super) owners: Names<OwnerKey>,
    pub(super) about: HashMap<u32, AboutOwner>,
    pub(super) findings: Names<FindingKey>,
    pub(super) details: HashMap<u32, Details>,
    pub(super) sets: Names<Vec<u32>>,
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

/// Who is responsible for an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct OwnerKey {
    pub(super) cluster: String,
    pub(super) namespace: String,
    /// Empty where the log does not tell: a clean Pod of a controller.
    pub(super) kind: String,
    pub(super) name: String,
}

/// What the inputs say about an owner, the newest word of each.
#[derive(Debug, Default)]
pub(super) struct AboutOwner {
    pub(super) team: Latest<String>,
    pub(super) managed_by: Latest<String>,
    pub(super) release: Latest<String>,
    /// Of a CronJob.
    pub(super) schedule: Latest<String>,
    /// The field manager that wrote it last, which scans tell.
    pub(super) manager: Latest<String>,
}

/// One finding of one owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FindingKey {
    pub(super) owner: u32,
    pub(super) rule: String,
    pub(super) fingerprint: String,
}

/// What the inputs say about a finding.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) severity: Latest<String>,
    pub(super) certainty: Latest<String>,
    pub(super) container: Latest<String>,
    pub(super) field: Latest<String>,
    pub(super) evidence: Latest<String>,
    /// Where it is exempt.
    pub(super) exempt: Latest<Option<ExemptTerms>>,
    pub(super) denies: bool,
    /// The first of the reviews that a rollup stands for.
    pub(super) first_seen: Option<i64>,
}

/// By what a finding is exempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExemptTerms {
    /// The last day. Dates as text are in order.
    pub(super) until: String,
    pub(super) reference: String,
    /// `namespace`, `workload`, `configuration`; empty where the source does not tell.
    pub(super) scope: String,
}

impl ExemptTerms {
    pub(super) fn new(until: &str, reference: &str, scope: &str) -> Self {
        Self {
            until: until.to_owned(),
            reference: reference.to_owned(),
            scope: scope.to_owned(),
        }
    }
}

/// One review, or one owner in a scan; kept small: there may be a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Review {
    pub(super) time: i64,
    pub(super) owner: u32,
    pub(super) user: u32,
    pub(super) set: u32,
    pub(super) suppressed: u32,
    pub(super) flags: Flags,
}

/// What is true of a review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u16);

impl Flags {
    /// Of the owner itself, not of something that it made.
    pub(super) const OWN: Self = Self(1);
    pub(super) const CREATE: Self = Self(1 << 1);
    /// The write went through.
    pub(super) const STORED: Self = Self(1 << 2);
    pub(super) const DENIED: Self = Self(1 << 3);
    pub(super) const WOULD_DENY: Self = Self(1 << 4);
    /// Not all findings found room.
    pub(super) const PARTIAL: Self = Self(1 << 5);
    /// The object could not be evaluated.
    pub(super) const ERROR: Self = Self(1 << 6);
    /// No review: a scan saw the owner.
    pub(super) const SCAN: Self = Self(1 << 7);
    pub(super) const RECORD: Self = Self(1 << 8);
    pub(super) const REPLAY: Self = Self(1 << 9);
    pub(super) const AUDIT: Self = Self(1 << 10);
    /// Must hold in every source of a review to hold of it.
    const ALL: u16 = Self::STORED.0 | Self::PARTIAL.0;

    pub(super) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(super) fn set(&mut self, flag: Self, value: bool) {
        if value {
            self.0 |= flag.0;
        }
    }

    fn merge(self, other: Self) -> Self {
        Self((self.0 | other.0) & !Self::ALL | (self.0 & other.0 & Self::ALL))
    }

    /// The audit log is the better witness: its events are never folded.
    fn rank(self) -> u16 {
        self.0 >> 8
    }
}

/// An owner, or a whole namespace, that was deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deletion {
    pub(super) time: i64,
    /// The kind is `Namespace` for a namespace.
    pub(super) owner: OwnerKey,
    pub(super) user: String,
}

impl Collected {
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

/// The number of an identity: a UUID is its own, everything else is hashed.
pub(super) fn id(text: &str, salt: &str) -> u128 {
    let digits = text.bytes().filter(|byte| *byte != b'-');
    let parsed = (salt.is_empty() && text.len() == 36).then(|| {
        digits
            .map(|byte| (byte as char).to_digit(16))
            .try_fold(0, |id: u128, digit| Some(id << 4 | u128::from(digit?)))
    });
    if let Some(Some(id)) = parsed {
        return id;
    }
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, text, salt).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
