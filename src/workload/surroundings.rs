//! What other objects say about an object: the PersistentVolume behind a claim, the runtimes of the nodes.

use std::collections::{BTreeSet, HashMap};

use super::Workload;

/// Facts of other objects. Volumes without a host path are not kept.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// By namespace and claim, from the volume's `claimRef`.
    by_claim: HashMap<(String, String), Vec<ClaimedPath>>,
    /// By the volume's name.
    by_volume: HashMap<String, Vec<ClaimedPath>>,
    /// The volume that a claim names itself.
    volume_of: HashMap<(String, String), String>,
    /// Runtime families of the nodes: `docker`, `containerd`, `cri-o`.
    runtimes: BTreeSet<String>,
    /// Names of the RuntimeClasses whose handler is Docker.
    docker_classes: BTreeSet<String>,
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

impl Surroundings {
    /// Notes `workload` if it is a PersistentVolume with a host path, a claim that names its volume, or a node.
    pub fn note(&mut self, workload: &Workload<'_>) {
        if let Some((family, _)) = workload
            .node_runtime()
            .and_then(|runtime| runtime.split_once("://"))
        {
            self.runtimes.insert(family.to_owned());
        }
        if workload.kind() == "RuntimeClass" && *workload.object.handler == *"docker" {
            self.docker_classes.insert(workload.name.to_owned());
        }
        let Some(spec) = &workload.object.spec else {
            return;
        };
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
                    self.by_claim.insert(
                        (claim.namespace.to_string(), claim.name.to_string()),
                        paths.clone(),
                    );
                }
                if !paths.is_empty() {
                    self.by_volume.insert(workload.name.to_owned(), paths);
                }
            }
            "PersistentVolumeClaim" if !spec.volume_name.is_empty() => {
                self.volume_of.insert(
                    (workload.namespace.to_owned(), workload.name.to_owned()),
                    spec.volume_name.to_string(),
                );
            }
            _ => {}
        }
    }

    /// True if nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.by_volume.is_empty() && self.runtimes.is_empty()
    }

    /// True if `volume` was noted, which is so only where it has a host path.
    pub fn has_volume(&self, volume: &str) -> bool {
        self.by_volume.contains_key(volume)
    }

    /// True for a RuntimeClass that was noted, which is so only where its handler is Docker.
    pub(super) fn is_docker_class(&self, name: &str) -> bool {
        self.docker_classes.contains(name)
    }

    /// The runtime families of the nodes that were noted.
    pub fn runtimes(&self) -> &BTreeSet<String> {
        &self.runtimes
    }

    /// The host paths behind `claim` of `namespace`, as far as they are known. Nothing is guessed.
    pub(super) fn paths(&self, namespace: &str, claim: &str) -> &[ClaimedPath] {
        let key = (namespace.to_owned(), claim.to_owned());
        let named = self
            .volume_of
            .get(&key)
            .and_then(|volume| self.by_volume.get(volume));
        self.by_claim.get(&key).or(named).map_or(&[], Vec::as_slice)
    }
}
