//! What happens to a write whose object, or a part of it, could not be evaluated: the mode and the
//! exemptions of its own namespace decide, never the default mode alone.

use super::exemption::{self, Exemption, Granted, Rules};
use super::namespace::NamespaceSettings;
use super::{Decision, Outcome, Policy, Writer, mode_of, settings_of};
use crate::finding::Action;
use crate::workload::Workload;

/// The reason for the parts of an object that the budget did not suffice for.
const OVER_BUDGET: &str = "it is too large or too intricate to be evaluated as a whole";

/// Decides about a write of `writer` in `namespace` whose object could not be evaluated, for
/// `reason`. No more than `most` happens to it.
///
/// Nobody knows what is in the object, so only an exemption from every rule (`all`) lets it
/// through where the mode refuses: on the namespace, or in the configuration for this namespace,
/// user or group.
pub fn decide_unevaluated(
    namespace: &str,
    reason: String,
    most: Action,
    policy: &Policy,
    writer: Writer<'_>,
) -> Decision {
    let mut doubts = Vec::new();
    let settings = settings_of(namespace, policy, &mut doubts);
    let mode = mode_of(settings.as_deref(), policy);
    let decision = Decision {
        doubts,
        ..Decision::clean(mode)
    };
    let configured = policy
        .exemptions
        .iter()
        .filter(|entry| entry.is_for_unread(namespace, writer));
    let granted = grant(
        settings.as_deref(),
        configured.map(|entry| &entry.exemption),
        policy,
    );
    conclude(decision, reason, most, granted)
}

/// Completes `decision`, about what was evaluated of `workload`, where that was not all.
/// `is_new` is false for an update of an object that could not be evaluated before either, and in
/// mode `freeze` for what a controller makes for its owner.
pub(super) fn rest(
    decision: Decision,
    workload: &Workload<'_>,
    is_new: bool,
    settings: Option<&NamespaceSettings>,
    policy: &Policy,
    writer: Writer<'_>,
) -> Decision {
    let configured = policy
        .exemptions
        .iter()
        .filter(|entry| entry.is_for(workload, writer));
    let granted = grant(settings, configured.map(|entry| &entry.exemption), policy);
    let most = if is_new { Action::Deny } else { Action::Warn };
    conclude(decision, OVER_BUDGET.to_owned(), most, granted)
}

fn grant<'e>(
    settings: Option<&'e NamespaceSettings>,
    configured: impl Iterator<Item = &'e Exemption>,
    policy: &Policy,
) -> Option<Granted> {
    let of_namespace = settings.into_iter().flat_map(|s| &s.exemptions);
    let mut all = of_namespace
        .chain(configured)
        .filter(|exemption| exemption.rules == Rules::All)
        .peekable();
    all.peek()?;
    exemption::grant(all, "all", policy.period())
}

fn conclude(
    mut decision: Decision,
    reason: String,
    most: Action,
    granted: Option<Granted>,
) -> Decision {
    if let Some(granted) = &granted {
        decision.notes.push(format!(
            "what could not be evaluated is let through: everything is exempt here until {}",
            granted.terms.until
        ));
    }
    let refuses =
        decision.mode.limit() == Action::Deny && most == Action::Deny && granted.is_none();
    decision.error = Some(reason);
    decision.error_refuses = refuses;
    // A finding that refuses the write is certain, whatever the rest holds.
    if decision.outcome != Outcome::Deny {
        decision.outcome = Outcome::Error;
    }
    decision
}
