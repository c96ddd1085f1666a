//! What became of a finding: open, exempt, stale, blocked, fixed or removed, from the reviews and
//! scans of its owner in their order.
//!
//! Evidence that a finding is there: a stored write of the owner itself, or of something newly made
//! for it, or a scan. An update of a ReplicaSet that is scaled down shows what the Deployment was,
//! not what it is. Evidence that it is gone: a later such write without it, as near to the Pod as
//! the finding was seen, or a later scan that read the owner whole. Silence is no evidence.

use std::collections::HashMap;

use super::disappearance::{End, Ends};
use super::evidence::{DAY, Flags, Past, Review};
use super::model::Status;

/// Days after which an unseen finding is stale.
pub(crate) const STALE_DAYS: i64 = 30;
/// Days after which a refused write that nobody tries again is over.
const BLOCKED_DAYS: i64 = 7;
/// How long a finding must be gone from a series at least before a clean object shows that it is
/// fixed.
const SERIES_PAUSE: i64 = DAY;

/// A finding's end, or that it has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolution<'d> {
    pub(super) status: Status,
    /// When, and who; for fixed and removed.
    pub(super) end: Option<(i64, EndedBy<'d>)>,
    /// First stored write that held it; none if all were refused.
    pub(super) stored_since: Option<i64>,
}

/// Who ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndedBy<'d> {
    /// By number.
    Reviewed(u32),
    /// As the audit log, or an earlier report, names him; empty where a scan tells, which sees no
    /// identities.
    Deleted(&'d str),
    /// Nobody tried again.
    Nobody,
}

/// The reviews and scans of one owner, and what in them can show that a finding is gone.
pub(super) struct OwnerHistory<'h> {
    /// In order of time.
    reviews: &'h [Review],
    ends: Ends<'h>,
    /// The owner is a series, whose objects can differ: those of one job of a pipeline from those
    /// of another.
    is_series: bool,
    /// Whole, stored reviews by what they are of; in order of time.
    of_owner: Vec<&'h Review>,
    /// Of something that it makes and that makes Pods: a ReplicaSet, a Job; when that was new.
    of_part: Vec<&'h Review>,
    /// Of a Pod of it, when that was new.
    of_pod: Vec<&'h Review>,
    by_scan: Vec<&'h Review>,
    /// Those that are of a project of a GitLab Runner, by its mark.
    by_project: HashMap<u16, Vec<&'h Review>>,
}

impl<'h> OwnerHistory<'h> {
    pub(super) fn new(reviews: &'h [Review], ends: Ends<'h>, is_series: bool) -> Self {
        let mut history = Self {
            reviews,
            ends,
            is_series,
            of_owner: Vec::new(),
            of_part: Vec::new(),
            of_pod: Vec::new(),
            by_scan: Vec::new(),
            by_project: HashMap::new(),
        };
        for review in reviews {
            let flags = review.flags;
            // An earlier report tells of one finding, and nothing of the others.
            let is_part = flags.has(Flags::PARTIAL) || flags.has(Flags::HISTORY);
            if !flags.has(Flags::STORED) || is_part || flags.has(Flags::ERROR) {
                continue;
            }
            if review.project != 0 {
                let of_project = history.by_project.entry(review.project);
                of_project.or_default().push(review);
            }
            if flags.has(Flags::SCAN) {
                history.by_scan.push(review);
            } else if flags.has(Flags::OWN) {
                history.of_owner.push(review);
            } else if flags.has(Flags::CREATE) && flags.has(Flags::POD) {
                history.of_pod.push(review);
            } else if flags.has(Flags::CREATE) {
                history.of_part.push(review);
            }
        }
        history
    }

    /// The history without the reviews that say nothing about a finding.
    pub(super) fn without(&self, is_silent: impl Fn(&Review) -> bool) -> Self {
        let heard = |reviews: &[&'h Review]| -> Vec<&'h Review> {
            let reviews = reviews.iter().copied();
            reviews.filter(|review| !is_silent(review)).collect()
        };
        Self {
            reviews: self.reviews,
            ends: self.ends.clone(),
            is_series: self.is_series,
            of_owner: heard(&self.of_owner),
            of_part: heard(&self.of_part),
            of_pod: heard(&self.of_pod),
            by_scan: heard(&self.by_scan),
            by_project: (self.by_project.iter())
                .map(|(project, reviews)| (*project, heard(reviews)))
                .collect(),
        }
    }

    /// In order of time.
    pub(super) fn reviews(&self) -> &'h [Review] {
        self.reviews
    }

