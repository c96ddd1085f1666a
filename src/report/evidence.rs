//! What the inputs tell, as it is kept: owners, findings, reviews, deletions; each in a few dozen
//! bytes.

use std::collections::{BTreeMap, BTreeSet};

use bitflags::bitflags;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::interner::Latest;
use super::model::Status;
use crate::workload::series::{gitlab_project, is_series};

/// Milliseconds of a day.
pub(super) const DAY: i64 = 86_400_000;

/// Milliseconds since 1970.
pub(super) fn millis(text: &str) -> Option<i64> {
    let moment = text.parse::<Timestamp>();
    let moment = moment.or_else(|_| rfc3339(text).parse());
    moment.ok().map(Timestamp::as_millisecond)
}

/// A moment as an API server writes it, also where it comes as a table of Google prints it:
/// `2026-11-20 10:00:00.123 UTC`.
pub(super) fn rfc3339(text: &str) -> String {
    match text.strip_suffix(" UTC") {
        Some(text) => format!("{}Z", text.replacen(' ', "T", 1)),
        None => text.to_owned(),
    }
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

impl OwnerKey {
    pub(super) fn new(cluster: String, namespace: &str, kind: &str, name: &str) -> Self {
        // No name ends so: it is a `generateName`, as versions before series told it.
        let rest = if name.ends_with('-') { "*" } else { "" };
        Self {
            cluster,
            namespace: namespace.to_owned(),
            kind: kind.to_owned(),
            name: format!("{name}{rest}"),
        }
    }

    /// True if it stands for objects that come and go under generated names.
    pub(super) fn is_series(&self) -> bool {
        is_series(&self.kind, &self.name)
    }
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
    /// Its Pods in a scan.
    pub(super) pods: Latest<u64>,
}

/// One finding of one owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FindingKey {
    pub(super) owner: u32,
    pub(super) rule: String,
    pub(super) fingerprint: String,
}

/// What the inputs say about a finding.
#[derive(Clone, Debug, Default)]
pub(super) struct Details {
    pub(super) impact: Latest<String>,
    pub(super) certainty: Latest<String>,
    pub(super) container: Latest<String>,
    pub(super) field: Latest<String>,
    pub(super) evidence: Latest<String>,
    /// Where it is exempt.
    pub(super) exempt: Latest<Option<ExemptTerms>>,
    /// Whether `enforce` refuses it, as far as the inputs tell.
    pub(super) denies: Latest<bool>,
    /// The first of the reviews that a rollup stands for.
    pub(super) first_seen: Option<i64>,
    /// Of a GitLab Runner: the projects in whose jobs it was seen.
    pub(super) projects: BTreeSet<u64>,
    pub(super) past: Option<Past>,
}

/// What an earlier report says about a finding.
#[derive(Clone, Debug)]
pub(super) struct Past {
    /// The clock of that report: what is later is not in its counts.
    pub(super) as_of: i64,
    pub(super) first_seen: i64,
    pub(super) last_seen: i64,
    pub(super) end: Option<PastEnd>,
    pub(super) observations: u64,
    pub(super) created: u64,
    pub(super) objects: u64,
    pub(super) denied: u64,
    pub(super) would_deny: u64,
    pub(super) sources: Vec<String>,
}

impl Past {
    /// How long it stayed away on average, each time.
    pub(super) fn pause(&self) -> i64 {
        let times = i64::try_from(self.observations).unwrap_or(i64::MAX);
        (self.last_seen - self.first_seen) / times.saturating_sub(1).max(1)
    }
}

/// How a finding ended before.
#[derive(Clone, Debug)]
pub(super) struct PastEnd {
    pub(super) time: i64,
    /// Fixed or removed.
    pub(super) status: Status,
    /// Empty where a scan told.
    pub(super) by: String,
}

/// Days of an earlier burn-down: open findings and reviews that would have been refused.
#[derive(Debug, Default)]
pub(super) struct PastDays {
    /// Where the other inputs begin.
    pub(super) until: i64,
    /// By date.
    pub(super) days: BTreeMap<String, (usize, u64)>,
}

/// By what a finding is exempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Number of the rules that were off, so that nothing is told of their findings.
    pub(super) rules_off: u32,
    /// See [`project_mark`].
    pub(super) project: u16,
    pub(super) flags: Flags,
}

