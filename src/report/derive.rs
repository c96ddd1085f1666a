//! From everything that was gathered to the report: findings with their fate, namespaces with their verdict.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::Options;
use super::burndown::{burn_down, date};
use super::collect::{Collected, Deletion, Flags, OwnerKey, Review};
use super::fate::{DAY, Writer, fate};
use super::model::{Coverage, Finding, Missed, Namespace, OwnerName, Report, SCHEMA, Status, Summary, Verdict, Window};
use super::schedule;
use super::verdict::{Known, judge};
use crate::finding::text::{clip, escape_controls};
use crate::record::user_kind;
use crate::rules::RULES;

/// The report of `collected`.
pub(super) fn derive(mut collected: Collected, options: &Options) -> Report {
    let span = collected.span.unwrap_or_default();
    let since = options.since.map_or(span.1 - i64::from(options.window_days) * DAY, |since| since.from(span.1));
    let mut reviews: Vec<(u128, Review)> = std::mem::take(&mut collected.reviews).into_iter().collect();
    reviews.sort_unstable_by_key(|(id, review)| (review.owner, review.time, *id));
    let reviews: Vec<Review> = reviews.into_iter().map(|(_, review)| review).collect();
    let deriver = Deriver { collected: &collected, now: span.1, since, is_narrowed: options.since.is_some() };
    let (findings, open) = deriver.findings(&reviews);
    let missed: Vec<Missed> = collected.missed.iter().map(|(_, missed)| missed.clone()).collect();
    let would_deny: Vec<i64> = reviews.iter().filter(|review| review.flags.has(Flags::WOULD_DENY)).map(|review| review.time).collect();
    let covered = (span.1 - span.0.max(since)).max(0) + 1;
    let window = Window {
        from: moment(span.0),
        to: moment(span.1),
        since: moment(since.max(span.0)),
        days: u32::try_from((covered + DAY - 1) / DAY).unwrap_or(u32::MAX),
    };
    let namespaces = deriver.namespaces(&reviews, &findings, window.days, options.window_days);
    let count = |flag: Flags| reviews.iter().filter(|review| review.flags.has(flag)).count() as u64;
    let by_status = |status: Status| findings.iter().filter(|finding| finding.status == status).count();
    let by_verdict = |verdict: Verdict| namespaces.iter().filter(|namespace| namespace.verdict == verdict).count();
    Report {
        schema: SCHEMA.to_owned(),
        as_of: collected.span.map(|_| moment(span.1)).unwrap_or_default(),
        clusters: collected.clusters.iter().cloned().collect(),
        coverage: Coverage {
            reviews: reviews.len() as u64,
            records: count(Flags::RECORD),
            audited: reviews.iter().filter(|review| review.flags.has(Flags::AUDIT) && !review.flags.has(Flags::REPLAY)).count() as u64,
            replayed: count(Flags::REPLAY),
            without_object: collected.without_object.len() as u64,
            missed: missed.len() as u64,
            dry_runs: collected.dry_runs.len() as u64,
            review_errors: count(Flags::ERROR),
            unreadable: collected.unreadable,
        },
        summary: Summary {
            ready: by_verdict(Verdict::Ready),
            blocked_namespaces: by_verdict(Verdict::Blocked),
            unknown: by_verdict(Verdict::Unknown),
            owners: namespaces.iter().map(|namespace| namespace.owners).sum(),
            findings: findings.len(),
            open: by_status(Status::Open),
            open_denied: findings.iter().filter(|finding| finding.status == Status::Open && finding.denies).count(),
            exempt: by_status(Status::Exempt),
            fixed: by_status(Status::Fixed),
            removed: by_status(Status::Removed),
            blocked: by_status(Status::Blocked),
            stale: by_status(Status::Stale),
        },
        burn_down: collected.span.map(|span| burn_down(&open, &would_deny, span, options.deadline)).unwrap_or_default(),
        errors: collected.errors.iter().cloned().collect(),
        missed_writes: missed,
        window,
        namespaces,
        findings,
    }
}

/// RFC 3339 in UTC, to the second.
fn moment(time: i64) -> String {
    Timestamp::from_millisecond(time).map(|time| format!("{time:.0}")).unwrap_or_default()
}

struct Deriver<'c> {
    collected: &'c Collected,
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

