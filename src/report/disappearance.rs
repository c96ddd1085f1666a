//! When owners were gone: deletions that the audit log shows, and scans that would have listed them and do not.

use std::collections::HashMap;

use super::evidence::{Deletion, OwnerKey};
use super::evidence_store::EvidenceStore;
use super::model::Status;
use super::reach::Reach;
use crate::kinds::{self, Handling};

/// A moment after which the owner is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End<'d> {
    pub(super) time: i64,
    /// As the audit log names him; empty where a scan tells.
    pub(super) by: &'d str,
    /// Fixed where the owner may be there still, without the finding; else removed.
    pub(super) status: Status,
}

/// When an owner was gone, in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends<'d> {
    /// Of the owner itself, of all of its kind, of its namespace; each in order of time.
    deletions: [&'d [&'d Deletion]; 3],
    absences: Vec<i64>,
    absence_is: Option<Status>,
}

impl<'d> Ends<'d> {
    /// Those of `deletions` alone, which are in order of time.
    #[cfg(test)]
    pub(super) fn deleted(deletions: &'d [&'d Deletion]) -> Self {
        Self {
            deletions: [deletions, &[], &[]],
            ..Self::default()
        }
    }

    /// The first one at `time` or later.
    pub(super) fn first_from(&self, time: i64) -> Option<End<'d>> {
        let deletions = self.deletions.iter().filter_map(|deletions| {
            let at = deletions.partition_point(|deletion| deletion.time < time);
            let deletion = deletions.get(at)?;
            Some(End {
                time: deletion.time,
                by: &deletion.user,
                status: Status::Removed,
            })
        });
        let at = self.absences.partition_point(|absence| *absence < time);
        let absence = self.absences.get(at).zip(self.absence_is);
        let absence = absence.map(|(time, status)| End {
            time: *time,
            by: "",
            status,
        });
        deletions.chain(absence).min()
    }
}

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

    /// When the owner with this number was gone.
    pub(super) fn of_owner(&self, number: u32) -> Ends<'_> {
        let owner = self.store.owners.get(number);
        let all_of_kind = OwnerKey {
            name: String::new(),
            ..owner.clone()
        };
        let namespace = OwnerKey {
            kind: "Namespace".to_owned(),
            name: owner.namespace.clone(),
            ..owner.clone()
        };
        let of = |key: &OwnerKey| self.deletions.get(key).map_or(&[][..], Vec::as_slice);
        // That its Pods are deleted is nothing new about a series: others follow.
        let deletions = if owner.is_series() {
            [&[], &[], of(&namespace)]
        } else {
            [of(owner), of(&all_of_kind), of(&namespace)]
        };
        // Objects that are judged by their texts, and volumes, are listed only with findings.
        let is_always_listed = kinds::find(&owner.kind)
            .is_none_or(|kind| !matches!(kind.handling, Handling::Text | Handling::Volume));
        let absence_is = if is_always_listed {
            Status::Removed
        } else {
            Status::Fixed
        };
        let absences = self
            .scans(&owner.cluster)
            .iter()
            .filter(|scan| self.lacks(scan, number, owner));
        Ends {
            deletions,
            absences: absences.map(|scan| scan.time).collect(),
            absence_is: Some(absence_is),
        }
    }

    /// True if `scan` would have listed the owner, and does not.
    fn lacks(&self, scan: &'c Reach, number: u32, owner: &OwnerKey) -> bool {
        let is_named =
            !owner.kind.is_empty() && !owner.name.is_empty() && !owner.name.starts_with('(');
        let is_listed = kinds::find(&owner.kind).is_some();
        if owner.name.contains('*') || owner.is_series() && !is_listed {
            // Between two runs there is no Pod. Without its namespace there is no next run.
            let namespace = owner.namespace.as_str();
            return scan.knows_namespace(namespace) && !scan.listed.contains(namespace);
        }
        is_named && !scan.owners.contains(&number) && scan.covers(&owner.kind, &owner.namespace)
    }
}
