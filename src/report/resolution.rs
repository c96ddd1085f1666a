//! What became of a finding: open, exempt, stale, blocked, fixed or removed, from the reviews and scans of its owner in their order.
//!
//! Evidence that a finding is there: a stored write of the owner itself, or of something newly made for it, or a scan. An update of a
//! ReplicaSet that is scaled down shows what the Deployment was, not what it is. Evidence that it is gone: a later such write
//! without it, or a later scan that read the owner whole. Silence is no evidence.

use super::evidence::{DAY, Flags, Review};
use super::model::Status;

/// Days after which an unseen finding is stale.
const STALE_DAYS: i64 = 30;

/// A finding's end, or that it has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolution<'d> {
    pub(super) status: Status,
    /// When, and who; for fixed and removed.
    pub(super) end: Option<(i64, Writer<'d>)>,
    /// First stored write that held it.
    pub(super) stored_since: Option<i64>,
}

/// Who ended it. Nobody is known where a scan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer<'d> {
    /// By number.
    Reviewed(u32),
    /// As the audit log names him.
    Deleted(&'d str),
}

/// A moment after which the owner is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End<'d> {
    pub(super) time: i64,
    /// As the audit log names him; empty where a scan tells.
    pub(super) by: &'d str,
    /// Fixed where the owner may be there still, without the finding; else removed.
    pub(super) status: Status,
}

