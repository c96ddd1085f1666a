//! Owners whose name does not tell what a person edits: what does is noted when it is read.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Evaluation, ScannedOwner, key, word};
use crate::finding::short_digest;
use crate::scan::SERIES_UID;
use crate::workload::derived_owner::derive;
use crate::workload::series::is_series;
use crate::workload::{Owner, Workload};

/// Gives a series an identity: no object that was read is it.
pub(super) fn identify_series(owner: &mut ScannedOwner, words: &mut HashSet<Arc<str>>) {
    if !owner.uid.is_empty() || !is_series(&owner.kind, &owner.name) {
        return;
    }
    let digest = short_digest(&key(&owner.namespace, &owner.kind, &owner.name));
    owner.uid = format!("{SERIES_UID}{digest}").into();
    owner.is_series = true;
    if !matches!(&*owner.kind, "Pod" | "Job") {
        owner.api_version = word(words, &owner.group);
    }
}

impl Evaluation {
    /// The owner of `workload`, from the objects that were read before where names do not tell it;
    /// and true if on the way to it stands a template that was judged.
    pub(super) fn resolved<'a>(&self, workload: &Workload<'a>) -> (Owner<'a>, bool) {
        let mut owner = workload.owner.clone();
        let mut has_template = false;
        // A Rollout of an application of …: nobody builds longer chains.
        for _ in 0..4 {
            let key = key(workload.namespace, &owner.kind, &owner.name);
            has_template |= self.templates.contains(&key);
            match self.above.get(&key) {
                Some((group, kind, name)) => {
                    owner = Owner {
                        group: group.clone().into(),
                        kind: kind.clone().into(),
                        name: name.clone().into(),
                        source: owner.source,
                    };
                }
                None => break,
            }
        }
        (owner, has_template)
    }

    /// Notes the owner for what `workload` will control, if that would be told another.
    pub(super) fn note_above(&mut self, workload: &Workload<'_>, owner: &Owner<'_>) {
        let derived = derive(
            workload.api_version(),
            workload.kind(),
            workload.name,
            workload.labels(),
        );
        if (&derived.kind, &derived.name) == (&owner.kind, &owner.name) {
            return;
        }
        let derived = key(workload.namespace, &derived.kind, &derived.name);
        if !self.places.contains_key(&derived) {
            self.above.insert(
                derived,
                (
                    owner.group.to_string(),
                    owner.kind.to_string(),
                    owner.name.to_string(),
                ),
            );
        }
    }
}
