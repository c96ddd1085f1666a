//! Which exemptions cover a finding: those of the namespace, of the workload, of the owner that it
//! is made for, and of the configuration; and what their writers are told.

use std::collections::{HashMap, HashSet};

use super::exemption::{self, ANNOTATION_PREFIX, Exemption, Granted, Rules, Scope};
use super::namespace::{NamespaceSettings, WORKLOAD_EXEMPTIONS_LABEL};
use super::{Judged, Policy, Requester};
use crate::finding::Action;
use crate::finding::text::count;
use crate::workload::Workload;

/// The exemptions that are written on the owner of an object, for an object that a built-in
/// controller makes.
#[derive(Clone, Debug, Default)]
pub struct OwnerExemptions {
    /// Those that could be read.
    pub exemptions: Vec<Exemption>,
    /// Why they could not be read.
    pub problem: Option<String>,
}

impl OwnerExemptions {
    /// True if they change nothing, and nothing is to be told.
    pub fn is_empty(&self) -> bool {
        self.exemptions.is_empty() && self.problem.is_none()
    }
}

/// Lets findings through that an exemption covers, and notes exemptions that cover nothing.
pub(super) fn apply(
    findings: &mut [Judged],
    workload: &Workload<'_>,
    settings: Option<&NamespaceSettings>,
    policy: &Policy,
    requester: Requester<'_>,
    notes: &mut Vec<String>,
) {
    let mut own = of_workload(workload);
    notes.extend(own.iter().filter_map(Exemption::unknown_rule));
    notes.extend(misplaced(workload));
    let is_asked = |judged: &Judged| judged.enforce_action >= Action::Warn;
    if !findings.iter().any(is_asked) {
        return;
    }
    let counts_own = settings.is_some_and(|settings| settings.allows_workload_exemptions);
    if !counts_own && !own.is_empty() {
        // The first of the notes, as it says what to do about all of them.
        notes.insert(
            0,
            format!(
                "exemptions on workloads count only where the namespace has the label \
                 {WORKLOAD_EXEMPTIONS_LABEL}=allow"
            ),
        );
        own.clear();
    }
    let of_owner = requester.owner.filter(|_| counts_own);
    let configured = || {
        let entries = policy.exemptions.iter();
        entries.filter(|entry| entry.is_for(workload, requester))
    };
    let all: Vec<&Exemption> = settings
        .iter()
        .flat_map(|settings| &settings.exemptions)
        .chain(&own)
        .chain(of_owner.iter().flat_map(|owner| &owner.exemptions))
        .chain(configured().map(|entry| &entry.exemption))
        .collect();
    if all.is_empty() {
        return;
    }
    // What a controller makes is written by that controller.
    let of_writer: Vec<&Exemption> = configured()
        .filter(|entry| entry.is_for_writers() && workload.makes_pods())
        .map(|entry| &entry.exemption)
        .collect();
    let period = policy.period();
    let mut grant = |code| {
        let Some(granted) = exemption::grant(all.iter().copied(), code, period) else {
            let covering = all.iter().filter(|exemption| exemption.rules.covers(code));
            notes.extend(covering.filter_map(|exemption| exemption.flaw(period)));
            return None;
        };
        if let Some(days) = granted.terms.ends_soon(period.today) {
            notes.push(format!(
                "exemption for {code} ends in {} ({})",
                count(days, "day"),
                granted.terms.until
            ));
        }
        let is_of_writer = |exemption: &Exemption| {
            let mut others = of_writer.iter();
            others.any(|other| std::ptr::eq(*other, exemption))
        };
        let lasting = all.iter().copied().filter(|all| !is_of_writer(all));
        if !of_writer.is_empty() && exemption::grant(lasting, code, period).is_none() {
            notes.push(format!(
                "exemption for {code} is for who writes this; its Pods are written by a \
                 controller and not exempt"
            ));
        }
        Some(granted)
    };
    // There may be many of both, so each rule is asked for once.
    let mut grants: HashMap<&str, Option<Granted>> = HashMap::new();
    for judged in findings.iter_mut().filter(|judged| is_asked(judged)) {
        let code = judged.finding.rule.code;
        judged.exempt = grants.entry(code).or_insert_with(|| grant(code)).clone();
        if judged.exempt.is_some() {
            judged.action = judged.action.min(Action::Record);
        }
    }
    let is_unexempt = |judged: &Judged| is_asked(judged) && judged.exempt.is_none();
    if findings.iter().any(is_unexempt) {
        notes.extend(all.iter().filter_map(|exemption| exemption.unknown_rule()));
    }
    let mut seen = HashSet::new();
    notes.retain(|note| seen.insert(note.clone()));
}

/// Tells of a code whether an exemption for the images of `old` lets its findings in, and not those
/// of `new`: what was exempt for its images alone is new with others.
pub(super) fn lost_with_images<'p>(
    old: &Workload<'_>,
    new: &Workload<'_>,
    policy: &'p Policy,
    requester: Requester<'_>,
) -> impl Fn(&str) -> bool + use<'p> {
    let entries = policy.exemptions.iter();
    let lost: Vec<&Exemption> = entries
        .filter(|entry| {
            let is_for = |workload| entry.is_for(workload, requester);
            !entry.images.is_empty() && is_for(old) && !is_for(new)
        })
        .map(|entry| &entry.exemption)
        .collect();
    let period = policy.period();
    move |code| exemption::grant(lost.iter().copied(), code, period).is_some()
}

/// The exemptions that are written on the workload or its pod template.
fn of_workload(workload: &Workload<'_>) -> Vec<Exemption> {
    // A Job of a CronJob has the annotations of the job template, where an exemption does not
    // count.
    let is_of_cron_job = workload
        .controller()
        .is_some_and(|owner| workload.kind() == "Job" && *owner.kind == *"CronJob");
    let own = workload.annotations().skip(usize::from(is_of_cron_job));
    let annotations = own.flat_map(|(_, annotations)| annotations.iter());
    Exemption::of(annotations, Scope::Workload)
}

/// Says of exemptions on `jobTemplate.metadata` where they would count.
fn misplaced(workload: &Workload<'_>) -> Option<String> {
    let annotations = workload.job_template_annotations()?;
    let key = annotations
        .iter()
        .find_map(|(key, _)| key.strip_prefix(ANNOTATION_PREFIX))?;
    Some(format!(
        "exemption {} on spec.jobTemplate.metadata has no effect: write it on the CronJob's own \
         metadata",
        Rules::parse(key)
    ))
}
