//! From everything that was gathered to the report: findings with what became of them, namespaces with their verdict.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::Options;
use super::burndown::{burn_down, date};
use super::disappearance::Disappearances;
use super::evidence::{DAY, Flags, Review};
use super::evidence_store::EvidenceStore;
use super::exemptions::exemptions;
use super::model::{
    Coverage, Finding, Missed, Namespace, OwnerName, Report, SCHEMA, Status, Summary, Verdict,
    Window,
};
use super::reach::Reach;
use super::resolution::{End, Writer, resolve};
use super::schedule;
use super::verdict::{Known, Logs, judge};
use crate::finding::text::{clip, escape_controls};
use crate::record::user_kind;
use crate::rules::RULES;

/// The report of `store`.
pub(super) fn build(mut store: EvidenceStore, options: &Options) -> Report {
    let span = store.span.unwrap_or_default();
    let since = options
        .since
        .map_or(span.1 - i64::from(options.window_days) * DAY, |since| {
            since.from(span.1)
        });
    let mut reviews: Vec<(u128, Review)> = std::mem::take(&mut store.reviews).into_iter().collect();
    reviews.sort_unstable_by_key(|(id, review)| (review.owner, review.time, *id));
    let reviews: Vec<Review> = reviews.into_iter().map(|(_, review)| review).collect();
    let ends = Disappearances::of(&store);
    let builder = Builder {
        store: &store,
        ends: &ends,
        now: span.1,
        since,
        is_narrowed: options.since.is_some(),
    };
    let (findings, open) = builder.findings(&reviews);
    let missed: Vec<Missed> = store
        .missed
        .iter()
        .map(|(_, missed)| missed.clone())
        .collect();
    let would_deny: Vec<i64> = reviews
        .iter()
        .filter(|review| review.flags.has(Flags::WOULD_DENY))
        .map(|review| review.time)
        .collect();
    let logs = Logs::of(&store, since, options.window_days);
    let window = match store.span {
        Some((from, to)) => Window {
            from: moment(from),
            to: moment(to),
            since: moment(since.max(from)),
            days: logs.days,
        },
        None => Window::default(),
    };
    let namespaces = builder.namespaces(&reviews, &findings, &logs);
    let exemptions = exemptions(&store, &ends, &findings, date(span.1));
    let count = |flag: Flags| {
        reviews
            .iter()
            .filter(|review| review.flags.has(flag))
            .count() as u64
    };
    let by_status = |status: Status| {
        findings
            .iter()
            .filter(|finding| finding.status == status)
            .count()
    };
    let by_verdict = |verdict: Verdict| {
        namespaces
            .iter()
            .filter(|namespace| namespace.verdict == verdict)
            .count()
    };
    Report {
        schema: SCHEMA.to_owned(),
        as_of: store.span.map(|_| moment(span.1)).unwrap_or_default(),
        clusters: store.clusters.iter().cloned().collect(),
        coverage: Coverage {
            reviews: reviews.len() as u64 - count(Flags::SCAN),
            records: count(Flags::RECORD),
            audited: reviews
                .iter()
                .filter(|review| review.flags.has(Flags::AUDIT) && !review.flags.has(Flags::REPLAY))
                .count() as u64,
            replayed: count(Flags::REPLAY),
            scans: store.scans.len() as u64,
            without_object: store.without_object.len() as u64,
            missed: missed.len() as u64,
            dry_runs: store.dry_runs.len() as u64,
            review_errors: count(Flags::ERROR),
            unreadable: store.unreadable,
        },
        summary: Summary {
            ready: by_verdict(Verdict::Ready),
            blocked_namespaces: by_verdict(Verdict::Blocked),
            unknown: by_verdict(Verdict::Unknown),
            owners: namespaces.iter().map(|namespace| namespace.owners).sum(),
            findings: findings.len(),
            open: by_status(Status::Open),
            open_denied: findings
                .iter()
                .filter(|finding| finding.status == Status::Open && finding.denies)
                .count(),
            exempt: by_status(Status::Exempt),
            fixed: by_status(Status::Fixed),
            removed: by_status(Status::Removed),
            blocked: by_status(Status::Blocked),
            stale: by_status(Status::Stale),
        },
        burn_down: store
            .span
            .map(|span| burn_down(&open, &would_deny, span, options.deadline))
            .unwrap_or_default(),
        errors: store.errors.iter().cloned().collect(),
        exemptions,
        missed_writes: missed,
        window,
        namespaces,
        findings,
    }
}

