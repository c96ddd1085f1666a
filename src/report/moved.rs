//! Findings that moved: a renamed container or volume gives a finding another fingerprint, which is
//! no fix and nothing new.

use std::collections::HashMap;

use super::burndown::OpenSpan;
use super::model::{Finding, Status};

/// A finding, and when it counted as open.
pub(super) type Spanned = (Finding, Option<OpenSpan>);

/// What makes two findings of one owner the same thing: rule and evidence. The later one begins
/// where the other ends.
type Trace = (String, String, String);

/// Joins each finding of one owner that ended in the very review in which the same thing began
/// elsewhere.
pub(super) fn join(mut findings: Vec<Spanned>) -> Vec<Spanned> {
    let mut begun: HashMap<Trace, Vec<usize>> = HashMap::new();
    findings.sort_by(|(a, _), (b, _)| {
        (&a.ended_at, &a.fingerprint).cmp(&(&b.ended_at, &b.fingerprint))
    });
    for (at, (own, _)) in findings.iter().enumerate().rev() {
        let trace = (
            own.rule.clone(),
            own.evidence.clone(),
            own.first_seen.clone(),
        );
        begun.entry(trace).or_default().push(at);
    }
    let mut is_moved = vec![false; findings.len()];
    for at in 0..findings.len() {
        let (own, span) = &findings[at];
        // Moments are told by the second: what began and ended within one is not its own heir.
        if own.status != Status::Fixed || own.first_seen == own.ended_at {
            continue;
        }
        let trace = (own.rule.clone(), own.evidence.clone(), own.ended_at.clone());
        let Some(to) = begun.get_mut(&trace).and_then(Vec::pop) else {
            continue;
        };
        let (own, span) = (own.clone(), *span);
        let (heir, heir_span) = &mut findings[to];
        if heir.never_stored {
            continue;
        }
        heir.first_seen = own.first_seen;
        heir.observations += own.observations;
        heir.created += own.created;
        heir.objects += own.objects;
        heir.denied += own.denied;
        heir.would_deny += own.would_deny;
        heir.moved_from = own.fingerprint;
        if let (Some((from, _)), Some((start, _))) = (span, heir_span) {
            *start = from;
        }
        is_moved[at] = true;
    }
    let mut is_moved = is_moved.into_iter();
    findings.retain(|_| !is_moved.next().unwrap_or_default());
    findings
}
