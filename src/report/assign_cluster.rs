//! Inputs that name no cluster beside inputs that name one: an audit log does not say whose it is,
//! the records beside it do.

use super::evidence_store::EvidenceStore;

impl EvidenceStore {
    /// Makes everything that names no cluster a part of the only one that is named. With several,
    /// nothing tells which.
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
        self.renumber(|_, owner| rename(&mut owner.cluster), |_, _| ());
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
        for ((time, mut missed), write) in std::mem::take(&mut self.missed) {
            rename(&mut missed.cluster);
            self.missed.insert((time, missed), write);
        }
        if let Some(logs) = self.logs.remove("") {
            self.logs.entry(cluster.clone()).or_default().merge(logs);
        }
        for scan in self.scans.values_mut() {
            rename(&mut scan.cluster);
        }
    }
}