impl Deriver<'_> {
    /// All findings in their order, and when those that count were open.
    fn findings(&self, reviews: &[Review]) -> (Vec<Finding>, Vec<Span>) {
        let mut by_owner: HashMap<&OwnerKey, Vec<&Deletion>> = HashMap::new();
        for deletion in &self.collected.deletions {
            by_owner.entry(&deletion.owner).or_default().push(deletion);
        }
        let mut findings = Vec::new();
        let mut open = Vec::new();
        for (number, key) in self.collected.findings.iter() {
            let owner = self.collected.owners.get(key.owner);
            let namespace = OwnerKey { kind: "Namespace".to_owned(), name: owner.namespace.clone(), ..owner.clone() };
            let mut deletions: Vec<&Deletion> = [owner, &namespace].iter().filter_map(|key| by_owner.get(key)).flatten().copied().collect();
            deletions.sort_unstable();
            let (finding, span) = self.finding(number, of_owner(reviews, key.owner), &deletions);
            if let Some(finding) = finding {
                open.extend(span);
                findings.push(finding);
            }
        }
        findings.sort_by(|a, b| order(a).cmp(&order(b)));
        (findings, open)
    }

    /// One finding; none if only a part of a review that was corrected by a better witness showed it, or it ended before the window.
    fn finding(&self, number: u32, reviews: &[Review], deletions: &[&Deletion]) -> (Option<Finding>, Option<Span>) {
        let key = self.collected.findings.get(number);
        let owner = self.collected.owners.get(key.owner);
        let details = &self.collected.details[&number];
        let about = self.collected.about.get(&key.owner);
        let holds = |review: &Review| self.collected.sets.get(review.set).binary_search(&number).is_ok();
        let shown: Vec<&Review> = reviews.iter().filter(|review| holds(review)).collect();
        let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return (None, None) };
        let today = date(self.now).map(|date| date.to_string()).unwrap_or_default();
        // Dates as text are in order.
        let exempt = details.exempt.get().cloned().flatten().filter(|(until, _)| *until >= today);
        let fate = fate(reviews, holds, deletions, exempt.is_some(), self.now);
        if self.is_narrowed && !fate.status.is_present() && fate.end.map_or(last.time, |(time, _)| time) < self.since {
            return (None, None);
        }
        let count = |flag: Flags| shown.iter().filter(|review| review.flags.has(flag)).count() as u64;
        let is_audited = count(Flags::AUDIT) > 0;
        // The audit log is never folded; without it, a rollup stands for what it counts.
        let folded = |flag: Flags| match is_audited {
            true => 0,
            false => shown.iter().filter(|review| review.flags.has(flag)).map(|review| u64::from(review.suppressed)).sum(),
        };
        let all = shown.len() as u64 + if is_audited { 0 } else { shown.iter().map(|review| u64::from(review.suppressed)).sum() };
        let first_seen = details.first_seen.map_or(first.time, |time| time.min(first.time));
        let sources = [("audit", Flags::AUDIT), ("record", Flags::RECORD), ("replay", Flags::REPLAY)];
        let rule = RULES.iter().find(|rule| rule.code == key.rule);
        let span = match fate.status {
            Status::Blocked | Status::Exempt => None,
            _ => fate.stored_since.map(|since| (since, fate.end.map(|(time, _)| time))),
        };
        let told = |text: Option<String>| text.unwrap_or_default();
        let finding = Finding {
            cluster: owner.cluster.clone(),
            namespace: owner.namespace.clone(),
            owner: OwnerName { kind: owner.kind.clone(), name: owner.name.clone() },
            team: told(about.map(|about| about.team.text())),
            managed_by: told(about.map(|about| about.managed_by.text())),
            release: told(about.map(|about| about.release.text())),
            rule: key.rule.clone(),
            rule_name: rule.map(|rule| rule.name.to_owned()).unwrap_or_default(),
            severity: details.severity.text(),
            certainty: details.certainty.text(),
            status: fate.status,
            denies: details.denies,
            container: details.container.text(),
            field: details.field.text(),
            evidence: clip(&details.evidence.text(), 300),
            fingerprint: key.fingerprint.clone(),
            first_seen: moment(first_seen),
            last_seen: moment(last.time),
            observations: all,
            denied: count(Flags::DENIED) + folded(Flags::DENIED),
            would_deny: if details.denies { count(Flags::WOULD_DENY) + folded(Flags::WOULD_DENY) } else { 0 },
            sources: sources.iter().filter(|(_, flag)| count(*flag) > 0).map(|(name, _)| (*name).to_owned()).collect(),
            last_writer: self.last_writer(reviews),
            exempt_until: exempt.as_ref().map(|(until, _)| until.clone()).unwrap_or_default(),
            exempt_ref: exempt.map(|(_, reference)| reference).unwrap_or_default(),
            ended_at: fate.end.map(|(time, _)| moment(time)).unwrap_or_default(),
            ended_by: match fate.end {
                Some((_, Writer::Reviewed(user))) => escape_controls(self.collected.texts.get(user)),
                Some((_, Writer::Deleted(user))) => escape_controls(user),
                None => String::new(),
            },
        };
        (Some(finding), span)
    }

    /// Who wrote the owner last: people and pipelines before controllers, the owner itself before what was made for it.
    fn last_writer(&self, reviews: &[Review]) -> String {
        let rank = |review: &Review| {
            let user = self.collected.texts.get(review.user);
            (user_kind(user) != "controller", review.flags.has(Flags::OWN), review.time, user.clone())
        };
        reviews.iter().map(rank).max().map(|(.., user)| escape_controls(&user)).unwrap_or_default()
    }

    fn namespaces(&self, reviews: &[Review], findings: &[Finding], days: u32, wanted_days: u32) -> Vec<Namespace> {
        let mut all: BTreeMap<(String, String), Tally> = BTreeMap::new();
        for key in self.collected.modes.keys() {
            all.entry(key.clone()).or_default();
        }
        for review in reviews {
            let owner = self.collected.owners.get(review.owner);
            let tally = all.entry((owner.cluster.clone(), owner.namespace.clone())).or_default();
            if !owner.kind.is_empty() {
                tally.owners.insert(review.owner);
            }
            tally.reviews += 1;
            tally.would_deny += u64::from(review.flags.has(Flags::WOULD_DENY) && review.time >= self.since);
            tally.errors += u64::from(review.flags.has(Flags::ERROR) && review.time >= self.since);
        }
        for (time, missed) in &self.collected.missed {
            let tally = all.entry((missed.cluster.clone(), missed.namespace.clone())).or_default();
            tally.missed += u64::from(*time >= self.since);
        }
        let mut own: HashMap<(String, String), Vec<&Finding>> = HashMap::new();
        for finding in findings {
            own.entry((finding.cluster.clone(), finding.namespace.clone())).or_default().push(finding);
        }
        let mut namespaces = Vec::with_capacity(all.len());
        for ((cluster, name), tally) in all {
            let findings = own.remove(&(cluster.clone(), name.clone())).unwrap_or_default();
            let count = |status: Status| findings.iter().filter(|finding| finding.status == status).count();
            let mode = self.collected.modes.get(&(cluster.clone(), name.clone())).map(super::names::Latest::text).unwrap_or_default();
            let mut namespace = Namespace {
                mode,
                verdict: Verdict::Unknown,
                reasons: Vec::new(),
                owners: tally.owners.len(),
                reviews: tally.reviews,
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
                has_audit: self.collected.has_audit,
                days,
                wanted_days,
                review_errors: tally.errors,
                rare_jobs: self.rare_jobs(&tally.owners, days),
                today: date(self.now),
            };
            judge(&mut namespace, &known);
            namespaces.push(namespace);
        }
        namespaces.sort_by(|a, b| (a.verdict, &a.cluster, &a.name).cmp(&(b.verdict, &b.cluster, &b.name)));
        namespaces
    }

    fn rare_jobs(&self, owners: &HashSet<u32>, days: u32) -> Vec<(String, u32)> {
        let pause = |owner: &u32| {
            let pause = schedule::days(&self.collected.about.get(owner)?.schedule.text());
            (pause > days).then(|| (self.collected.owners.get(*owner).name.clone(), pause))
        };
        let mut jobs: Vec<_> = owners.iter().filter_map(pause).filter(|(_, pause)| *pause > 1).collect();
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
}

/// Open and refused ones first, then by place.
fn order(finding: &Finding) -> (Status, bool, &str, &str, &str, &str, &str, &str) {
    let Finding { status, denies, cluster, namespace, owner, rule, fingerprint, .. } = finding;
    (*status, !denies, cluster, namespace, &owner.kind, &owner.name, rule, fingerprint)
}
