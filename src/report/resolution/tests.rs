//! Stories of an owner, and what became of its finding.

use super::*;
use crate::report::evidence::{Deletion, OwnerKey};

const HOLDS: u32 = 1;

/// A review at `day`; letters: o own, c create, s stored, p partial, d of a Pod, + holds the
/// finding.
fn review(day: i64, letters: &str) -> Review {
    let mut flags = Flags::default();
    for (letter, flag) in [
        ('o', Flags::OWN),
        ('c', Flags::CREATE),
        ('s', Flags::STORED),
        ('p', Flags::PARTIAL),
        ('e', Flags::ERROR),
        ('d', Flags::POD),
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
        rules_off: 0,
        project: 0,
        flags,
    }
}

fn status(story: &[(i64, &str)], deleted: &[i64], now: i64) -> (Status, Option<i64>) {
    resolved(story, deleted, now, false)
}

fn resolved(
    story: &[(i64, &str)],
    deleted: &[i64],
    now: i64,
    is_series: bool,
) -> (Status, Option<i64>) {
    let reviews: Vec<Review> = story
        .iter()
        .map(|(day, letters)| review(*day, letters))
        .collect();
    let deletions: Vec<Deletion> = deleted
        .iter()
        .map(|day| Deletion {
            time: day * DAY,
            owner: OwnerKey::default(),
            user: String::new(),
        })
        .collect();
    let deletions: Vec<&Deletion> = deletions.iter().collect();
    let history = OwnerHistory::new(&reviews, Ends::deleted(&deletions), is_series);
    let shown: Vec<&Review> = reviews
        .iter()
        .filter(|review| review.set == HOLDS)
        .collect();
    let resolution = history.resolve(&shown, None, false, now * DAY);
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
            "seen in Pods only, then a clean write of the owner",
            &[(1, "os"), (2, "cds+"), (4, "os")],
            &[],
            6,
            (Status::Open, None),
        ),
        (
            "seen in Pods only, then a clean ReplicaSet and a clean Pod",
            &[(2, "cds+"), (4, "cs"), (5, "cds")],
            &[],
            6,
            (Status::Fixed, Some(5)),
        ),
        (
            "refused, then written without it",
            &[(1, "oc+"), (2, "ocs")],
            &[],
            3,
            (Status::Fixed, Some(2)),
        ),
        (
            "refused, and not tried again",
            &[(1, "oc+")],
            &[],
            9,
            (Status::Removed, Some(1)),
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

#[test]
fn a_series_is_open_while_its_finding_comes_back() {
    for (what, story, now, expected) in [
        (
            "seen, and its Pods are gone",
            &[(1, "cds+"), (2, "cds+")][..],
            3,
            (Status::Open, None),
        ),
        (
            "another job of the same day is clean",
            &[(1, "cds+"), (1, "cds")],
            2,
            (Status::Open, None),
        ),
        (
            "clean a day later",
            &[(1, "cds+"), (2, "cds"), (3, "cds")],
            4,
            (Status::Fixed, Some(2)),
        ),
        (
            "clean, but it stayed away for as long before",
            &[
                (1, "cds+"),
                (3, "cds"),
                (6, "cds+"),
                (7, "cds"),
                (10, "cds"),
            ],
            10,
            (Status::Open, None),
        ),
        (
            "clean for longer than it ever stayed away",
            &[(1, "cds+"), (6, "cds+"), (10, "cds"), (11, "cds")],
            12,
            (Status::Fixed, Some(11)),
        ),
        (
            "not seen for a month",
            &[(1, "cds+")],
            32,
            (Status::Stale, None),
        ),
        (
            "Jobs are objects, too",
            &[(1, "cs+"), (4, "cs")],
            5,
            (Status::Fixed, Some(4)),
        ),
        (
            "a cut list proves nothing",
            &[(1, "cds+"), (4, "cdsp")],
            5,
            (Status::Open, None),
        ),
        (
            "only refused, then clean",
            &[(1, "cd+"), (3, "cds")],
            4,
            (Status::Fixed, Some(3)),
        ),
    ] {
        assert_eq!(resolved(story, &[], now, true), expected, "{what}");
    }
}
