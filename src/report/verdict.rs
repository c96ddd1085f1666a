//! Whether a namespace may be switched to `enforce`, and why not. When in doubt, UNKNOWN.

use crate::finding::text::count;
use std::collections::{BTreeSet, HashSet};

use jiff::civil::Date;

use super::burndown::date;
use super::coverage::{Logs, UnreviewedDays, is_transient};
use super::evidence::{Cause, DAY};
use super::model::{Finding, Namespace, Status, Verdict};
use crate::decision::exemption::NOTICE_DAYS;
use crate::registration::NAMESPACE;

/// Findings that a reason names.
const NAMED: usize = 3;

/// What is known besides the counts.
pub(super) struct Known<'k> {
    pub(super) findings: &'k [&'k Finding],
    pub(super) logs: &'k Logs,
    /// Writes that nobody evaluated.
    pub(super) unreviewed: Option<&'k UnreviewedDays>,
    /// Days since 1970 on which the webhook answered.
    pub(super) answered: &'k HashSet<i64>,
    /// Start of the window.
    pub(super) since: String,
    /// Milliseconds since a scan read all of it.
    pub(super) scan_age: Option<i64>,
    /// What the last scan could not read of it.
    pub(super) unread: Vec<String>,
    pub(super) review_errors: u64,
    /// CronJobs whose pause is longer than what the inputs cover, with the pause in days.
    pub(super) rare_jobs: Vec<(String, u32)>,
    pub(super) today: Option<Date>,
}

/// Sets verdict and reasons of `namespace`.
pub(super) fn judge(namespace: &mut Namespace, known: &Known<'_>) {
    let mut blocked = Vec::new();
    let with = |status| {
        known
            .findings
            .iter()
            .filter(move |finding| finding.status == status && finding.denies)
    };
    let open: Vec<String> = with(Status::Open).map(|finding| named(finding)).collect();
    if !open.is_empty() {
        blocked.push(format!(
            "{} would be refused: {}",
            count(open.len() as u64, "open finding"),
            some(open)
        ));
    }
    for finding in with(Status::Exempt) {
        let days = finding
            .exempt_until
            .parse::<Date>()
            .ok()
            .zip(known.today)
            .and_then(|(until, today)| Some(today.until(until).ok()?.get_days()));
        if days.is_some_and(|days| days <= NOTICE_DAYS) {
            blocked.push(format!(
                "the exemption of {} ends on {}",
                named(finding),
                finding.exempt_until
            ));
        }
    }
    // What comes and goes, such as the Pods of builds, will come again.
    let is_open_to_all = namespace.mode != "enforce";
    let passing = with(Status::Removed)
        .filter(|_| is_open_to_all)
        .filter(|finding| is_transient(&finding.owner.kind) || finding.created > 1)
        .filter(|finding| finding.would_deny > 0 && finding.last_seen >= known.since);
    let passing: Vec<String> = passing.map(|finding| named(finding)).collect();
    if !passing.is_empty() {
        blocked.push(format!(
            "{} came and went, and would be refused: {}",
            count(passing.len() as u64, "finding"),
            some(passing)
        ));
    }
    blocked.dedup();
    let unknown = doubts(
        namespace,
        known,
        with(Status::Stale).map(|finding| named(finding)).collect(),
    );
    namespace.verdict = match (blocked.is_empty(), unknown.is_empty()) {
        (false, _) => Verdict::Blocked,
        (true, false) => Verdict::Unknown,
        (true, true) => Verdict::Ready,
    };
    namespace.reasons = blocked.into_iter().chain(unknown).collect();
}

