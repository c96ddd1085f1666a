//! The head of the page: the state of things in three sentences, the tiles, the links to what
//! follows.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::finding::text::count;
use crate::report::model::{ExemptionStatus, Finding, Report, Status};
use crate::report::work::switchable;

/// A number with what it counts.
pub(super) struct Tile {
    pub(super) class: &'static str,
    pub(super) value: usize,
    pub(super) word: &'static str,
    pub(super) label: String,
}

/// BLOCKED first: that is where the work is.
pub(super) fn tiles(report: &Report) -> [Tile; 5] {
    let summary = &report.summary;
    let ready = match switchable(report).len() {
        switch if switch < summary.ready => {
            format!("namespaces in which nothing would be refused: {switch} to switch today")
        }
        _ => "namespaces in which nothing would be refused".to_owned(),
    };
    [
        (
            "BLOCKED",
            summary.blocked_namespaces,
            "BLOCKED",
            "namespaces in which writes would be refused".to_owned(),
        ),
        (
            "UNKNOWN",
            summary.unknown,
            "UNKNOWN",
            "namespaces of which too little is known".to_owned(),
        ),
        ("READY", summary.ready, "READY", ready),
        (
            "open",
            summary.open_denied,
            "to fix",
            "open findings that enforce would refuse".to_owned(),
        ),
        (
            "fixed",
            summary.fixed + summary.removed,
            "done",
            "findings fixed or removed".to_owned(),
        ),
    ]
    .map(|(class, value, word, label)| Tile {
        class,
        value,
        word,
        label,
    })
}

/// Anchors of the sections that this page has, with their names.
pub(super) fn links(report: &Report, has_clusters: bool) -> Vec<(&'static str, &'static str)> {
    let any = |has: fn(&Finding) -> bool| report.findings.iter().any(has);
    let summary = &report.summary;
    [
        (has_clusters, "clusters", "Clusters"),
        (!switchable(report).is_empty(), "switch", "Switch today"),
        (summary.open + summary.stale > 0, "to-do", "To do"),
        (any(|own| !own.team.is_empty()), "teams", "Teams"),
        (true, "charts", "Progress"),
        (true, "namespaces", "Namespaces"),
        (true, "findings", "Findings"),
        (!report.exemptions.is_empty(), "exemptions", "Exemptions"),
        (true, "blind-spots", "Blind spots"),
        (any(|own| !own.rule_name.is_empty()), "rules", "Rules"),
    ]
    .into_iter()
    .filter(|(is_there, ..)| *is_there)
    .map(|(_, id, name)| (id, name))
    .collect()
}

/// The state of things in three sentences at most.
pub(super) fn lede(report: &Report) -> String {
    let mut lede = standing(report);
    let burn_down = &report.burn_down;
    let is_over = |deadline: &str| report.as_of.get(..10).is_some_and(|today| today > deadline);
    let pace = "At the pace of the last 14 days nothing is left on";
    _ = match (&burn_down.projected_zero, &burn_down.deadline) {
        (Some(zero), Some(deadline)) if zero <= deadline => {
            write!(lede, " {pace} {zero}, before the deadline {deadline}.")
        }
        (Some(zero), Some(deadline)) => {
            write!(lede, " {pace} {zero}: after the deadline {deadline}.")
        }
        (Some(zero), None) => write!(lede, " {pace} {zero}."),
        (None, Some(deadline)) if is_over(deadline) => {
            write!(lede, " The deadline {deadline} is over.")
        }
        (None, Some(deadline)) => write!(lede, " The deadline is {deadline}."),
        (None, None) => Ok(()),
    };
    let ending = report
        .exemptions
        .iter()
        .filter(|exemption| exemption.status == ExemptionStatus::Ending)
        .count();
    if ending > 0 {
        let verb = if ending == 1 { " ends" } else { "s end" };
        _ = write!(lede, " {ending} exemption{verb} within 14 days.");
    }
    lede
}

/// What would be refused, and what can be switched.
fn standing(report: &Report) -> String {
    let (all, switchable) = (report.namespaces.len(), switchable(report).len());
    match (report.summary.open_denied, switchable) {
        (0, 0) => "Nothing open would be refused.".to_owned(),
        (0, _) => format!(
            "Nothing open would be refused; {switchable} of {all} namespaces can be switched to \
             enforce today."
        ),
        (open, _) => {
            let owners: BTreeSet<_> = report
                .findings
                .iter()
                .filter(|finding| finding.status == Status::Open && finding.denies)
                .map(Finding::owner_key)
                .collect();
            format!(
                "{} in {} would be refused under enforce; {switchable} of {all} namespaces can be \
                 switched today.",
                count(open as u64, "open finding"),
                count(owners.len() as u64, "workload"),
            )
        }
    }
}