/// Tells the projects of a GitLab Runner apart in few bytes: two of 65,535 may have the same mark.
/// 0 is none.
pub(super) fn project_mark(pod_name: &str) -> u16 {
    gitlab_project(pod_name).map_or(0, |project| {
        u16::try_from(project % u64::from(u16::MAX)).map_or(0, |mark| mark + 1)
    })
}

bitflags! {
    /// What is true of a review.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Flags: u16 {
        /// Of the owner itself, not of something that it made.
        const OWN = 1;
        const CREATE = 1 << 1;
        /// The write went through.
        const STORED = 1 << 2;
        const DENIED = 1 << 3;
        const WOULD_DENY = 1 << 4;
        /// Not all findings found room.
        const PARTIAL = 1 << 5;
        /// The object could not be evaluated.
        const ERROR = 1 << 6;
        /// No review: a scan saw the owner.
        const SCAN = 1 << 7;
        const RECORD = 1 << 8;
        const REPLAY = 1 << 9;
        const AUDIT = 1 << 10;
        /// The object is a Pod.
        const POD = 1 << 11;
        /// No review: an earlier report says that the finding was there.
        const HISTORY = 1 << 12;
    }
}

impl Flags {
    /// Must hold in every source of a review to hold of it.
    const ALL: Self = Self::STORED.union(Self::PARTIAL);

    pub(super) fn has(self, flag: Self) -> bool {
        self.contains(flag)
    }

    pub(super) fn merge(self, other: Self) -> Self {
        ((self | other) - Self::ALL) | (self & other & Self::ALL)
    }

    /// The audit log is the better witness: its events are never folded.
    pub(super) fn rank(self) -> u16 {
        self.bits() >> 8 & 0b111
    }
}

/// A stored write of a reviewed kind that proves nothing, as nobody evaluated what was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnreviewedWrite {
    pub(super) time: i64,
    /// The object itself; without a name where the log does not tell it.
    pub(super) owner: u32,
    /// Written by a controller of Kubernetes, from a template that is known elsewhere.
    pub(super) by_controller: bool,
    pub(super) cause: Cause,
}

/// Why a write was not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// The log shows no review of it: the webhook was not there, or is not called there.
    NoReview,
    /// The API server says that the webhook did not answer.
    FailedOpen,
    /// The mode was `off`.
    ModeOff,
    /// Replayed, and the log does not hold the object.
    NoObject,
}

impl Cause {
    /// The word in every output.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NoReview => "no-review",
            Self::FailedOpen => "failed-open",
            Self::ModeOff => "mode-off",
            Self::NoObject => "no-object",
        }
    }
}

/// An owner, or a whole namespace, that was deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deletion {
    pub(super) time: i64,
    /// The kind is `Namespace` for a namespace; without a name, all of the kind were deleted.
    pub(super) owner: OwnerKey,
    pub(super) user: String,
}

impl AboutOwner {
    pub(super) fn merge(&mut self, other: Self) {
        let Self {
            team,
            managed_by,
            release,
            schedule,
            manager,
            pods,
        } = other;
        self.team.merge(team);
        self.managed_by.merge(managed_by);
        self.release.merge(release);
        self.schedule.merge(schedule);
        self.manager.merge(manager);
        self.pods.merge(pods);
    }
}

impl Details {
    pub(super) fn merge(&mut self, other: Self) {
        let Self {
            impact,
            certainty,
            container,
            field,
            evidence,
            exempt,
            denies,
            first_seen,
            mut projects,
            past,
        } = other;
        self.impact.merge(impact);
        self.certainty.merge(certainty);
        self.container.merge(container);
        self.field.merge(field);
        self.evidence.merge(evidence);
        self.exempt.merge(exempt);
        self.denies.merge(denies);
        self.first_seen = [self.first_seen, first_seen].into_iter().flatten().min();
        self.projects.append(&mut projects);
        self.past = self.past.take().or(past);
    }
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
    // Reviews of the same moment are put in the order of their numbers, so no release may change
    // them.
    let digest = Sha256::new()
        .chain_update(text)
        .chain_update([0])
        .chain_update(salt)
        .finalize();
    digest[..16]
        .iter()
        .fold(0, |id, byte| id << 8 | u128::from(*byte))
}
