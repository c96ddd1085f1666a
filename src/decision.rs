//! Findings, mode and configuration in; what happens to the write out. The findings themselves never change.

pub mod message;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::{Action, Certainty, Context, Finding};
use crate::rules;
use crate::workload::{Knowledge, Workload};

/// The most that may happen in a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing is said or recorded.
    Off,
    /// Findings are recorded.
    Audit,
    /// The writer is warned.
    #[default]
    Warn,
    /// The write is refused.
    Enforce,
}

impl Mode {
    /// The strongest action under this mode.
    pub fn limit(self) -> Action {
        match self {
            Self::Off => Action::Off,
            Self::Audit => Action::Record,
            Self::Warn => Action::Warn,
            Self::Enforce => Action::Deny,
        }
    }

    /// The word used in labels, records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }
}

/// What was decided about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing was found.
    Clean,
    /// Findings are recorded.
    Record,
    /// The writer is warned.
    Warn,
    /// The write is refused.
    Deny,
    /// The object could not be evaluated; the mode decided.
    Error,
}

impl Outcome {
    /// The word used in annotations, records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Record => "record",
            Self::Warn => "warn",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }
}

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
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            context: Context::default(),
            deny_at: Certainty::Likely,
            actions: BTreeMap::new(),
            knowledge: Arc::default(),
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
    /// Why the object could not be evaluated.
    pub error: Option<String>,
}

impl Decision {
    /// An object without findings.
    pub fn clean(mode: Mode) -> Self {
        Self { outcome: Outcome::Clean, mode, findings: Vec::new(), error: None }
    }

    /// An object that could not be evaluated. The mode decides whether it passes.
    pub fn error(mode: Mode, error: String) -> Self {
        Self { outcome: Outcome::Error, mode, findings: Vec::new(), error: Some(error) }
    }

    /// True if the write is let through.
    pub fn is_allowed(&self) -> bool {
        match self.outcome {
            Outcome::Deny => false,
            Outcome::Error => self.mode != Mode::Enforce,
            _ => true,
        }
    }

    /// True if `enforce` would have refused the write.
    pub fn would_deny(&self) -> bool {
        self.findings.iter().any(|judged| judged.unlimited == Action::Deny && !judged.known)
    }
}

/// Evaluates `workload` and decides. `old` is what the object was before an update: what it already had can warn, not deny.
pub fn decide(workload: &Workload<'_>, old: Option<&Workload<'_>>, policy: &Policy) -> Decision {
    if policy.mode == Mode::Off {
        return Decision::clean(policy.mode);
    }
    let mut findings = judge(workload, policy);
    if let Some(old) = old.filter(|_| findings.iter().any(|judged| judged.unlimited == Action::Deny)) {
        let before = judge(old, policy);
        for judged in &mut findings {
            if before.iter().any(|other| other.fingerprint == judged.fingerprint) {
                judged.known = true;
                judged.action = judged.action.min(Action::Warn);
            }
        }
    }
    let outcome = match findings.iter().map(|judged| judged.action).max() {
        None | Some(Action::Off) => Outcome::Clean,
        Some(Action::Record) => Outcome::Record,
        Some(Action::Warn) => Outcome::Warn,
        Some(Action::Deny) => Outcome::Deny,
    };
    Decision { outcome, mode: policy.mode, findings, error: None }
}

fn judge(workload: &Workload<'_>, policy: &Policy) -> Vec<Judged> {
    let owner = &workload.owner;
    let judged = rules::evaluate(workload, policy.context).into_iter().map(|finding| {
        let unlimited = policy.action(&finding);
        let fingerprint = finding.fingerprint(workload.namespace, &owner.kind, &owner.name);
        Judged { action: unlimited.min(policy.mode.limit()), unlimited, known: false, fingerprint, finding }
    });
    judged.filter(|judged| judged.action != Action::Off).collect()
}
