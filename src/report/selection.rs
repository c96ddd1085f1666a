//! A part of a report: the findings of a team, a namespace, a status, with totals that fit them.

use super::model::{Report, Status};
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
        report.findings.retain(|finding| {
            has(&self.teams, &finding.team)
                && has(&self.namespaces, &finding.namespace)
                && (self.statuses.is_empty() || self.statuses.contains(&finding.status))
        });
        let findings = &report.findings;
        let is_theirs = |name: &String| {
            self.teams.is_empty() || findings.iter().any(|finding| finding.namespace == *name)
        };
        report
            .namespaces
            .retain(|own| has(&self.namespaces, &own.name) && is_theirs(&own.name));
        report
            .exemptions
            .retain(|own| has(&self.namespaces, &own.namespace) && is_theirs(&own.namespace));
        report
            .missed_writes
            .retain(|own| has(&self.namespaces, &own.namespace));
        report
            .unreviewed_writes
            .retain(|own| has(&self.namespaces, &own.namespace));
        report.summary = summary(&report.namespaces, &report.findings);
    }
}
