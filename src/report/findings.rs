//! The findings of the report, owner by owner, with what became of each.

use std::collections::{BTreeSet, HashMap};

use super::burndown::{OpenSpan, date};
use super::evidence::{AboutOwner, Flags, Past, Review};
use super::evidence_store::EvidenceStore;
use super::model::{Finding, OwnerName, SeenAt, Status};
use super::moment;
use super::moved;
use super::resolution::{EndedBy, OwnerHistory};
use crate::finding::text::{clip, escape_controls};
use crate::record::user_kind;
use crate::rules::RULES;
use crate::workload::series::edit;

/// All findings in their order, and when those that count were open.
///
/// `since` leaves out what ended before it.
pub(super) fn findings(
    store: &EvidenceStore,
    histories: &HashMap<u32, OwnerHistory<'_>>,
    now: i64,
    since: Option<i64>,
) -> (Vec<Finding>, Vec<OpenSpan>) {
    let mut findings = Vec::new();
    let mut open = Vec::new();
    let today = date(now).map(|date| date.to_string()).unwrap_or_default();
    for (owner, history) in histories {
        let writer = last_writer(store, *owner, history.reviews());
        let about = AboutAll {
            store,
            history,
            partial: without_rules_off(store, history),
            today: &today,
            now,
            since,
            last_writer: &writer,
        };
        let shown = shown_by(store, history.reviews());
        let own = shown.iter().filter_map(|(number, shown)| {
            let (finding, span) = about.finding(*number, shown);
            Some((finding?, span))
        });
        for (finding, span) in moved::join(own.collect()) {
            open.extend(span);
            findings.push(finding);
        }
    }
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    (findings, open)
}

/// Which of the reviews of an owner show each of its findings; each list in order of time.
fn shown_by<'h>(store: &EvidenceStore, reviews: &'h [Review]) -> HashMap<u32, Vec<&'h Review>> {
    let mut shown: HashMap<u32, Vec<&Review>> = HashMap::new();
    for review in reviews {
        for finding in store.sets.get(review.set) {
            shown.entry(*finding).or_default().push(review);
        }
    }
    shown
}

/// For each rule that was off in a review of the owner: the history that can tell of its findings.
fn without_rules_off<'s, 'h>(
    store: &'s EvidenceStore,
    history: &OwnerHistory<'h>,
) -> HashMap<&'s str, OwnerHistory<'h>> {
    let off = |review: &Review| store.rules_off.get(review.rules_off).split(',');
    let all: BTreeSet<&str> = history.reviews().iter().flat_map(off).collect();
    let named = all.into_iter().filter(|rule| !rule.is_empty());
    named
        .map(|rule| {
            let is_silent = |review: &Review| off(review).any(|own| own == rule);
            (rule, history.without(is_silent))
        })
        .collect()
}

/// What all findings of one owner share.
struct AboutAll<'a, 'h> {
    store: &'a EvidenceStore,
    history: &'a OwnerHistory<'h>,
    /// The history without the reviews for which a rule was off, by rule.
    partial: HashMap<&'a str, OwnerHistory<'h>>,
    today: &'a str,
    now: i64,
    since: Option<i64>,
    last_writer: &'a str,
}