/// RFC 3339 in UTC, to the second.
fn moment(time: i64) -> String {
    Timestamp::from_millisecond(time)
        .map(|time| format!("{time:.0}"))
        .unwrap_or_default()
}

struct Builder<'c> {
    store: &'c EvidenceStore,
    ends: &'c Disappearances<'c>,
    now: i64,
    since: i64,
    /// True if what ended before `since` is left out.
    is_narrowed: bool,
}

/// The reviews of one owner.
fn of_owner(reviews: &[Review], owner: u32) -> &[Review] {
    let start = reviews.partition_point(|review| review.owner < owner);
    let end = reviews.partition_point(|review| review.owner <= owner);
    &reviews[start..end]
}

/// From when to when a finding counted as open.
type Span = (i64, Option<i64>);

impl Builder<'_> {
    /// All findings in their order, and when those that count were open.
    fn findings(&self, reviews: &[Review]) -> (Vec<Finding>, Vec<Span>) {
        let mut findings = Vec::new();
        let mut open = Vec::new();
        for (number, key) in self.store.findings.iter() {
            let (finding, span) = self.finding(
                number,
                of_owner(reviews, key.owner),
                &self.ends.of_owner(key.owner),
            );
            if let Some(finding) = finding {
                open.extend(span);
                findings.push(finding);
            }
        }
        findings.sort_by(|a, b| order(a).cmp(&order(b)));
        (findings, open)
    }

    /// One finding; none if only a part of a review that was corrected by a better witness showed it, or it ended before the window.
    fn finding(
        &self,
        number: u32,
        reviews: &[Review],
        ends: &[End<'_>],
    ) -> (Option<Finding>, Option<Span>) {
        let key = self.store.findings.get(number);
        let owner = self.store.owners.get(key.owner);
        let details = &self.store.details[&number];
        let about = self.store.about.get(&key.owner);
        let holds = |review: &Review| {
            self.store
                .sets
                .get(review.set)
                .binary_search(&number)
                .is_ok()
        };
        let shown: Vec<&Review> = reviews.iter().filter(|review| holds(review)).collect();
        let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
            return (None, None);
        };
        let today = date(self.now)
            .map(|date| date.to_string())
            .unwrap_or_default();
        let exempt = details
            .exempt
            .get()
            .and_then(Option::as_ref)
            .filter(|terms| terms.until >= today);
        let resolution = resolve(reviews, holds, ends, exempt.is_some(), self.now);
        if self.is_narrowed
            && !resolution.status.is_present()
            && resolution.end.map_or(last.time, |(time, _)| time) < self.since
        {
            return (None, None);
        }
        let count =
            |flag: Flags| shown.iter().filter(|review| review.flags.has(flag)).count() as u64;
        let is_audited = count(Flags::AUDIT) > 0;
        // The audit log is never folded; without it, a rollup stands for what it counts.
        let folded = |flag: Flags| match is_audited {
            true => 0,
            false => shown
                .iter()
                .filter(|review| review.flags.has(flag))
                .map(|review| u64::from(review.suppressed))
                .sum(),
        };
        let all = shown.len() as u64
            + if is_audited {
                0
            } else {
                shown
                    .iter()
                    .map(|review| u64::from(review.suppressed))
                    .sum()
            };
        let first_seen = details
            .first_seen
            .map_or(first.time, |time| time.min(first.time));
        let sources = [
            ("audit", Flags::AUDIT),
            ("record", Flags::RECORD),
            ("replay", Flags::REPLAY),
            ("scan", Flags::SCAN),
        ];
        let rule = RULES.iter().find(|rule| rule.code == key.rule);
        let span = match resolution.status {
            Status::Blocked | Status::Exempt => None,
            _ => resolution
                .stored_since
                .map(|since| (since, resolution.end.map(|(time, _)| time))),
        };
        let told = |text: Option<String>| text.unwrap_or_default();
        let finding = Finding {
            cluster: owner.cluster.clone(),
            namespace: owner.namespace.clone(),
            owner: OwnerName {
                kind: owner.kind.clone(),
                name: owner.name.clone(),
            },
            team: told(about.map(|about| about.team.text())),
            managed_by: told(about.map(|about| about.managed_by.text())),
            release: told(about.map(|about| about.release.text())),
            rule: key.rule.clone(),
            rule_name: rule.map(|rule| rule.name.to_owned()).unwrap_or_default(),
            severity: details.severity.text(),
            certainty: details.certainty.text(),
            status: resolution.status,
            denies: details.denies,
            container: details.container.text(),
            field: details.field.text(),
            evidence: clip(&details.evidence.text(), 300),
            fingerprint: key.fingerprint.clone(),
            first_seen: moment(first_seen),
            last_seen: moment(last.time),
            observations: all,
            denied: count(Flags::DENIED) + folded(Flags::DENIED),
            would_deny: if details.denies {
                count(Flags::WOULD_DENY) + folded(Flags::WOULD_DENY)
            } else {
                0
            },
            sources: sources
                .iter()
                .filter(|(_, flag)| count(*flag) > 0)
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            last_writer: self.last_writer(key.owner, reviews),
            exempt_until: told(exempt.map(|terms| terms.until.clone())),
            exempt_ref: told(exempt.map(|terms| terms.reference.clone())),
            exempt_scope: told(exempt.map(|terms| terms.scope.clone())),
            ended_at: resolution
                .end
                .map(|(time, _)| moment(time))
                .unwrap_or_default(),
            ended_by: match resolution.end {
                Some((_, Writer::Reviewed(user))) => escape_controls(self.store.texts.get(user)),
                Some((_, Writer::Deleted(user))) => escape_controls(user),
                None => String::new(),
            },
        };
        (Some(finding), span)
    }

    /// Who wrote the owner last: people and pipelines before controllers, the owner itself before what was made for it.
    fn last_writer(&self, owner: u32, reviews: &[Review]) -> String {
        let rank = |review: &Review| {
            let user = self.store.texts.get(review.user);
            (
                user_kind(user) != "controller",
                review.flags.has(Flags::OWN),
                review.time,
                user.clone(),
            )
        };
        let written = reviews
            .iter()
            .filter(|review| !review.flags.has(Flags::SCAN))
            .map(rank)
            .max();
        let tool = || {
            self.store
                .about
                .get(&owner)
                .and_then(|about| about.manager.get())
                .map(|tool| format!("{tool} (tool)"))
        };
        written
            .map(|(.., user)| user)
            .or_else(tool)
            .map(|writer| escape_controls(&writer))
            .unwrap_or_default()
    }

    fn namespaces(&self, reviews: &[Review], findings: &[Finding], logs: &Logs) -> Vec<Namespace> {
        let mut all: BTreeMap<(String, String), Tally> = BTreeMap::new();
        let scanned = self.store.scans.values().flat_map(|scan| {
            scan.listed
                .iter()
                .map(|name| (scan.cluster.clone(), name.clone()))
        });
        for key in self.store.modes.keys().cloned().chain(scanned) {
            all.entry(key).or_default();
        }
        for review in reviews {
            let owner = self.store.owners.get(review.owner);
            let tally = all
                .entry((owner.cluster.clone(), owner.namespace.clone()))
                .or_default();
            if !owner.kind.is_empty() {
                tally.owners.insert(review.owner);
            }
            tally.last = tally.last.max(review.time);
            if review.flags.has(Flags::SCAN) {
                continue;
            }
            tally.reviews += 1;
            tally.would_deny +=
                u64::from(review.flags.has(Flags::WOULD_DENY) && review.time >= self.since);
            tally.errors += u64::from(review.flags.has(Flags::ERROR) && review.time >= self.since);
        }
        for (time, missed) in &self.store.missed {
            let tally = all
                .entry((missed.cluster.clone(), missed.namespace.clone()))
                .or_default();
            tally.missed += u64::from(*time >= self.since);
            tally.last = tally.last.max(*time);
        }
        all.retain(|(cluster, name), tally| !self.is_gone(cluster, name, tally.last));
        let mut own: HashMap<(String, String), Vec<&Finding>> = HashMap::new();
        for finding in findings {
            own.entry((finding.cluster.clone(), finding.namespace.clone()))
                .or_default()
                .push(finding);
        }
        let mut namespaces = Vec::with_capacity(all.len());
        for ((cluster, name), tally) in all {
            let findings = own
                .remove(&(cluster.clone(), name.clone()))
                .unwrap_or_default();
            let count = |status: Status| {
                findings
                    .iter()
                    .filter(|finding| finding.status == status)
                    .count()
            };
            let mut scans = self
                .ends
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
            let mode = self
                .store
                .modes
                .get(&(cluster.clone(), name.clone()))
                .map(super::interner::Latest::text)
                .unwrap_or_default();
            let mut namespace = Namespace {
                mode,
                verdict: Verdict::Unknown,
                reasons: Vec::new(),
                owners: tally.owners.len(),
                reviews: tally.reviews,
                scanned_at: scanned.map(moment).unwrap_or_default(),
                open: count(Status::Open),
                exempt: count(Status::Exempt),
                fixed: count(Status::Fixed),
                removed: count(Status::Removed),
                blocked: count(Status::Blocked),
                stale: count(Status::Stale),
                would_deny: tally.would_deny,
                missed: tally.missed,
                cluster,
                name,
            };
            let known = Known {
                findings: &findings,
                logs,
                since: moment(self.since),
                scan_age: scanned.map(|time| self.now - time),
                unread,
                review_errors: tally.errors,
                rare_jobs: self.rare_jobs(&tally.owners, logs.days),
                today: date(self.now),
            };
            judge(&mut namespace, &known);
            namespaces.push(namespace);
        }
        namespaces.sort_by(|a, b| {
            (a.verdict, &a.cluster, &a.name).cmp(&(b.verdict, &b.cluster, &b.name))
        });
        namespaces
    }

    /// True if a scan since the last word about the namespace does not list it.
    fn is_gone(&self, cluster: &str, name: &str, last: i64) -> bool {
        let is_witness = |scan: &&Reach| {
            scan.time > last && scan.knows_namespace(name) && !scan.listed.contains(name)
        };
        !name.is_empty() && self.ends.scans(cluster).last().is_some_and(is_witness)
    }

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

#[derive(Default)]
struct Tally {
    owners: HashSet<u32>,
    reviews: u64,
    would_deny: u64,
    errors: u64,
    missed: u64,
    /// The last word about it.
    last: i64,
}

/// Open and refused ones first, then by place.
fn order(finding: &Finding) -> (Status, bool, &str, &str, &str, &str, &str, &str) {
    let Finding {
        status,
        denies,
        cluster,
        namespace,
        owner,
        rule,
        fingerprint,
        ..
    } = finding;
    (
        *status,
        !denies,
        cluster,
        namespace,
        &owner.kind,
        &owner.name,
        rule,
        fingerprint,
    )
}
