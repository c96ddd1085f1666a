//! Inputs that name no cluster beside inputs that name one: an audit log does not say whose it is, the records beside it do.

use std::collections::HashMap;

use super::evidence::{AboutOwner, Details, FindingKey, OwnerKey};
use super::evidence_store::EvidenceStore;
use super::interner::Interner;

impl EvidenceStore {
    /// Makes everything that names no cluster a part of the only one that is named. With several, nothing tells which.
    pub(super) fn assign_cluster(&mut self) {
        let mut named = self.clusters.iter();
        let (Some(cluster), None) = (named.next().cloned(), named.next()) else {
            return;
        };
        let rename = |name: &mut String| {
            if name.is_empty() {
                name.clone_from(&cluster);
            }
        };
        let owners = renumber(&mut self.owners, |owner: &mut OwnerKey| {
            rename(&mut owner.cluster)
        });
        let findings = renumber(&mut self.findings, |finding: &mut FindingKey| {
            finding.owner = owners[finding.owner as usize]
        });
        let sets = renumber(&mut self.sets, |set: &mut Vec<u32>| {
            set.iter_mut()
                .for_each(|finding| *finding = findings[*finding as usize]);
            set.sort_unstable();
            set.dedup();
        });
        let mut about: HashMap<u32, AboutOwner> = HashMap::with_capacity(self.about.len());
        for (owner, told) in self.about.drain() {
            about.entry(owners[owner as usize]).or_default().merge(told);
        }
        self.about = about;
        let mut details: HashMap<u32, Details> = HashMap::with_capacity(self.details.len());
        for (finding, told) in self.details.drain() {
            details
                .entry(findings[finding as usize])
                .or_default()
                .merge(told);
        }
        self.details = details;
        for review in self.reviews.values_mut() {
            (review.owner, review.set) = (owners[review.owner as usize], sets[review.set as usize]);
        }
        for ((mut place, namespace), mode) in std::mem::take(&mut self.modes) {
            rename(&mut place);
            self.modes
                .entry((place, namespace))
                .or_default()
                .merge(mode);
        }
        for mut deletion in std::mem::take(&mut self.deletions) {
            rename(&mut deletion.owner.cluster);
            self.deletions.insert(deletion);
        }
        for ((time, mut missed), mut write) in std::mem::take(&mut self.missed) {
            rename(&mut missed.cluster);
            write.owner = owners[write.owner as usize];
            self.missed.insert((time, missed), write);
        }
        for write in self.unreviewed.values_mut() {
            write.owner = owners[write.owner as usize];
        }
        if let Some(logs) = self.logs.remove("") {
            self.logs.entry(cluster.clone()).or_default().merge(logs);
        }
        for scan in self.scans.values_mut() {
            rename(&mut scan.cluster);
            scan.owners = scan
                .owners
                .iter()
                .map(|owner| owners[*owner as usize])
                .collect();
        }
    }
}

/// Changes every value and numbers them anew; gives the new number of each old one.
fn renumber<T: Clone + Eq + std::hash::Hash>(
    names: &mut Interner<T>,
    change: impl Fn(&mut T),
) -> Vec<u32> {
    let mut renamed = Interner::default();
    let numbers = names.iter().map(|(_, value)| {
        let mut value = value.clone();
        change(&mut value);
        renamed.number(&value)
    });
    let numbers = numbers.collect();
    *names = renamed;
    numbers
}
