//! Findings, mode and configuration in; what happens to the write out. The findings themselves
//! never change.

mod applied_exemptions;
pub mod cluster_state;
mod configured_exemption;
pub mod controllers;
pub mod exemption;
pub mod message;
mod mode;
pub mod namespace;
mod unevaluated;

pub use applied_exemptions::OwnerExemptions;
pub use configured_exemption::ConfiguredExemption;
pub use mode::{Mode, Outcome};
pub use unevaluated::decide_unevaluated;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU16;
use std::sync::Arc;

use cluster_state::{ClusterState, Known};
use controllers::BuiltIn;
use exemption::{Granted, Period};
use jiff::civil::Date;
use namespace::{NamespaceSettings, Refusal};

use crate::finding::{Action, Certainty, Check, Context, Finding};
use crate::rules;
use crate::workload::budget;
use crate::workload::text::LenientStr;
use crate::workload::{Overrides, Share, Workload};

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
    pub overrides: Arc<Overrides>,
    /// What is known of the cluster.
    pub cluster_state: Arc<ClusterState>,
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
pub struct Requester<'a> {
    /// User name; empty where nobody is writing (a manifest, a scan).
    pub user: &'a str,
    /// Groups.
    pub groups: &'a [LenientStr<'a>],
    /// The exemptions of the owner for which a controller writes, where they were read.
    pub owner: Option<&'a OwnerExemptions>,
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

    /// Codes of the rules that are off.
    pub fn rules_off(&self) -> Vec<String> {
        let actions = self.actions.iter();
        let off = actions.filter(|(_, action)| **action == Action::Off);
        off.map(|(code, _)| code.clone()).collect()
    }

    /// The action of `finding` before the mode limits it.
    fn action(&self, finding: &Finding) -> Action {
        match self.actions.get(finding.rule.code) {
            Some(action) => *action,
            None => finding.default_action(self.deny_at),
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
            overrides: Arc::default(),
            cluster_state: Arc::default(),
            exemptions: Vec::new(),
            weakening_groups: Vec::new(),
            max_exemption_days: None,
            today,
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
    pub enforce_action: Action,
    /// True if it lies in an ephemeral container: it belongs to the Pod itself, whoever owns that.
    pub is_ephemeral: bool,
    /// True if the object had it before this write.
    pub preexisting: bool,
    /// True if the object may be changed all the same, and the Pods that are made from it are
    /// refused.
    pub refuses_pods: bool,
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

/// An owner of which only the reference is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadOwner {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Identity; another object of the same name is not meant.
    pub uid: String,
    /// Its kind, and where it is read.
    pub(crate) controller: &'static BuiltIn,
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
    /// Codes of the rules that are off, so that nothing is told of their findings.
    pub rules_off: Vec<String>,
    /// What may not be, whatever the mode: labels and exemptions of a Namespace.
    pub refusals: Vec<Refusal>,
    /// What the writer should know besides: an exemption that ends soon, or exempts nothing.
    pub notes: Vec<String>,
    /// True for what a built-in controller makes in mode `freeze`: it exists for an owner that was
    /// there before.
    pub is_existing: bool,
    /// The owner whose exemptions would have a say, and were not read.
    pub unread_owner: Option<UnreadOwner>,
    /// What undock did not know for sure: a label without meaning, a namespace that was not seen
    /// yet. For the audit log.
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
            rules_off: Vec::new(),
            notes: Vec::new(),
            doubts: Vec::new(),
            refusals: Vec::new(),
            is_existing: false,
            unread_owner: None,
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

    /// True if `enforce` would have refused the write, or refuses the Pods that follow from it.
    pub fn would_deny(&self) -> bool {
        self.findings.iter().any(|judged| {
            let is_met = !judged.preexisting || judged.refuses_pods;
            judged.enforce_action == Action::Deny && is_met && judged.exempt.is_none()
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

/// True for a mirror Pod that its own node writes: in a review the annotation alone proves nothing.
fn is_mirror_of_node(workload: &Workload<'_>, requester: Requester<'_>) -> bool {
    let node = match requester.user {
        // What is in the cluster, nobody is writing.
        "" => workload.controller().map(|node| node.name.as_str()),
        user => user.strip_prefix("system:node:"),
    };
    node.is_some_and(|node| workload.is_mirror_of(node))
}

/// A write in `namespace` that is not evaluated, whatever its mode: a deletion, or an object that
/// is being deleted.
pub fn skip(namespace: &str, policy: &Policy) -> Decision {
    let mut doubts = Vec::new();
    let settings = settings_of(namespace, policy, &mut doubts);
    Decision {
        doubts,
        ..Decision::skipped(mode_of(settings.as_deref(), policy))
    }
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
    requester: Requester<'_>,
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
    let (mut findings, is_whole) = judge(workload, workload.share, policy, mode);
    let is_refused = |judged: &Judged| judged.enforce_action == Action::Deny;
    let before = old
        .filter(|_| !is_whole || findings.iter().any(is_refused))
        // A gated Pod has not run yet: who takes its last gate away starts it.
        .filter(|old| mode != Mode::Enforce || workload.is_gated() || !old.is_gated())
        .map(|old| judge_before(old, workload, policy, mode, requester));
    if let Some((before, _)) = &before {
        mark_known(&mut findings, before);
    }
    applied_exemptions::apply(
        &mut findings,
        workload,
        settings.as_deref(),
        policy,
        requester,
        &mut notes,
    );
    // Most objects; nothing of what follows is about them.
    if findings.is_empty() && is_whole {
        return Decision {
            notes,
            doubts,
            rules_off: policy.rules_off(),
            ..Decision::clean(mode)
        };
    }
    let made_for = controllers::owner_of(workload, requester);
    let is_existing = mode == Mode::Freeze && made_for.is_some();
    // A mirror Pod runs whatever is answered; refused, it would run unseen.
    if is_existing || is_mirror_of_node(workload, requester) {
        for judged in &mut findings {
            judged.action = judged.action.min(Action::Record);
        }
    }
    if mode == Mode::Enforce && workload.makes_pods() {
        for judged in findings.iter_mut().filter(|judged| judged.preexisting) {
            judged.refuses_pods = is_refused(judged) && judged.exempt.is_none();
        }
    }
    let may_be_exempt =
        |judged: &Judged| judged.enforce_action >= Action::Warn && judged.exempt.is_none();
    let asks_owner = requester.owner.is_none()
        && settings
            .as_deref()
            .is_some_and(|own| own.allows_workload_exemptions)
        && findings.iter().any(may_be_exempt);
    let unread_owner = made_for.filter(|_| asks_owner);
    let unread_owner = unread_owner.map(|(controller, reference)| UnreadOwner {
        namespace: workload.namespace.to_owned(),
        name: reference.name.to_string(),
        uid: reference.uid.to_string(),
        controller,
    });
    doubts.extend(requester.owner.and_then(|owner| owner.problem.clone()));
    let outcome = Outcome::of(findings.iter());
    let decision = Decision {
        notes,
        doubts,
        findings,
        outcome,
        is_existing,
        unread_owner,
        rules_off: policy.rules_off(),
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
        was_whole && !is_existing,
        settings.as_deref(),
        policy,
        requester,
    )
}

/// What `old`, which was `workload` before the write, had already, and whether all of it was
/// evaluated. What was let in for other images is new.
fn judge_before(
    old: &Workload<'_>,
    workload: &Workload<'_>,
    policy: &Policy,
    mode: Mode,
    requester: Requester<'_>,
) -> (Vec<Judged>, bool) {
    // All of it: who frees a Pod from its owner did not add its ephemeral containers.
    let (mut before, was_whole) = judge(old, Share::All, policy, mode);
    let is_for_images = applied_exemptions::lost_with_images(old, workload, policy, requester);
    before.retain(|judged| !is_for_images(judged.finding.rule.code));
    (before, was_whole)
}

/// What was a mere hint before, a volume that no container mounted, is new when it becomes more,
/// and so is what more containers do.
fn mark_known(findings: &mut [Judged], before: &[Judged]) {
    let mut known: HashMap<_, (Action, usize)> = HashMap::new();
    for judged in before {
        let (action, uses) = known.entry(subject(judged)).or_insert((Action::Off, 0));
        *action = judged.enforce_action.max(*action);
        *uses += judged.finding.uses;
    }
    for judged in findings {
        let Some((action, uses)) = known.get_mut(&subject(judged)) else {
            continue;
        };
        if *action >= judged.enforce_action && *uses >= judged.finding.uses {
            *uses -= judged.finding.uses;
            judged.preexisting = true;
            judged.action = judged.action.min(Action::Warn);
        }
    }
}

/// What `judged` tells: the rule, where and what. A host path is the same in any volume and
/// container. The owner does not count, which a label or a reference changes.
fn subject(judged: &Judged) -> (&'static str, String, String, bool) {
    let finding = &judged.finding;
    let place = match finding.rule.check {
        Check::HostPath(_) | Check::MatchingPath => "",
        _ => finding.container.as_deref().unwrap_or(&finding.name),
    };
    let (place, identity) = (place.to_owned(), finding.identity.clone());
    (finding.rule.code, place, identity, judged.is_ephemeral)
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
    let missing = match policy.cluster_state.namespace(namespace) {
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

/// The findings in this share of `workload`, and whether all of it was evaluated.
fn judge(
    workload: &Workload<'_>,
    share: Share,
    policy: &Policy,
    mode: Mode,
) -> (Vec<Judged>, bool) {
    let evaluate = || rules::evaluate(workload, policy.context);
    let (findings, spent) = budget::within(workload.budget, evaluate);
    let judged = findings.into_iter().map(|finding| {
        let enforce_action = policy.action(&finding);
        let is_ephemeral = workload.has_ephemeral(finding.container.as_deref());
        let (kind, name) = match is_ephemeral {
            true => (workload.kind(), workload.name),
            false => (&*workload.owner.kind, &*workload.owner.name),
        };
        let fingerprint = finding.fingerprint(workload.namespace, kind, name);
        Judged {
            action: enforce_action.min(mode.limit()),
            enforce_action,
            is_ephemeral,
            preexisting: false,
            refuses_pods: false,
            fingerprint,
            exempt: None,
            finding,
        }
    });
    let judged =
        judged.filter(|judged| judged.action != Action::Off && share.holds(judged.is_ephemeral));
    (judged.collect(), !(spent.is_exceeded() || workload.is_cut))
}
