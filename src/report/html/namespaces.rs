//! The namespaces of the page: what is BLOCKED, UNKNOWN and READY; those of the system and empty
//! ones apart.

use super::MAX_ROWS;
use super::view::{anchor, short};
use crate::finding::text::clip;
use crate::finding::text::count;
use crate::report::model::{Namespace, Report, Verdict};
use crate::report::place::place;
use crate::report::work::{is_of_system, own_reasons, shared_reasons};

pub(super) struct Namespaces {
    /// Reasons that all have.
    pub(super) shared: Vec<String>,
    pub(super) groups: Vec<Group>,
}

pub(super) struct Group {
    pub(super) caption: String,
    pub(super) is_folded: bool,
    pub(super) rows: Vec<Row>,
    pub(super) more: usize,
}

pub(super) struct Row {
    pub(super) anchor: String,
    pub(super) place: String,
    pub(super) verdict: &'static str,
    pub(super) reasons: Vec<String>,
    pub(super) mode: String,
    /// Owners, open, exempt, done, would deny, unreviewed.
    pub(super) numbers: [u64; 6],
}

impl Namespaces {
    pub(super) fn of(report: &Report) -> Self {
        let shared = shared_reasons(report);
        let (apart, main): (Vec<&Namespace>, Vec<&Namespace>) =
            report.namespaces.iter().partition(|own| is_apart(own));
        let caption = "Which namespaces can be switched, and why not".to_owned();
        let mut groups = vec![group(report, &main, &shared, caption)];
        if !apart.is_empty() {
            let what = count(apart.len() as u64, "namespace");
            let caption = format!("{what} of the system, or without workloads");
            groups.push(Group {
                is_folded: !main.is_empty(),
                ..group(report, &apart, &shared, caption)
            });
            groups.retain(|group| !group.rows.is_empty());
        }
        Self {
            shared: shared.iter().map(|doubt| clip(doubt, 240)).collect(),
            groups,
        }
    }
}

/// Nobody has to do anything here.
fn is_apart(own: &Namespace) -> bool {
    own.verdict != Verdict::Blocked
        && (is_of_system(&own.name) || own.owners == 0 && own.unreviewed == 0)
}

fn group(report: &Report, all: &[&Namespace], shared: &[&str], caption: String) -> Group {
    let with = |verdict: Verdict| all.iter().filter(move |own| own.verdict == verdict);
    let cut = |verdict| with(verdict).take(MAX_ROWS);
    // READY ones are what everybody looks for: they are never cut.
    let shown = cut(Verdict::Blocked)
        .chain(cut(Verdict::Unknown))
        .chain(with(Verdict::Ready));
    let rows: Vec<Row> = shown.map(|own| row(report, own, shared)).collect();
    Group {
        caption,
        is_folded: false,
        more: all.len() - rows.len(),
        rows,
    }
}

fn row(report: &Report, own: &Namespace, shared: &[&str]) -> Row {
    let reasons = own_reasons(own, shared);
    Row {
        anchor: anchor("ns", &[&own.cluster, &own.name]),
        place: short(&place(report, &own.cluster, &own.name)),
        verdict: own.verdict.as_str(),
        reasons: reasons.iter().map(|reason| clip(reason, 240)).collect(),
        mode: own.mode.clone(),
        numbers: [
            own.owners as u64,
            own.open as u64,
            own.exempt as u64,
            (own.fixed + own.removed) as u64,
            own.would_deny,
            own.unreviewed,
        ],
    }
}