impl AboutAll<'_, '_> {
    /// One finding; none if it ended before the window.
    fn finding(&self, number: u32, shown: &[&Review]) -> (Option<Finding>, Option<OpenSpan>) {
        let store = self.store;
        let key = store.findings.get(number);
        let owner = store.owners.get(key.owner);
        let (Some(details), Some(first), Some(last)) =
            (store.details.get(&number), shown.first(), shown.last())
        else {
            return (None, None);
        };
        let nothing = AboutOwner::default();
        let about = store.about.get(&key.owner).unwrap_or(&nothing);
        let exempt = details
            .exempt
            .get()
            .and_then(Option::as_ref)
            .filter(|terms| terms.until.as_str() >= self.today);
        let past = details.past.as_ref();
        let history = self.partial.get(key.rule.as_str());
        let history = history.unwrap_or(self.history);
        let resolution = history.resolve(shown, past, exempt.is_some(), self.now);
        let ended = resolution.end.map_or(last.time, |(time, _)| time);
        if self.since.is_some_and(|since| ended < since) && !resolution.status.is_present() {
            return (None, None);
        }
        let span = match resolution.status {
            Status::Blocked | Status::Exempt => None,
            _ => resolution
                .stored_since
                .map(|since| (since, resolution.end.map(|(time, _)| time))),
        };
        let counts = Counts::of(shown, past);
        let last_seen = past.map_or(last.time, |past| past.last_seen.max(last.time));
        let first_seen = details
            .first_seen
            .map_or(first.time, |time| time.min(first.time));
        let terms = exempt.cloned().unwrap_or_default();
        // Where no input tells, a namespace must not be called READY for it.
        let denies = details.denies.get().copied().unwrap_or(true);
        let rule = RULES.iter().find(|rule| rule.code == key.rule);
        let finding = Finding {
            cluster: owner.cluster.clone(),
            namespace: owner.namespace.clone(),
            owner: OwnerName {
                kind: owner.kind.clone(),
                name: owner.name.clone(),
            },
            team: about.team.text(),
            managed_by: about.managed_by.text(),
            release: about.release.text(),
            rule: key.rule.clone(),
            rule_name: rule.map(|rule| rule.name.to_owned()).unwrap_or_default(),
            impact: details.impact.text(),
            certainty: details.certainty.text(),
            status: resolution.status,
            denies,
            container: details.container.text(),
            field: details.field.text(),
            evidence: clip(&details.evidence.text(), 300),
            fingerprint: key.fingerprint.clone(),
            first_seen: moment(first_seen),
            last_seen: moment(last_seen),
            observations: counts.all,
            objects: if owner.is_series() {
                counts
                    .objects
                    .max(about.pods.get().copied().unwrap_or_default())
            } else {
                0
            },
            edit: edit_in(edit(&owner.kind, &owner.name), &details.projects),
            created: counts.created,
            denied: counts.denied,
            would_deny: if denies { counts.would_deny } else { 0 },
            sources: counts.sources,
            last_writer: self.last_writer.to_owned(),
            exempt_until: terms.until,
            exempt_ref: terms.reference,
            exempt_scope: terms.scope,
            ended_at: resolution
                .end
                .map(|(time, _)| moment(time))
                .unwrap_or_default(),
            ended_by: match resolution.end {
                Some((_, EndedBy::Reviewed(user))) => escape_controls(store.texts.get(user)),
                Some((_, EndedBy::Deleted(user))) => escape_controls(user),
                Some((_, EndedBy::Nobody)) | None => String::new(),
            },
            never_stored: resolution.stored_since.is_none(),
            seen_at: seen_at(shown),
            moved_from: String::new(),
        };
        (Some(finding), span)
    }
}

/// How often a finding was seen.
struct Counts {
    all: u64,
    /// The owner itself was made.
    created: u64,
    /// Anything was made, by whatever name.
    objects: u64,
    denied: u64,
    would_deny: u64,
    sources: Vec<String>,
}

impl Counts {
    /// With an earlier report, what came after it is added to its counts.
    fn of(shown: &[&Review], past: Option<&Past>) -> Self {
        let is_own = |review: &&&Review| !review.flags.has(Flags::HISTORY);
        let reviews: Vec<&Review> = shown.iter().filter(is_own).copied().collect();
        let own = Self::of_reviews(&reviews);
        let Some(past) = past else { return own };
        let later = reviews.partition_point(|review| review.time <= past.as_of);
        let later = Self::of_reviews(&reviews[later..]);
        let mut sources = [own.sources, past.sources.clone()].concat();
        sources.sort();
        sources.dedup();
        Self {
            all: own.all.max(past.observations + later.all),
            created: own.created.max(past.created + later.created),
            objects: own.objects.max(past.objects + later.objects),
            denied: own.denied.max(past.denied + later.denied),
            would_deny: own.would_deny.max(past.would_deny + later.would_deny),
            sources,
        }
    }

