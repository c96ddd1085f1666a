//! Whether a namespace may be switched to `enforce`, and why not. When in doubt, UNKNOWN.

use jiff::civil::Date;

use super::burndown::date;
use super::evidence::DAY;
use super::evidence_store::EvidenceStore;
use super::model::{Finding, Namespace, Status, Verdict};
use super::text::count;
use crate::decision::exemption::NOTICE_DAYS;
use crate::registration::NAMESPACE;

/// Days without a line in the logs that are no reason for doubt: a weekend, and one more.
const SILENT_DAYS: i64 = 3;
/// Findings that a reason names.
const NAMED: usize = 3;

/// What is known besides the counts.
pub(super) struct Known<'k> {
    pub(super) findings: &'k [&'k Finding],
    pub(super) logs: &'k Logs,
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

/// How far the logs reach.
pub(super) struct Logs {
    has_audit: bool,
    /// Days of the window that they cover, and days that they should.
    pub(super) days: u32,
    wanted_days: u32,
    /// The longest pause in the window that is too long, by its first and last day.
    silence: Option<(Date, Date)>,
}

impl Logs {
    pub(super) fn of(store: &EvidenceStore, since: i64, wanted_days: u32) -> Self {
        let Some((from, to)) = store.logs else {
            return Self {
                has_audit: false,
                days: 0,
                wanted_days,
                silence: None,
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
        for day in store.days.range(first..) {
            let pause = day - last_heard - 1;
            if pause > SILENT_DAYS && silence.is_none_or(|(from, to)| pause > to - from + 1) {
                silence = Some((last_heard + 1, day - 1));
            }
            last_heard = *day;
        }
        let silence = silence.and_then(|(from, to)| Some((date(from * DAY)?, date(to * DAY)?)));
        Self {
            has_audit: store.has_audit,
            days: u32::try_from(days).unwrap_or(u32::MAX),
            wanted_days,
            silence,
        }
    }
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
    if namespace.missed > 0 {
        doubts.push(format!(
            "{} reached the cluster unreviewed (failed open)",
            count(namespace.missed, "write")
        ));
    }
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
    } = known.logs;
    if !has_audit {
        doubts.push(
            "no audit log among the inputs: clean and missed writes cannot be seen".to_owned(),
        );
    } else if days < wanted_days {
        doubts.push(format!("the logs cover {days} of {wanted_days} days"));
    }
    if let Some((from, to)) = silence {
        doubts.push(format!("the logs have nothing from {from} to {to}"));
    }
    for (name, pause) in &known.rare_jobs {
        doubts.push(format!(
            "CronJob/{name} may run once in {pause} days; the logs cover {days}"
        ));
    }
    doubts
}

/// What was there before the logs began, only a scan can tell.
fn doubts_of_scan(known: &Known<'_>) -> Option<String> {
    match known.scan_age {
        Some(age) if age <= DAY => None,
        Some(age) => Some(format!("the last scan is {} days old; READY needs one of the last 24 hours", age / DAY)),
        None if known.unread.is_empty() => {
            Some("no scan of all of it (undock scan -o json): what was there before the logs is not known".to_owned())
        }
        None => Some(format!("the last scan could not read {}: it needs the role of manifests/scan", some(known.unread.clone()))),
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
