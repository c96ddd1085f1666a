//! PersistentVolumes that reach into the node, by the claim that they are bound to: a Pod names only the claim.

use std::collections::HashMap;

use super::Workload;

/// Host paths by claim. Volumes without a host path are not kept.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// By namespace and claim, from the volume's `claimRef`.
    by_claim: HashMap<(String, String), Vec<ClaimedPath>>,
    /// By the volume's name.
    by_volume: HashMap<String, Vec<ClaimedPath>>,
    /// The volume that a claim names itself.
    volume_of: HashMap<(String, String), String>,
}

/// A host path of a PersistentVolume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedPath {
    /// The volume's name.
    pub volume: String,
    /// The path as written.
    pub path: String,
    /// `hostPath.type`; empty where none is set.
    pub kind: String,
}

impl Claims {
    /// Notes `workload` if it is a PersistentVolume with a host path, or a claim that names its volume.
    pub fn note(&mut self, workload: &Workload<'_>) {
        let Some(spec) = &workload.object.spec else { return };
        match workload.kind() {
            "PersistentVolume" => {
                let sources = [&spec.host_path, &spec.local].into_iter().flatten();
                let paths = sources.map(|source| ClaimedPath {
                    volume: workload.name.to_owned(),
                    path: source.path.to_string(),
                    kind: source.kind.to_string(),
                });
                let paths: Vec<_> = paths.collect();
                if let Some(claim) = spec.claim_ref.as_ref().filter(|_| !paths.is_empty()) {
                    self.by_claim.insert((claim.namespace.to_string(), claim.name.to_string()), paths.clone());
                }
                if !paths.is_empty() {
                    self.by_volume.insert(workload.name.to_owned(), paths);
                }
            }
            "PersistentVolumeClaim" if !spec.volume_name.is_empty() => {
                self.volume_of.insert((workload.namespace.to_owned(), workload.name.to_owned()), spec.volume_name.to_string());
            }
            _ => {}
        }
    }

    /// True if no claim can lead to a host path.
    pub fn is_empty(&self) -> bool {
        self.by_volume.is_empty()
    }

    /// The host paths behind `claim` of `namespace`, as far as they are known. Nothing is guessed.
    pub(super) fn paths(&self, namespace: &str, claim: &str) -> &[ClaimedPath] {
        let key = (namespace.to_owned(), claim.to_owned());
        let named = self.volume_of.get(&key).and_then(|volume| self.by_volume.get(volume));
        self.by_claim.get(&key).or(named).map_or(&[], Vec::as_slice)
    }
}
