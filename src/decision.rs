//! Findings, mode and configuration in; what happens to the write out. The findings themselves never change.

mod configured;
pub mod exemption;
pub mod facts;
pub mod message;
mod mode;
pub mod namespace;
mod unevaluated;

pub use configured::ConfiguredExemption;
pub use mode::{Mode, Outcome};
pub use unevaluated::decide_unevaluated;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU16;
use std::sync::Arc;

use exemption::{Exemption, Granted, Period, Scope};
use facts::{ClusterFacts, Known};
use jiff::civil::Date;
use namespace::{NamespaceSettings, Refusal};

use crate::finding::text::count;
use crate::finding::{Action, Certainty, Context, Finding};
use crate::rules;
use crate::workload::budget;
use crate::workload::text::Text;
use crate::workload::{Knowledge, Workload};

/// What the operator set: how findings become actions.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The mode in force.
    pub mode: Mode,
    /// What rules may know.
    pub context: Context,
    /// `breaks` findings of at least this certainty are denied.
    pub deny_at: Certainty,
    /// Actions by code, which replace the rules' own.
    pub actions: BTreeMap<String, Action>,
    /// Additions to the built-in tables.
    pub knowledge: Arc<Knowledge>,
    /// What is known of the cluster.
    pub facts: Arc<ClusterFacts>,
    /// Exemptions of the configuration file.
    pub exemptions: Vec<ConfiguredExemption>,
    /// Who may lower a mode or add an exemption; empty for everybody that may write the Namespace.
    pub weakening_groups: Vec<String>,
    /// Days from today within which an exemption must end; any day if there is no limit.
    pub max_exemption_days: Option<NonZeroU16>,
    /// Today, in UTC; a function, so that nothing is asked where nothing is exempt.
    pub today: fn() -> Date,
}

/// Who writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Writer<'a> {
    /// User name; empty where nobody is writing (a manifest, a scan).
    pub user: &'a str,
    /// Groups.
    pub groups: &'a [Text<'a>],
}

/// Today in UTC, by the machine's clock.
pub fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}

impl Policy {
    /// The days on which exemptions may hold.
    pub fn period(&self) -> Period {
        Period {
            today: (self.today)(),
            max_days: self.max_exemption_days,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            context: Context::default(),
            deny_at: Certainty::Likely,
            actions: BTreeMap::new(),
            knowledge: Arc::default(),
            facts: Arc::default(),
            exemptions: Vec::new(),
            weakening_groups: Vec::new(),
            max_exemption_days: None,
            today,
        }
    }
}

impl Policy {
    /// The action of `finding` before the mode limits it.
    fn action(&self, finding: &Finding) -> Action {
        match self.actions.get(finding.rule.code) {
            Some(action) => *action,
            None => finding.default_action(self.deny_at),
        }
    }
}

/// A finding and what it does here.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// What it does under the mode.
    pub action: Action,
    /// What it would do under `enforce`.
    pub unlimited: Action,
    /// True if the object had it before this write.
    pub known: bool,
    /// See [`Finding::fingerprint`].
    pub fingerprint: String,
    /// The exemption that lets it through.
    pub exempt: Option<Granted>,
}

impl Outcome {
    /// What becomes of an object that was evaluated, with these findings.
    pub fn of<'j>(judged: impl Iterator<Item = &'j Judged> + Clone) -> Self {
        match judged.clone().map(|judged| judged.action).max() {
            Some(Action::Deny) => Self::Deny,
            Some(Action::Warn) => Self::Warn,
            _ if judged.clone().any(|judged| judged.exempt.is_some()) => Self::Exempt,
            Some(Action::Record) => Self::Record,
            None | Some(Action::Off) => Self::Clean,
        }
    }
}

/// What happens to the write, and why.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The strongest action.
    pub outcome: Outcome,
    /// The mode that was applied.
    pub mode: Mode,
    /// All findings that are not switched off, in the order of codes, then fields.
    pub findings: Vec<Judged>,
    /// Why the object, or a part of it, could not be evaluated.
    pub error: Option<String>,
    /// The write is refused because of that error.
    pub error_refuses: bool,
    /// What may not be, whatever the mode: labels and exemptions of a Namespace.
    pub refusals: Vec<Refusal>,
    /// What the writer should know besides: an exemption that ends soon, or exempts nothing.
    pub notes: Vec<String>,
    /// What undock did not know for sure: a label without meaning, a namespace that was not seen yet. For the audit log.
    pub doubts: Vec<String>,
}

