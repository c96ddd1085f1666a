//! What there is to do: namespaces that can be switched, and owners with something to fix, each
//! once.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::model::{Finding, Namespace, Report, Status, Verdict};
use crate::finding::text::shell_word;
use crate::rules::RULES;

/// Namespaces of the system, which nobody switches on the word of a report.
const SYSTEM: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "undock"];

/// An owner with open or stale findings.
#[derive(Debug)]
pub(super) struct OwnerWork<'r> {
    /// Its first finding, which tells whose it is.
    pub(super) finding: &'r Finding,
    /// Codes, each once.
    pub(super) rules: Vec<&'r str>,
    /// `enforce` would refuse it.
    pub(super) is_refused: bool,
    /// The newest moment at which a finding was seen.
    pub(super) last_seen: &'r str,
    /// What to do; for a series, and where.
    pub(super) fix: String,
}

/// Commands with one namespace each; of more namespaces, ten in a command.
const SINGLE_COMMANDS: usize = 12;
/// Namespaces in a command when there are many.
const IN_A_COMMAND: usize = 10;
/// Days that "since last week" looks back on.
const WEEK_DAYS: i64 = 7;

/// True for a namespace of the system, which nobody switches on the word of a report.
pub(super) fn is_of_system(name: &str) -> bool {
    SYSTEM.contains(&name) || name.starts_with("openshift-")
}

/// Namespaces that are READY and not switched yet, those with workloads first.
pub(super) fn switchable(report: &Report) -> Vec<&Namespace> {
    let is_switchable = |own: &&Namespace| {
        own.verdict == Verdict::Ready
            && own.mode != "enforce"
            && !own.name.is_empty()
            && !is_of_system(&own.name)
    };
    let mut ready: Vec<_> = report.namespaces.iter().filter(is_switchable).collect();
    ready.sort_by_key(|own| own.owners == 0);
    ready
}

/// The commands that switch namespaces. Their context is the cluster's name where there are
/// several.
pub(super) fn switch_commands(ready: &[&Namespace], report: &Report) -> Vec<String> {
    let in_a_command = if ready.len() > SINGLE_COMMANDS {
        IN_A_COMMAND
    } else {
        1
    };
    let command = |namespaces: &[&Namespace]| {
        let context = context(&namespaces[0].cluster, report);
        let names: Vec<String> = namespaces.iter().map(|own| shell_word(&own.name)).collect();
        let names = names.join(" ");
        format!("kubectl{context} label ns {names} undock.dev/mode=enforce --overwrite")
    };
    ready
        .chunk_by(|a, b| a.cluster == b.cluster)
        .flat_map(|of_cluster| of_cluster.chunks(in_a_command))
        .map(command)
        .collect()
}

/// ` --context CLUSTER` where there are several clusters.
fn context(cluster: &str, report: &Report) -> String {
    if report.clusters.len() > 1 && !cluster.is_empty() {
        format!(" --context {}", shell_word(cluster))
    } else {
        String::new()
    }
}

/// Owners with something to fix: what would be refused first, then by place.
pub(super) fn owners(report: &Report) -> Vec<OwnerWork<'_>> {
    let mut owners: BTreeMap<[&str; 4], OwnerWork<'_>> = BTreeMap::new();
    let is_open = |own: &&Finding| matches!(own.status, Status::Open | Status::Stale);
    for finding in report.findings.iter().filter(is_open) {
        let work = owners
            .entry(finding.owner_key())
            .or_insert_with(|| OwnerWork {
                finding,
                rules: Vec::new(),
                is_refused: false,
                last_seen: "",
                fix: fix(finding),
            });
        if !work.rules.contains(&finding.rule.as_str()) {
            work.rules.push(&finding.rule);
        }
        // What would be refused tells what to fix first.
        if finding.denies && !work.is_refused {
            work.fix = fix(finding);
        }
        work.is_refused |= finding.denies;
        work.last_seen = work.last_seen.max(&finding.last_seen);
    }
    let mut owners: Vec<_> = owners.into_values().collect();
    for work in &mut owners {
        work.rules.sort_unstable();
    }
    owners.sort_by_key(|work| !work.is_refused);
    owners
}

fn fix(finding: &Finding) -> String {
    let rule = RULES.iter().find(|rule| rule.code == finding.rule);
    let fix = rule.map_or("", |rule| rule.short_fix);
    match finding.edit.as_str() {
        "" => fix.to_owned(),
        edit => format!("{fix}; edit {edit}"),
    }
}

/// Clusters of a report of several: namespaces by verdict, and owners with something to fix.
#[derive(Debug, Default)]
pub(super) struct ClusterWork {
    pub(super) blocked: usize,
    pub(super) unknown: usize,
    pub(super) ready: usize,
    pub(super) owners: usize,
}

/// Each cluster of several; nothing where there is one.
pub(super) fn by_cluster<'r>(
    report: &'r Report,
    owners: &[OwnerWork<'_>],
) -> BTreeMap<&'r str, ClusterWork> {
    let mut clusters: BTreeMap<&str, ClusterWork> = BTreeMap::new();
    for namespace in &report.namespaces {
        let counts = clusters.entry(namespace.cluster.as_str()).or_default();
        *match namespace.verdict {
            Verdict::Ready => &mut counts.ready,
            Verdict::Unknown => &mut counts.unknown,
            Verdict::Blocked => &mut counts.blocked,
        } += 1;
    }
    for work in owners {
        if let Some(counts) = clusters.get_mut(work.finding.cluster.as_str()) {
            counts.owners += 1;
        }
    }
    if clusters.len() < 2 {
        clusters.clear();
    }
    clusters
}

/// Reasons that every namespace has: they are told once.
pub(super) fn shared_reasons(report: &Report) -> Vec<&str> {
    let Some((first, others)) = report
        .namespaces
        .split_first()
        .filter(|all| !all.1.is_empty())
    else {
        return Vec::new();
    };
    let is_shared = |reason: &&String| others.iter().all(|own| own.reasons.contains(reason));
    let shared = first.reasons.iter().filter(is_shared);
    shared.map(String::as_str).collect()
}

/// What stands beside the verdict of a namespace, without what all have in common.
pub(super) fn own_reasons(namespace: &Namespace, shared: &[&str]) -> Vec<String> {
    let mut reasons = namespace.why();
    reasons.retain(|own| !shared.contains(&own.as_str()));
    if reasons.is_empty() {
        reasons.push("see above".to_owned());
    }
    reasons
}

/// `Since 2026-11-14: 2 new, 3 fixed, 1 removed.` Nothing where the inputs do not reach back as
/// far.
pub(super) fn last_week(report: &Report) -> Option<String> {
    let now: Timestamp = report.as_of.parse().ok()?;
    let hours = SignedDuration::from_hours(24 * WEEK_DAYS);
    let start = format!("{:.0}", now.checked_sub(hours).ok()?);
    // Moments as text are in order.
    if report.window.from > start {
        return None;
    }
    let ended = |status: Status| {
        let with = report.findings.iter();
        with.filter(|own| own.status == status && own.ended_at > start)
            .count()
    };
    let findings = report.findings.iter();
    let new = findings.filter(|own| own.status.is_present() && own.first_seen > start);
    Some(format!(
        "Since {}: {} new, {} fixed, {} removed.",
        &start[..10],
        new.count(),
        ended(Status::Fixed),
        ended(Status::Removed)
    ))
}
