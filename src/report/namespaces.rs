//! The namespaces of the report: what was counted in each, and its verdict.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Options;
use super::burndown::date;
use super::coverage::{Logs, NamespaceKey, UnreviewedDays};
use super::disappearance::Disappearances;
use super::evidence::{DAY, Flags, Review};
use super::evidence_store::EvidenceStore;
use super::model::{Finding, Namespace, Status, Verdict};
use super::modes::{Lowered, ModeHistory};
use super::moment;
use super::reach::Reach;
use super::resolution::OwnerHistory;
use super::schedule;
use super::verdict::{Known, judge};
use crate::decision::Mode;

/// What the namespaces are made from.
pub(super) struct Sources<'s> {
    pub(super) store: &'s EvidenceStore,
    pub(super) disappearances: &'s Disappearances<'s>,
    pub(super) histories: &'s HashMap<u32, OwnerHistory<'s>>,
    pub(super) reviews: &'s [Review],
    pub(super) findings: &'s [Finding],
    pub(super) unreviewed: &'s BTreeMap<NamespaceKey, UnreviewedDays>,
    pub(super) now: i64,
    /// Start of the window that must be covered.
    pub(super) window_start: i64,
    /// Start of what is shown.
    pub(super) since: i64,
}

/// Whoever may delete a namespace can lower its mode: it is made again without its label.
fn reason_of_lowered(lowered: &Lowered) -> String {
    format!(
        "the mode was {} until {} and is {} now",
        lowered.before.as_str(),
        moment(lowered.until),
        lowered.now.as_str()
    )
}

#[derive(Default)]
struct Tally {
    owners: HashSet<u32>,
    reviews: u64,
    /// Days since 1970 on which the webhook answered.
    answered: HashSet<i64>,
    would_deny: u64,
    /// Reviews that could not be evaluated, and were not later.
    errors: u64,
    missed: u64,
    /// The last word about it.
    last: i64,
}

/// All namespaces, BLOCKED first.
pub(super) fn namespaces(sources: &Sources<'_>, options: &Options) -> Vec<Namespace> {
    let mut own: HashMap<(&str, &str), Vec<&Finding>> = HashMap::new();
    for finding in sources.findings {
        own.entry((&finding.cluster, &finding.namespace))
            .or_default()
            .push(finding);
    }
    let mut namespaces: Vec<Namespace> = sources
        .tallies()
        .into_iter()
        .filter(|((cluster, name), tally)| !sources.is_gone(cluster, name, tally.last))
        .map(|((cluster, name), tally)| {
            let findings = own.get(&(cluster.as_str(), name.as_str()));
            let findings = findings.cloned().unwrap_or_default();
            sources.namespace(cluster, name, &tally, &findings, options)
        })
        .collect();
    namespaces
        .sort_by(|a, b| (a.verdict, &a.cluster, &a.name).cmp(&(b.verdict, &b.cluster, &b.name)));
    namespaces
}

