//! When owners were gone: deletions that the audit log shows, and scans that would have listed them and do not.

use std::collections::HashMap;

use super::evidence::{Deletion, OwnerKey};
use super::evidence_store::EvidenceStore;
use super::model::Status;
use super::reach::Reach;
use super::resolution::End;
use crate::scan::parts::{PARTS, Role};

/// Deletions and scans, by what they are about.
pub(super) struct Disappearances<'c> {
    store: &'c EvidenceStore,
    deletions: HashMap<&'c OwnerKey, Vec<&'c Deletion>>,
    scans: HashMap<&'c str, Vec<&'c Reach>>,
}

impl<'c> Disappearances<'c> {
    pub(super) fn of(store: &'c EvidenceStore) -> Self {
        let mut deletions: HashMap<_, Vec<_>> = HashMap::new();
        for deletion in &store.deletions {
            deletions.entry(&deletion.owner).or_default().push(deletion);
        }
        let mut scans: HashMap<_, Vec<_>> = HashMap::new();
        for scan in store.scans.values() {
            scans.entry(scan.cluster.as_str()).or_default().push(scan);
        }
        scans
            .values_mut()
            .for_each(|scans| scans.sort_by_key(|scan| scan.time));
        Self {
            store,
            deletions,
            scans,
        }
    }

    /// The scans of `cluster`, the oldest first.
    pub(super) fn scans(&self, cluster: &str) -> &[&'c Reach] {
        self.scans.get(cluster).map_or(&[], Vec::as_slice)
    }

    /// The ends of the owner with this number, in order of time.
    pub(super) fn of_owner(&self, number: u32) -> Vec<End<'c>> {
        let owner = self.store.owners.get(number);
        let namespace = OwnerKey {
            kind: "Namespace".to_owned(),
            name: owner.namespace.clone(),
            ..owner.clone()
        };
        let deletions = [owner, &namespace]
            .into_iter()
            .filter_map(|key| self.deletions.get(key))
            .flatten();
        let deletions = deletions.map(|deletion| End {
            time: deletion.time,
            by: &deletion.user,
            status: Status::Removed,
        });
        // Objects that are judged by their texts, and volumes, are listed only with findings.
        let is_always_listed = PARTS
            .iter()
            .find(|part| part.kind == owner.kind)
            .is_none_or(|part| !matches!(part.role, Role::Text | Role::Volume));
        let status = if is_always_listed {
            Status::Removed
        } else {
            Status::Fixed
        };
        let absences = self
            .scans(&owner.cluster)
            .iter()
            .filter(|scan| self.lacks(scan, number, owner));
        let mut ends: Vec<_> = deletions
            .chain(absences.map(|scan| End {
                time: scan.time,
                by: "",
                status,
            }))
            .collect();
        ends.sort_unstable();
        ends
    }

    /// True if `scan` would have listed the owner, and does not.
    fn lacks(&self, scan: &Reach, number: u32, owner: &OwnerKey) -> bool {
        let is_named =
            !owner.kind.is_empty() && !owner.name.is_empty() && !owner.name.starts_with('(');
        if !is_named || scan.owners.contains(&number) || !scan.covers(&owner.kind, &owner.namespace)
        {
            return false;
        }
        // No name ends so: it is a `generateName`, and any object that was named after it may be the one.
        let is_prefix = owner.name.ends_with('-');
        let is_heir = |other: &OwnerKey| {
            (&other.namespace, &other.kind) == (&owner.namespace, &owner.kind)
                && other.name.starts_with(&owner.name)
        };
        !(is_prefix
            && scan
                .owners
                .iter()
                .any(|other| is_heir(self.store.owners.get(*other))))
    }
}
