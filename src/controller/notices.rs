//! What a scan says to people in the cluster: each owner under the mode of its own namespace.
//!
//! A scan asks what `enforce` would do. Here the mode that is in force limits the answer, and hints
//! that ask nobody to act are left to the scan's own output.

use crate::decision::{Mode, message};
use crate::finding::Action;
use crate::scan::{Scanned, ScannedFinding, ScannedOwner};

/// An owner with what is said about it.
pub(super) struct OwnerFindings<'s> {
    /// The owner.
    pub(super) owner: &'s ScannedOwner,
    /// Of its namespace; empty where it has none or the scan does not know it.
    pub(super) namespace_uid: &'s str,
    /// The mode in force.
    pub(super) mode: Mode,
    /// Findings that are exempt, or that somebody should act on; never empty.
    pub(super) findings: Vec<&'s ScannedFinding>,
}

/// How a finding stands. The order is that of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Exempt.
    Exempt,
    /// Somebody should act.
    Open,
    /// Writes and Pods are refused for it.
    Blocked,
}

/// The owners with something to say, in the order of the scan. `default` is the mode where the
/// namespace does not say.
pub(super) fn collect(scanned: &Scanned, default: Mode) -> Vec<OwnerFindings<'_>> {
    let owners = scanned
        .owners
        .iter()
        .filter(|owner| is_known(owner))
        .filter_map(|owner| {
            let mode = scanned
                .namespaces
                .get(&*owner.namespace)
                .copied()
                .flatten()
                .unwrap_or(default);
            let findings = owner.findings.iter().filter(|found| {
                found.judged.exempt.is_some() || found.judged.action >= Action::Warn
            });
            let findings: Vec<_> = findings.collect();
            (mode != Mode::Off && !findings.is_empty()).then_some(OwnerFindings {
                owner,
                namespace_uid: (scanned.namespace_uids)
                    .get(&*owner.namespace)
                    .map_or("", |uid| uid),
                mode,
                findings,
            })
        });
    owners.collect()
}

/// True if others can refer to the owner. References to owners are written by people, and a uid
/// from there ends in a name.
fn is_known(owner: &ScannedOwner) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&owner.uid.len()) && owner.uid.bytes().all(is_plain)
}

impl OwnerFindings<'_> {
    /// How `found` stands under the mode in force.
    pub(super) fn standing(&self, found: &ScannedFinding) -> Standing {
        match found.judged.action {
            _ if found.judged.exempt.is_some() => Standing::Exempt,
            Action::Deny if self.mode == Mode::Enforce => Standing::Blocked,
            _ => Standing::Open,
        }
    }

    /// The sentence that a writer would see.
    pub(super) fn sentence(&self, found: &ScannedFinding) -> String {
        message::warning(&found.judged, self.mode)
    }
}