/// What became of a finding as of `now`. `reviews` are those of its owner in order of time, `holds` says which of them show it,
/// `ends` are those of the owner or its namespace in order of time.
pub(super) fn resolve<'d>(
    reviews: &[Review],
    holds: impl Fn(&Review) -> bool,
    ends: &[End<'d>],
    is_exempt: bool,
    now: i64,
) -> Resolution<'d> {
    let is_stored = |review: &&Review| review.flags.has(Flags::STORED);
    let is_strong =
        |review: &Review| review.flags.has(Flags::OWN) || review.flags.has(Flags::CREATE);
    let shown = || {
        reviews
            .iter()
            .filter(is_stored)
            .filter(|review| holds(review))
    };
    let Some(stored_since) = shown().map(|review| review.time).next() else {
        return Resolution {
            status: Status::Blocked,
            end: None,
            stored_since: None,
        };
    };
    let last_strong = shown()
        .filter(|review| is_strong(review))
        .map(|review| review.time)
        .last();
    let last_shown = shown()
        .map(|review| review.time)
        .last()
        .unwrap_or(stored_since);
    let last = last_strong.unwrap_or(last_shown);
    let was_seen_at_owner = shown().any(|review| review.flags.has(Flags::OWN));
    let end = ends.iter().find(|end| end.time >= last);
    let proves = |review: &&Review| {
        let flags = review.flags;
        let is_witness = flags.has(Flags::OWN) || flags.has(Flags::CREATE) && !was_seen_at_owner;
        // What is being deleted is let through unread.
        let is_alive = end.is_none_or(|end| review.time < end.time || flags.has(Flags::CREATE));
        review.time > last
            && is_witness
            && is_alive
            && !flags.has(Flags::PARTIAL)
            && !flags.has(Flags::ERROR)
    };
    let fix = reviews
        .iter()
        .filter(is_stored)
        .filter(|review| !holds(review))
        .find(proves);
    let (status, end) = match (fix, end) {
        (Some(fix), _) => (Status::Fixed, Some((fix.time, Writer::Reviewed(fix.user)))),
        (None, Some(end)) => (end.status, Some((end.time, Writer::Deleted(end.by)))),
        (None, None) if is_exempt => (Status::Exempt, None),
        (None, None) if now - last_shown > STALE_DAYS * DAY => (Status::Stale, None),
        (None, None) => (Status::Open, None),
    };
    Resolution {
        status,
        end,
        stored_since: Some(stored_since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDS: u32 = 1;

    /// A review at `day`; letters: o own, c create, s stored, p partial, + holds the finding.
    fn review(day: i64, letters: &str) -> Review {
        let mut flags = Flags::default();
        for (letter, flag) in [
            ('o', Flags::OWN),
            ('c', Flags::CREATE),
            ('s', Flags::STORED),
            ('p', Flags::PARTIAL),
            ('e', Flags::ERROR),
        ] {
            flags.set(flag, letters.contains(letter));
        }
        let set = if letters.contains('+') { HOLDS } else { 0 };
        Review {
            time: day * DAY,
            owner: 0,
            user: day as u32,
            set,
            suppressed: 0,
            flags,
        }
    }

    fn status(story: &[(i64, &str)], deleted: &[i64], now: i64) -> (Status, Option<i64>) {
        let reviews: Vec<Review> = story
            .iter()
            .map(|(day, letters)| review(*day, letters))
            .collect();
        let ends: Vec<End<'_>> = deleted
            .iter()
            .map(|day| End {
                time: day * DAY,
                by: "",
                status: Status::Removed,
            })
            .collect();
        let resolution = resolve(
            &reviews,
            |review| review.set == HOLDS,
            &ends,
            false,
            now * DAY,
        );
        (
            resolution.status,
            resolution.end.map(|(time, _)| time / DAY),
        )
    }

    #[test]
    fn every_story_has_its_end() {
        for (what, story, deleted, now, expected) in [
            ("seen", &[(1, "ocs+")][..], &[][..], 2, (Status::Open, None)),
            (
                "silence is no evidence",
                &[(1, "ocs+")],
                &[],
                31,
                (Status::Open, None),
            ),
            (
                "silence for long is stale, never fixed",
                &[(1, "ocs+")],
                &[],
                32,
                (Status::Stale, None),
            ),
            (
                "clean later",
                &[(1, "ocs+"), (5, "os"), (9, "os")],
                &[],
                90,
                (Status::Fixed, Some(5)),
            ),
            (
                "clean before",
                &[(1, "os"), (5, "os+")],
                &[],
                6,
                (Status::Open, None),
            ),
            (
                "back again",
                &[(1, "os+"), (5, "os"), (7, "os+")],
                &[],
                8,
                (Status::Open, None),
            ),
            (
                "only refused",
                &[(1, "oc+"), (2, "oc+")],
                &[],
                3,
                (Status::Blocked, None),
            ),
            (
                "a clean write that was not stored",
                &[(1, "os+"), (5, "o")],
                &[],
                6,
                (Status::Open, None),
            ),
            (
                "deleted",
                &[(1, "os+")],
                &[3],
                90,
                (Status::Removed, Some(3)),
            ),
            (
                "deleted and made again",
                &[(1, "os+"), (4, "ocs+")],
                &[3],
                5,
                (Status::Open, None),
            ),
            (
                "deleted and made again clean",
                &[(1, "os+"), (4, "ocs")],
                &[3],
                5,
                (Status::Fixed, Some(4)),
            ),
            (
                "finalizers of what is deleted",
                &[(1, "os+"), (4, "os")],
                &[3],
                5,
                (Status::Removed, Some(3)),
            ),
            (
                "fixed, then deleted",
                &[(1, "os+"), (2, "os")],
                &[3],
                5,
                (Status::Fixed, Some(2)),
            ),
            (
                "an old ReplicaSet is scaled down later",
                &[(1, "os+"), (4, "os"), (5, "s+")],
                &[],
                6,
                (Status::Fixed, Some(4)),
            ),
            (
                "a new Pod shows it again",
                &[(1, "os+"), (4, "os"), (5, "cs+")],
                &[],
                6,
                (Status::Open, None),
            ),
            (
                "a clean Pod does not clear its Deployment",
                &[(1, "os+"), (4, "cs")],
                &[],
                6,
                (Status::Open, None),
            ),
            (
                "seen in Pods only, then a clean Pod",
                &[(1, "cs+"), (4, "cs")],
                &[],
                6,
                (Status::Fixed, Some(4)),
            ),
            (
                "a cut list proves nothing",
                &[(1, "os+"), (4, "osp")],
                &[],
                6,
                (Status::Open, None),
            ),
            (
                "an error proves nothing",
                &[(1, "os+"), (4, "ose")],
                &[],
                6,
                (Status::Open, None),
            ),
        ] {
            assert_eq!(status(story, deleted, now), expected, "{what}");
        }
    }
}