fn doubts(namespace: &Namespace, known: &Known<'_>, stale: Vec<String>) -> Vec<String> {
    let mut doubts = Vec::new();
    if !stale.is_empty() {
        doubts.push(format!(
            "{} not seen for 30 days and not seen fixed: {}",
            count(stale.len() as u64, "finding"),
            some(stale)
        ));
    }
    let writes = known.unreviewed.map(doubts_of_writes).unwrap_or_default();
    if writes.is_empty() {
        doubts.extend(doubt_of_days(known));
    }
    doubts.extend(writes);
    if known.review_errors > 0 {
        doubts.push(format!(
            "{} could not be evaluated",
            count(known.review_errors, "object")
        ));
    }
    if namespace.mode == "off" {
        doubts.push("the mode is off: nothing is reviewed".to_owned());
    }
    if namespace.name == NAMESPACE && namespace.reviews == 0 {
        doubts.push(
            "undock does not review its own namespace: the label has no effect here".to_owned(),
        );
    }
    doubts.extend(doubts_of_scan(known));
    let Logs {
        has_audit,
        days,
        wanted_days,
        silence,
        has_reviews,
    } = known.logs;
    if !has_audit {
        doubts.push(
            "no audit log among the inputs: clean and missed writes cannot be seen".to_owned(),
        );
    } else if !has_reviews {
        doubts.push("the audit log holds no review by undock".to_owned());
    } else if days < wanted_days {
        doubts.push(format!(
            "the logs cover {days} of {}",
            count(*wanted_days, "day")
        ));
    }
    if let Some((from, to)) = silence {
        doubts.push(format!("the logs have nothing from {from} to {to}"));
    }
    for (name, pause) in &known.rare_jobs {
        doubts.push(format!(
            "CronJob/{name} may run once in {}; the logs cover {days}",
            count(*pause, "day")
        ));
    }
    doubts
}

/// Days on which the webhook was not called at all: a scan shows what is there now, and not that it
/// will be called.
fn doubt_of_days(known: &Known<'_>) -> Option<String> {
    let days: BTreeSet<i64> = known
        .unreviewed?
        .keys()
        .filter(|(day, cause)| *cause == Cause::NoReview && !known.answered.contains(day))
        .map(|(day, _)| *day)
        .collect();
    let (first, last) = (date(days.first()? * DAY)?, date(days.last()? * DAY)?);
    let what = count(days.len() as u64, "day");
    Some(format!(
        "the webhook was not called on {what} with writes ({})",
        period(first, last)
    ))
}

/// `on 2026-11-05`, `from 2026-11-05 to 2026-11-12`
fn period(first: Date, last: Date) -> String {
    if first == last {
        format!("on {first}")
    } else {
        format!("from {first} to {last}")
    }
}

/// Writes that nobody evaluated, by cause, without those that later evidence makes up for.
fn doubts_of_writes(days: &UnreviewedDays) -> Vec<String> {
    let causes = [
        (
            Cause::FailedOpen,
            "write",
            "reached the cluster unreviewed (failed open)",
        ),
        (
            Cause::NoReview,
            "write of a reviewed kind",
            "without a review: the webhook was not called",
        ),
        (
            Cause::NoObject,
            "write",
            "logged without the object, so replay could not evaluate it",
        ),
        (
            Cause::ModeOff,
            "write",
            "not evaluated, as the mode was off",
        ),
    ];
    let doubt = |(cause, noun, what): (Cause, &str, &str)| {
        let open = days
            .iter()
            .filter(|((_, own), (_, unresolved))| *own == cause && *unresolved > 0);
        let writes: u64 = open.clone().map(|(_, (_, unresolved))| unresolved).sum();
        let (first, last) = (open.clone().next()?.0.0, open.clone().next_back()?.0.0);
        let (first, last) = (date(first * DAY)?, date(last * DAY)?);
        let when = period(first, last);
        Some(format!("{} {what} ({when})", count(writes, noun)))
    };
    causes.into_iter().filter_map(doubt).collect()
}

/// What was there before the logs began, only a scan can tell.
fn doubts_of_scan(known: &Known<'_>) -> Option<String> {
    match known.scan_age {
        Some(age) if age <= DAY => None,
        Some(age) => Some(format!(
            "the last scan is {} old; READY needs one of the last 24 hours",
            count(age / DAY, "day")
        )),
        None if known.unread.is_empty() => Some(
            "no scan of all of it (undock scan -o json): what was there before the logs is \
                not known"
                .to_owned(),
        ),
        None => Some(format!(
            "the last scan could not read {}: it needs the role of manifests/scan",
            some(known.unread.clone())
        )),
    }
}

fn named(finding: &Finding) -> String {
    format!(
        "{} {}/{}",
        finding.rule, finding.owner.kind, finding.owner.name
    )
}

/// The first few, each once, and how many more.
fn some(mut names: Vec<String>) -> String {
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let shown = names.join(", ");
    if more > 0 {
        format!("{shown} and {more} more")
    } else {
        shown
    }
}