impl Decision {
    /// An object that was not evaluated, and needs no answer but yes.
    pub fn skipped(mode: Mode) -> Self {
        Self {
            outcome: Outcome::Skipped,
            ..Self::clean(mode)
        }
    }

    /// An object without findings.
    pub fn clean(mode: Mode) -> Self {
        Self {
            outcome: Outcome::Clean,
            mode,
            findings: Vec::new(),
            error: None,
            error_refuses: false,
            notes: Vec::new(),
            doubts: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// True if the write is let through.
    pub fn is_allowed(&self) -> bool {
        match self.outcome {
            Outcome::Deny => false,
            Outcome::Error => !self.error_refuses,
            _ => true,
        }
    }

    /// True if `enforce` would have refused the write.
    pub fn would_deny(&self) -> bool {
        self.findings.iter().any(|judged| {
            judged.unlimited == Action::Deny && !judged.known && judged.exempt.is_none()
        })
    }
}

/// Decides about a write of a Namespace.
pub fn decide_namespace(change: &namespace::Change, mode: Mode) -> Decision {
    let outcome = if change.refusals.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Deny
    };
    Decision {
        outcome,
        refusals: change.refusals.clone(),
        notes: change.notes.clone(),
        ..Decision::clean(mode)
    }
}

/// True for a mirror Pod that its own node writes: the annotation alone proves nothing.
fn is_mirror_of_node(workload: &Workload<'_>, writer: Writer<'_>) -> bool {
    let node = writer.user.strip_prefix("system:node:");
    node.is_some_and(|node| workload.is_mirror_of(node))
}

/// Evaluates `workload` and decides. `old` is what the object was before an update: what it already
/// had can warn, not deny.
///
/// What was found counts in any case. Where the budget did not suffice for the rest, the rest is
/// decided as [`decide_unevaluated`] does, except for an update of an object that could not be
/// evaluated before either: if all its mounts are seen, it is let through
/// (`docs/decisions/0009-what-a-review-may-cost.md`).
pub fn decide(
    workload: &Workload<'_>,
    old: Option<&Workload<'_>>,
    policy: &Policy,
    writer: Writer<'_>,
) -> Decision {
    let (mut notes, mut doubts) = (Vec::new(), Vec::new());
    let settings = settings_of(workload.namespace, policy, &mut doubts);
    let mode = mode_of(settings.as_deref(), policy);
    if mode == Mode::Off {
        return Decision {
            doubts,
            ..Decision::skipped(mode)
        };
    }
    let (mut findings, is_whole) = judge(workload, policy, mode);
    let is_refused = |judged: &Judged| judged.unlimited == Action::Deny;
    let before = old
        .filter(|_| !is_whole || findings.iter().any(is_refused))
        .map(|old| judge(old, policy, mode));
    if let Some((before, _)) = &before {
        mark_known(&mut findings, before);
    }
    if is_mirror_of_node(workload, writer) {
        // It runs whatever is answered; refused, it would run unseen.
        for judged in &mut findings {
            judged.action = judged.action.min(Action::Record);
        }
    }
    if findings.iter().any(|judged| judged.action >= Action::Warn) {
        exempt(
            &mut findings,
            workload,
            settings.as_deref(),
            policy,
            writer,
            &mut notes,
        );
    }
    let outcome = Outcome::of(findings.iter());
    let decision = Decision {
        notes,
        doubts,
        findings,
        outcome,
        ..Decision::clean(mode)
    };
    if is_whole {
        return decision;
    }
    // Of a new object that is cut nobody knows which mounts it has.
    let was_whole = workload.is_cut || before.is_none_or(|(_, was_whole)| was_whole);
    unevaluated::rest(
        decision,
        workload,
        was_whole,
        settings.as_deref(),
        policy,
        writer,
    )
}

/// What was a mere hint before, a volume that no container mounted, is new when it becomes more.
fn mark_known(findings: &mut [Judged], before: &[Judged]) {
    let mut known: HashMap<&str, Action> = HashMap::new();
    for judged in before {
        let action = known.entry(&judged.fingerprint).or_insert(judged.unlimited);
        *action = judged.unlimited.max(*action);
    }
    for judged in findings {
        let was = known.get(judged.fingerprint.as_str());
        if was.is_some_and(|action| *action >= judged.unlimited) {
            judged.known = true;
            judged.action = judged.action.min(Action::Warn);
        }
    }
}

fn mode_of(settings: Option<&NamespaceSettings>, policy: &Policy) -> Mode {
    settings
        .and_then(|settings| settings.mode)
        .unwrap_or(policy.mode)
}

fn settings_of(
    namespace: &str,
    policy: &Policy,
    doubts: &mut Vec<String>,
) -> Option<Arc<NamespaceSettings>> {
    if namespace.is_empty() {
        return None;
    }
    let missing = match policy.facts.namespace(namespace) {
        Known::NotWatching => return None,
        Known::Settings(settings) => {
            doubts.extend(settings.problems.iter().map(ToString::to_string));
            return Some(settings);
        }
        Known::Cold => "the namespaces have not been listed yet",
        Known::Missing => "the namespace has not been seen yet",
    };
    doubts.push(format!(
        "{missing}: the default mode {} applies",
        policy.mode.as_str()
    ));
    None
}

/// Lets findings through that an exemption covers, and notes exemptions that cover nothing any more.
fn exempt(
    findings: &mut [Judged],
    workload: &Workload<'_>,
    settings: Option<&NamespaceSettings>,
    policy: &Policy,
    writer: Writer<'_>,
    notes: &mut Vec<String>,
) {
    let counts_own = settings.is_some_and(|settings| settings.allows_workload_exemptions);
    let annotations = workload
        .annotations()
        .flat_map(|(_, annotations)| annotations.iter());
    let mut own: Vec<Exemption> = annotations
        .filter_map(|(key, value)| Exemption::from_annotation(key, value, Scope::Workload))
        .collect();
    if !counts_own && !own.is_empty() {
        notes.push(format!(
            "exemptions on workloads count only where the namespace has the label {}=allow",
            namespace::WORKLOAD_EXEMPTIONS_LABEL
        ));
        own.clear();
    }
    let configured = policy
        .exemptions
        .iter()
        .filter(|entry| entry.is_for(workload, writer))
        .map(|entry| &entry.exemption);
    let all: Vec<&Exemption> = settings
        .iter()
        .flat_map(|settings| &settings.exemptions)
        .chain(&own)
        .chain(configured)
        .collect();
    if all.is_empty() {
        return;
    }
    let period = policy.period();
    let mut grant = |code| {
        let granted = exemption::grant(all.iter().copied(), code, period);
        if let Some(granted) = &granted {
            if let Some(days) = granted.terms.ends_soon(period.today) {
                notes.push(format!(
                    "exemption for {code} ends in {} ({})",
                    count(days, "day"),
                    granted.terms.until
                ));
            }
        } else {
            let covering = all.iter().filter(|exemption| exemption.rules.covers(code));
            notes.extend(covering.filter_map(|exemption| exemption.flaw(period)));
        }
        granted
    };
    // There may be many of both, so each rule is asked for once.
    let mut grants: HashMap<&str, Option<Granted>> = HashMap::new();
    for judged in findings
        .iter_mut()
        .filter(|judged| judged.action >= Action::Warn)
    {
        let code = judged.finding.rule.code;
        judged.exempt = grants.entry(code).or_insert_with(|| grant(code)).clone();
        if judged.exempt.is_some() {
            judged.action = Action::Record;
        }
    }
    notes.sort_unstable();
    notes.dedup();
}

/// The findings of `workload`, and whether all of it was evaluated.
fn judge(workload: &Workload<'_>, policy: &Policy, mode: Mode) -> (Vec<Judged>, bool) {
    let owner = &workload.owner;
    let evaluate = || rules::evaluate(workload, policy.context);
    let (findings, spent) = budget::within(workload.budget, evaluate);
    let judged = findings.into_iter().map(|finding| {
        let unlimited = policy.action(&finding);
        let fingerprint = finding.fingerprint(workload.namespace, &owner.kind, &owner.name);
        Judged {
            action: unlimited.min(mode.limit()),
            unlimited,
            known: false,
            fingerprint,
            exempt: None,
            finding,
        }
    });
    let judged = judged.filter(|judged| judged.action != Action::Off);
    (judged.collect(), !(spent.is_exceeded() || workload.is_cut))
}