    /// The first end of the owner at `time` or later.
    pub(super) fn end_from(&self, time: i64) -> Option<End<'h>> {
        self.ends.first_from(time)
    }

    /// True if the owner was evaluated as a whole after `time`, whatever was found.
    pub(super) fn is_evaluated_after(&self, time: i64) -> bool {
        let is_later =
            |reviews: &&Vec<&Review>| reviews.last().is_some_and(|review| review.time > time);
        [&self.of_owner, &self.by_scan].iter().any(is_later)
            // Each object of a series is a whole one.
            || self.is_series && [&self.of_part, &self.of_pod].iter().any(is_later)
    }

    /// What became of a finding as of `now`. `shown` are the reviews that show it, in order of
    /// time; `past` is what an earlier report says.
    pub(super) fn resolve(
        &self,
        shown: &[&Review],
        past: Option<&'h Past>,
        is_exempt: bool,
        now: i64,
    ) -> Resolution<'h> {
        let stored = || {
            shown
                .iter()
                .filter(|review| review.flags.has(Flags::STORED))
        };
        let (Some(first), Some(last)) = (stored().next(), stored().next_back()) else {
            return self.refused(shown, past, now);
        };
        let is_strong =
            |review: &&&Review| review.flags.has(Flags::OWN) || review.flags.has(Flags::CREATE);
        let last_strong = stored().rfind(is_strong).unwrap_or(last).time;
        let end = self.ends.first_from(last_strong);
        let stored_since = past.map_or(first.time, |past| past.first_seen.min(first.time));
        let past_end = past.and_then(|past| past.end.as_ref());
        if let Some(end) = past_end.filter(|end| end.time >= last_strong) {
            return Resolution {
                status: end.status,
                end: Some((end.time, EndedBy::Deleted(&end.by))),
                stored_since: Some(stored_since),
            };
        }
        let fix = if self.is_series {
            self.fix_of_series(stored().copied(), past)
        } else {
            self.fix(stored().copied(), last_strong, end.map(|end| end.time))
        };
        let (status, end) = match (fix, end) {
            (Some(fix), _) => (Status::Fixed, Some((fix.time, EndedBy::Reviewed(fix.user)))),
            (None, Some(end)) => (end.status, Some((end.time, EndedBy::Deleted(end.by)))),
            (None, None) if is_exempt => (Status::Exempt, None),
            (None, None) if now - last.time > STALE_DAYS * DAY => (Status::Stale, None),
            (None, None) => (Status::Open, None),
        };
        Resolution {
            status,
            end,
            stored_since: Some(stored_since),
        }
    }

    /// Of a finding that only refused writes showed.
    fn refused(&self, shown: &[&Review], past: Option<&Past>, now: i64) -> Resolution<'h> {
        let last = shown.last().map_or(now, |review| review.time);
        let later = |reviews: &[&'h Review]| reviews.get(after(reviews, last)).copied();
        let fix = if self.is_series {
            self.fix_of_series(shown.iter().copied(), past)
        } else {
            [&self.of_owner, &self.by_scan]
                .into_iter()
                .filter_map(|reviews| later(reviews))
                .min_by_key(|review| review.time)
        };
        let (status, end) = match fix {
            Some(fix) => (Status::Fixed, Some((fix.time, EndedBy::Reviewed(fix.user)))),
            None if now - last > BLOCKED_DAYS * DAY => {
                (Status::Removed, Some((last, EndedBy::Nobody)))
            }
            None => (Status::Blocked, None),
        };
        Resolution {
            status,
            end,
            stored_since: None,
        }
    }

    /// The first object of a series that shows that the finding is gone from it: one without it,
    /// later than the finding ever stayed away before. A build without it may be another job of the
    /// same pipeline, which comes back tomorrow. Of a GitLab Runner, it is a build of the project
    /// in which the finding was seen last: the others may never have had it.
    fn fix_of_series<'s>(
        &self,
        shown: impl DoubleEndedIterator<Item = &'s Review> + Clone,
        past: Option<&Past>,
    ) -> Option<&'h Review> {
        let last = shown.clone().next_back()?;
        let pause = longest_pause(shown).max(past.map_or(0, Past::pause));
        let start = last.time.saturating_add(pause);
        let first = |reviews: &[&'h Review]| {
            let at = reviews.partition_point(|review| review.time < start);
            reviews.get(at).copied()
        };
        if last.project != 0 {
            return first(self.by_project.get(&last.project)?);
        }
        let lists = [&self.by_scan, &self.of_owner, &self.of_part, &self.of_pod];
        let found = lists.into_iter().filter_map(|reviews| first(reviews));
        found.min_by_key(|review| review.time)
    }

    /// The first review after `last` that shows that the finding is gone; `end` is when the owner
    /// was gone.
    ///
    /// After `last`, no review of those that are asked here shows the finding: `last` would be
    /// later.
    fn fix<'s>(
        &self,
        mut shown: impl DoubleEndedIterator<Item = &'s Review> + Clone,
        last: i64,
        end: Option<i64>,
    ) -> Option<&'h Review> {
        let is_of_owner =
            |review: &'s Review| review.flags.has(Flags::OWN) && !review.flags.has(Flags::SCAN);
        let is_below = |review: &'s Review| !review.flags.has(Flags::OWN);
        let was_seen_at_owner = shown.clone().any(is_of_owner) || !shown.clone().any(is_below);
        // What only Pods show was put into them on their way: the owner's own text says nothing
        // about it.
        let was_seen_in_part =
            shown.any(|review| is_below(review) && !review.flags.has(Flags::POD));
        let lists: &[&Vec<&'h Review>] = if was_seen_at_owner {
            &[&self.by_scan, &self.of_owner]
        } else if was_seen_in_part {
            &[&self.by_scan, &self.of_part, &self.of_pod]
        } else {
            &[&self.by_scan, &self.of_pod]
        };
        // What is being deleted is let through unread, unless it is new.
        let is_alive = |review: &&&'h Review| {
            end.is_none_or(|end| review.time < end) || review.flags.has(Flags::CREATE)
        };
        lists
            .iter()
            .filter_map(|reviews| reviews[after(reviews, last)..].iter().find(is_alive))
            .copied()
            .min_by_key(|review| review.time)
    }
}

/// The longest time between two of `shown`, which are in order of time, but not less than
/// [`SERIES_PAUSE`].
fn longest_pause<'s>(shown: impl Iterator<Item = &'s Review>) -> i64 {
    let mut before = None;
    shown
        .filter_map(|review| Some(review.time - before.replace(review.time)?))
        .fold(SERIES_PAUSE, i64::max)
}

/// The place of the first of `reviews` after `time`.
fn after(reviews: &[&Review], time: i64) -> usize {
    reviews.partition_point(|review| review.time <= time)
}

#[cfg(test)]
mod tests;
