//! Whether a namespace may be switched to `enforce`, and why not. When in doubt, UNKNOWN.

use jiff::civil::Date;

use super::model::{Finding, Namespace, Status, Verdict};

/// An exemption that ends within so many days does not let a namespace be READY.
const EXEMPTION_NOTICE: i32 = 14;
/// Findings that a reason names.
const NAMED: usize = 3;

/// What is known besides the counts.
pub(super) struct Known<'k> {
    pub(super) findings: &'k [&'k Finding],
    pub(super) has_audit: bool,
    /// Days that the inputs cover, and days that they should.
    pub(super) days: u32,
    pub(super) wanted_days: u32,
    pub(super) review_errors: u64,
    /// CronJobs whose pause is longer than what the inputs cover, with the pause in days.
    pub(super) rare_jobs: Vec<(String, u32)>,
    pub(super) today: Option<Date>,
}

/// Sets verdict and reasons of `namespace`.
pub(super) fn judge(namespace: &mut Namespace, known: &Known<'_>) {
    let mut blocked = Vec::new();
    let with = |status| known.findings.iter().filter(move |finding| finding.status == status && finding.denies);
    let open: Vec<String> = with(Status::Open).map(|finding| named(finding)).collect();
    if !open.is_empty() {
        blocked.push(format!("{} would be refused: {}", count(open.len(), "open finding"), some(open)));
    }
    for finding in with(Status::Exempt) {
        let days =
            finding.exempt_until.parse::<Date>().ok().zip(known.today).and_then(|(until, today)| Some(today.until(until).ok()?.get_days()));
        if days.is_some_and(|days| days <= EXEMPTION_NOTICE) {
            blocked.push(format!("the exemption of {} ends on {}", named(finding), finding.exempt_until));
        }
    }
    blocked.dedup();
    let unknown = doubts(namespace, known, with(Status::Stale).map(|finding| named(finding)).collect());
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
        doubts.push(format!("{} not seen for 30 days and not seen fixed: {}", count(stale.len(), "finding"), some(stale)));
    }
    if namespace.missed > 0 {
        doubts.push(format!("{} reached the cluster unreviewed (failed open)", count(namespace.missed as usize, "write")));
    }
    if known.review_errors > 0 {
        doubts.push(format!("{} could not be evaluated", count(known.review_errors as usize, "object")));
    }
    if namespace.mode == "off" {
        doubts.push("the mode is off: nothing is reviewed".to_owned());
    }
    if namespace.reviews == 0 {
        doubts.push("nothing was reviewed here".to_owned());
    } else if !known.has_audit {
        doubts.push("no audit log among the inputs: clean and missed writes cannot be seen".to_owned());
    }
    if known.days < known.wanted_days {
        doubts.push(format!("the inputs cover {} of {} days", known.days, known.wanted_days));
    }
    for (name, days) in &known.rare_jobs {
        doubts.push(format!("CronJob/{name} may run once in {days} days; the inputs cover {}", known.days));
    }
    doubts
}

fn named(finding: &Finding) -> String {
    format!("{} {}/{}", finding.rule, finding.owner.kind, finding.owner.name)
}

fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first few, each once, and how many more.
fn some(mut names: Vec<String>) -> String {
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let shown = names.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
