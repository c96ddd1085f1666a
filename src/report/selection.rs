//! A part of a report: the findings of a team, a namespace, a status, with totals that fit them.

use std::collections::HashSet;

use super::burndown::{self, OpenSpan};
use super::evidence::{PastDays, millis};
use super::model::{BurnDown, Finding, Report, Status};
use super::summary::summary;

/// What is shown; everything where a list is empty.
#[derive(Debug, Default)]
pub struct Selection {
    /// Values of the label `team`.
    pub teams: Vec<String>,
    /// Names of namespaces.
    pub namespaces: Vec<String>,
    /// Statuses of findings.
    pub statuses: Vec<Status>,
}

impl Selection {
    /// Leaves everything else out. Verdicts stay what they are: they are about the whole namespace.
    pub fn apply(&self, report: &mut Report) {
        if self.teams.is_empty() && self.namespaces.is_empty() && self.statuses.is_empty() {
            return;
        }
        let has = |names: &[String], name: &String| names.is_empty() || names.contains(name);
        let findings = std::mem::take(&mut report.findings);
        let findings = findings.into_iter().filter(|finding| {
            has(&self.teams, &finding.team)
                && has(&self.namespaces, &finding.namespace)
                && (self.statuses.is_empty() || self.statuses.contains(&finding.status))
        });
        let findings: Vec<Finding> = findings.collect();
        let places = Places::of(&findings);
        *report = part(report, findings, |cluster, name| {
            has(&self.namespaces, name) && (self.teams.is_empty() || places.has(cluster, name))
        });
    }
}

/// The report of some of its findings, with their namespaces and what is written about those.
pub(super) fn of_findings(report: &Report, findings: Vec<Finding>) -> Report {
    let places = Places::of(&findings);
    part(report, findings, |cluster, name| places.has(cluster, name))
}

/// Clusters and namespaces of findings.
struct Places(HashSet<(String, String)>);

impl Places {
    fn of(findings: &[Finding]) -> Self {
        let places = findings.iter();
        Self(
            places
                .map(|own| (own.cluster.clone(), own.namespace.clone()))
                .collect(),
        )
    }

    fn has(&self, cluster: &str, namespace: &str) -> bool {
        self.0.contains(&(cluster.to_owned(), namespace.to_owned()))
    }
}

fn part(
    report: &Report,
    findings: Vec<Finding>,
    is_shown: impl Fn(&String, &String) -> bool,
) -> Report {
    fn of<T: Clone>(all: &[T], is_shown: impl Fn(&&T) -> bool) -> Vec<T> {
        all.iter().filter(is_shown).cloned().collect()
    }
    let namespaces = of(&report.namespaces, |own| is_shown(&own.cluster, &own.name));
    Report {
        schema: report.schema.clone(),
        as_of: report.as_of.clone(),
        clusters: report.clusters.clone(),
        notices: report.notices.clone(),
        window: report.window.clone(),
        coverage: report.coverage.clone(),
        summary: summary(&namespaces, &findings),
        exemptions: of(&report.exemptions, |own| {
            is_shown(&own.cluster, &own.namespace)
        }),
        missed_writes: of(&report.missed_writes, |own| {
            is_shown(&own.cluster, &own.namespace)
        }),
        unreviewed_writes: of(&report.unreviewed_writes, |own| {
            is_shown(&own.cluster, &own.namespace)
        }),
        burn_down: burn_down(report, &findings),
        errors: report.errors.clone(),
        namespaces,
        findings,
    }
}

/// The burn-down of a part; reviews that would have been refused are known only for the whole.
fn burn_down(report: &Report, findings: &[Finding]) -> BurnDown {
    let span = millis(&report.window.from).zip(millis(&report.as_of));
    let counts = |own: &&Finding| !matches!(own.status, Status::Blocked | Status::Exempt);
    let stored = findings
        .iter()
        .filter(counts)
        .filter(|own| !own.never_stored);
    let open: Vec<OpenSpan> = stored
        .filter_map(|own| Some((millis(&own.first_seen)?, millis(&own.ended_at))))
        .collect();
    let deadline = report.burn_down.deadline.as_ref();
    let deadline = deadline.and_then(|day| day.parse().ok());
    span.map(|span| burndown::burn_down(&open, &[], &PastDays::default(), span, deadline))
        .unwrap_or_default()
}
