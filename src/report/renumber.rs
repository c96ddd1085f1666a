//! Changes what owners and findings are called, after all was read: what becomes equal becomes one.

use std::collections::HashMap;
use std::hash::Hash;

use super::evidence::{AboutOwner, Details, FindingKey, OwnerKey};
use super::evidence_store::EvidenceStore;
use super::interner::Interner;

impl EvidenceStore {
    /// Changes every owner and every finding, each of which comes with the number that it had.
    pub(super) fn renumber(
        &mut self,
        owner: impl Fn(u32, &mut OwnerKey),
        finding: impl Fn(u32, &mut FindingKey),
    ) {
        let owners = renumber(&mut self.owners, owner);
        let findings = renumber(&mut self.findings, |number, key: &mut FindingKey| {
            key.owner = owners[key.owner as usize];
            finding(number, key);
        });
        let sets = renumber(&mut self.sets, |_, set: &mut Vec<u32>| {
            set.iter_mut()
                .for_each(|finding| *finding = findings[*finding as usize]);
            set.sort_unstable();
            set.dedup();
        });
        let mut about: HashMap<u32, AboutOwner> = HashMap::with_capacity(self.about.len());
        for (owner, known) in self.about.drain() {
            about
                .entry(owners[owner as usize])
                .or_default()
                .merge(known);
        }
        self.about = about;
        let mut details: HashMap<u32, Details> = HashMap::with_capacity(self.details.len());
        for (finding, known) in self.details.drain() {
            details
                .entry(findings[finding as usize])
                .or_default()
                .merge(known);
        }
        self.details = details;
        for review in self.reviews.values_mut() {
            (review.owner, review.set) = (owners[review.owner as usize], sets[review.set as usize]);
        }
        let missed = self.missed.values_mut();
        for write in missed.chain(self.unreviewed.values_mut()) {
            write.owner = owners[write.owner as usize];
        }
        for scan in self.scans.values_mut() {
            let numbers = scan.owners.iter();
            scan.owners = numbers.map(|owner| owners[*owner as usize]).collect();
        }
    }
}

/// Changes every value and numbers them anew; gives the new number of each old one.
fn renumber<T: Clone + Eq + Hash>(
    names: &mut Interner<T>,
    change: impl Fn(u32, &mut T),
) -> Vec<u32> {
    let mut renamed = Interner::default();
    let numbers = names.iter().map(|(number, value)| {
        let mut value = value.clone();
        change(number, &mut value);
        renamed.number(&value)
    });
    let numbers = numbers.collect();
    *names = renamed;
    numbers
}
