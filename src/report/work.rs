//! What there is to do: namespaces that can be switched, and owners with something to fix, each once.

use std::collections::BTreeMap;

use super::model::{Finding, Namespace, Report, Status, Verdict};
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

/// Namespaces that are READY, and not switched yet.
pub(super) fn switchable(report: &Report) -> Vec<&Namespace> {
    let is_switchable = |own: &&Namespace| {
        own.verdict == Verdict::Ready
            && own.mode != "enforce"
            && !own.name.is_empty()
            && !SYSTEM.contains(&own.name.as_str())
            && !own.name.starts_with("openshift-")
    };
    report.namespaces.iter().filter(is_switchable).collect()
}

/// The command that switches a namespace. Its context is the cluster's name where there are several.
pub(super) fn switch_command(namespace: &Namespace, report: &Report) -> String {
    let context = if report.clusters.len() > 1 && !namespace.cluster.is_empty() {
        format!(" --context {}", word(&namespace.cluster))
    } else {
        String::new()
    };
    let name = word(&namespace.name);
    format!("kubectl{context} label ns {name} undock.dev/mode=enforce --overwrite")
}

/// A name as a word of the shell.
fn word(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/@".contains(c);
    if name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

/// Owners with something to fix: what would be refused first, then by place.
pub(super) fn owners(report: &Report) -> Vec<OwnerWork<'_>> {
    let mut owners: BTreeMap<[&str; 4], OwnerWork<'_>> = BTreeMap::new();
    let is_open = |own: &&Finding| matches!(own.status, Status::Open | Status::Stale);
    for finding in report.findings.iter().filter(is_open) {
        let key = [
            &finding.cluster,
            &finding.namespace,
            &finding.owner.kind,
            &finding.owner.name,
        ]
        .map(String::as_str);
        let work = owners.entry(key).or_insert_with(|| OwnerWork {
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

/// Namespaces of several clusters by verdict: READY, UNKNOWN, BLOCKED.
pub(super) fn by_cluster(report: &Report) -> BTreeMap<&str, [usize; 3]> {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for namespace in &report.namespaces {
        let counts = counts.entry(namespace.cluster.as_str()).or_default();
        counts[match namespace.verdict {
            Verdict::Ready => 0,
            Verdict::Unknown => 1,
            Verdict::Blocked => 2,
        }] += 1;
    }
    counts
}