impl Sources<'_> {
    fn tallies(&self) -> BTreeMap<NamespaceKey, Tally> {
        let mut all: BTreeMap<NamespaceKey, Tally> = BTreeMap::new();
        let scanned = self.store.scans.values().flat_map(|scan| {
            let names = scan.listed.iter();
            names.map(|name| (scan.cluster.clone(), name.clone()))
        });
        for key in self.store.modes.keys().cloned().chain(scanned) {
            all.entry(key).or_default();
        }
        for key in self.unreviewed.keys() {
            all.entry(key.clone()).or_default();
        }
        for review in self.reviews {
            let owner = self.store.owners.get(review.owner);
            let tally = all
                .entry((owner.cluster.clone(), owner.namespace.clone()))
                .or_default();
            if !owner.kind.is_empty() {
                tally.owners.insert(review.owner);
            }
            tally.last = tally.last.max(review.time);
            if review.flags.has(Flags::SCAN) || review.flags.has(Flags::HISTORY) {
                continue;
            }
            tally.reviews += 1;
            tally.answered.insert(review.time.div_euclid(DAY));
            let is_shown = review.time >= self.since;
            tally.would_deny += u64::from(review.flags.has(Flags::WOULD_DENY) && is_shown);
            tally.errors += u64::from(self.is_open_error(review));
        }
        for (time, missed) in self.store.missed.keys() {
            let tally = all
                .entry((missed.cluster.clone(), missed.namespace.clone()))
                .or_default();
            tally.missed += u64::from(*time >= self.since);
            tally.last = tally.last.max(*time);
        }
        for write in self.store.unreviewed.values() {
            let owner = self.store.owners.get(write.owner);
            let tally = all
                .entry((owner.cluster.clone(), owner.namespace.clone()))
                .or_default();
            tally.last = tally.last.max(write.time);
        }
        all
    }

    fn is_open_error(&self, review: &Review) -> bool {
        let history = self.histories.get(&review.owner);
        review.flags.has(Flags::ERROR)
            && review.time >= self.window_start
            && history.is_none_or(|history| {
                !history.is_evaluated_after(review.time) && history.end_from(review.time).is_none()
            })
    }

    fn namespace(
        &self,
        cluster: String,
        name: String,
        tally: &Tally,
        findings: &[&Finding],
        options: &Options,
    ) -> Namespace {
        let with = |status: Status| {
            findings
                .iter()
                .filter(|finding| finding.status == status)
                .count()
        };
        let mut scans = self
            .disappearances
            .scans(&cluster)
            .iter()
            .rev()
            .filter(|scan| scan.is_in_scope(&name))
            .peekable();
        let unread = scans
            .peek()
            .map(|scan| scan.missing(&name))
            .unwrap_or_default();
        let scanned = scans
            .find(|scan| scan.missing(&name).is_empty())
            .map(|scan| scan.time);
        let key = (cluster, name);
        let unreviewed = self.unreviewed.get(&key);
        let logs = Logs::of(
            self.store.logs.get(&key.0),
            self.window_start,
            options.window_days,
        );
        let modes = self.store.modes.get(&key);
        let mode = modes.and_then(ModeHistory::latest);
        let lowered = modes.and_then(ModeHistory::lowered);
        let (cluster, name) = key;
        let mut namespace = Namespace {
            mode: mode.map(Mode::as_str).unwrap_or_default().to_owned(),
            verdict: Verdict::Unknown,
            reasons: Vec::new(),
            owners: tally.owners.len(),
            reviews: tally.reviews,
            scanned_at: scanned.map(moment).unwrap_or_default(),
            open: with(Status::Open),
            exempt: with(Status::Exempt),
            fixed: with(Status::Fixed),
            removed: with(Status::Removed),
            blocked: with(Status::Blocked),
            stale: with(Status::Stale),
            would_deny: tally.would_deny,
            missed: tally.missed,
            unreviewed: unreviewed
                .map(|days| days.values().map(|(_, unresolved)| unresolved).sum())
                .unwrap_or_default(),
            cluster,
            name,
        };
        let known = Known {
            findings,
            logs: &logs,
            unreviewed,
            answered: &tally.answered,
            since: moment(self.window_start),
            scan_age: scanned.map(|time| self.now - time),
            unread,
            review_errors: tally.errors,
            rare_jobs: self.rare_jobs(&tally.owners, logs.days),
            today: date(self.now),
        };
        judge(&mut namespace, &known);
        namespace
            .reasons
            .extend(lowered.map(|lowered| reason_of_lowered(&lowered)));
        namespace
    }

    /// True if a scan since the last word about the namespace does not list it.
    fn is_gone(&self, cluster: &str, name: &str, last: i64) -> bool {
        let is_witness = |scan: &&Reach| {
            scan.time > last && scan.knows_namespace(name) && !scan.listed.contains(name)
        };
        let scans = self.disappearances.scans(cluster);
        !name.is_empty() && scans.last().is_some_and(is_witness)
    }

    /// CronJobs whose pause is longer than `days`, with the pause.
    fn rare_jobs(&self, owners: &HashSet<u32>, days: u32) -> Vec<(String, u32)> {
        let pause = |owner: &u32| {
            let pause = schedule::days(&self.store.about.get(owner)?.schedule.text());
            (pause > days).then(|| (self.store.owners.get(*owner).name.clone(), pause))
        };
        let mut jobs: Vec<_> = owners
            .iter()
            .filter_map(pause)
            .filter(|(_, pause)| *pause > 1)
            .collect();
        jobs.sort();
        jobs
    }
}