    fn of_reviews(shown: &[&Review]) -> Self {
        // The audit log is never folded; without it, a rollup stands for what it counts.
        let is_audited = shown.iter().any(|review| review.flags.has(Flags::AUDIT));
        let weight = |review: &Review| match is_audited {
            true => 1,
            false => 1 + u64::from(review.suppressed),
        };
        let with = |flag: Flags| -> u64 {
            let with = shown.iter().filter(|review| review.flags.has(flag));
            with.map(|review| weight(review)).sum()
        };
        let sources = [
            ("audit", Flags::AUDIT),
            ("record", Flags::RECORD),
            ("replay", Flags::REPLAY),
            ("scan", Flags::SCAN),
        ];
        let made = |review: &&&Review| {
            let flags = review.flags;
            flags.has(Flags::CREATE) && flags.has(Flags::STORED)
        };
        let own = |review: &&&Review| review.flags.has(Flags::OWN);
        Self {
            all: shown.iter().map(|review| weight(review)).sum(),
            created: shown.iter().filter(made).filter(own).count() as u64,
            objects: shown.iter().filter(made).map(|review| weight(review)).sum(),
            denied: with(Flags::DENIED),
            would_deny: with(Flags::WOULD_DENY),
            sources: sources
                .iter()
                .filter(|(_, flag)| with(*flag) > 0)
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        }
    }
}

/// What to edit, with the projects that a GitLab Runner showed the finding in.
fn edit_in(edit: &str, projects: &BTreeSet<u64>) -> String {
    /// Projects that are listed; the rest is counted.
    const LISTED: usize = 5;
    let Some(first) = projects.first() else {
        return edit.to_owned();
    };
    let listed: Vec<String> = projects.iter().take(LISTED).map(u64::to_string).collect();
    match projects.len() {
        1 => format!("{edit} of project {first}"),
        count if count > LISTED => {
            let more = count - LISTED;
            format!("{edit} of projects {} and {more} more", listed.join(", "))
        }
        _ => format!("{edit} of projects {}", listed.join(", ")),
    }
}

/// Where a finding was seen: the nearest to what a person edits.
fn seen_at(shown: &[&Review]) -> SeenAt {
    let any = |is: fn(Flags) -> bool| shown.iter().any(|review| is(review.flags));
    if any(|flags| flags.has(Flags::OWN) && !flags.has(Flags::SCAN)) {
        SeenAt::Owner
    } else if any(|flags| !flags.has(Flags::OWN) && !flags.has(Flags::POD)) {
        SeenAt::Part
    } else if any(|flags| !flags.has(Flags::OWN)) {
        SeenAt::Pod
    } else {
        SeenAt::Scan
    }
}

/// Who wrote the owner last: people and pipelines before controllers, the owner itself before what
/// was made for it.
fn last_writer(store: &EvidenceStore, owner: u32, reviews: &[Review]) -> String {
    let rank = |review: &Review| {
        let user = store.texts.get(review.user);
        (
            user_kind(user) != "controller",
            review.flags.has(Flags::OWN),
            review.time,
            user.as_str(),
        )
    };
    let written = reviews
        .iter()
        .filter(|review| !review.flags.has(Flags::SCAN))
        .map(rank)
        .max()
        .map(|(.., user)| user.to_owned());
    let tool = || {
        let about = store.about.get(&owner)?;
        Some(format!("{} (tool)", about.manager.get()?))
    };
    written
        .or_else(tool)
        .map(|writer| escape_controls(&writer))
        .unwrap_or_default()
}

/// Open and refused ones first, then by place.
fn order(finding: &Finding) -> (Status, bool, [&str; 6]) {
    (finding.status, !finding.denies, key(finding))
}

/// What tells a finding from all others: cluster, namespace, kind and name of its owner, rule,
/// fingerprint.
pub(super) fn key(finding: &Finding) -> [&str; 6] {
    let [cluster, namespace, kind, name] = finding.owner_key();
    let (rule, fingerprint) = (&finding.rule, &finding.fingerprint);
    [cluster, namespace, kind, name, rule, fingerprint]
}
