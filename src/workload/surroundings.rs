//! What other objects say about an object: the PersistentVolume behind a claim, the runtimes and names of the nodes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Workload;
use super::address;
use super::object::{ClaimSpec, Spec};
use super::text::Text;

/// Facts of other objects. Volumes without a host path are not kept.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// By name.
    volumes: HashMap<String, Volume>,
    /// The volume that a claim is bound to, by namespace and claim, from the volume's `claimRef`.
    bound: HashMap<(String, String), String>,
    claims: HashMap<(String, String), ClaimFacts>,
    nodes: Arc<NodeNames>,
    /// Runtime families of the nodes: `docker`, `containerd`, `cri-o`.
    runtimes: BTreeSet<String>,
    /// Names of the RuntimeClasses whose handler is Docker.
    docker_classes: BTreeSet<String>,
}

/// Addresses and names of the cluster's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeNames(BTreeSet<String>);

impl NodeNames {
    /// True for an address or a name of a node, in any spelling.
    pub(super) fn contains(&self, host: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&address::canonical(host))
    }
}

impl<T: AsRef<str>> FromIterator<T> for NodeNames {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        let names = names
            .into_iter()
            .map(|name| address::canonical(name.as_ref()));
        Self(names.filter(|name| !name.is_empty()).collect())
    }
}

#[derive(Clone, Debug)]
struct Volume {
    class: String,
    is_bound: bool,
    paths: Vec<ClaimedPath>,
}

/// What a claim asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimFacts {
    /// The volume that it asks for or has; empty where it has none.
    pub volume: String,
    /// `None` where the claim names no class, which then is the cluster's default.
    pub class: Option<String>,
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

/// A claim that a Pod uses.
pub(super) enum Claim<'c> {
    /// Namespace and name.
    Named(&'c str, &'c str),
    /// It is made from this for the Pod.
    Template(&'c ClaimSpec<'c>),
}

/// How sure it is that a claim gets a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// It has it, or asks for it by name.
    Bound,
    /// It has none yet and asks for its class.
    Class,
    /// Nothing is known of the claim.
    Unknown,
}

impl Surroundings {
    /// Notes `workload` if it is a PersistentVolume with a host path, a claim, or a node.
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
            "PersistentVolume" => self.note_volume(workload.name, spec),
            "PersistentVolumeClaim" => {
                let facts = ClaimFacts {
                    volume: spec.volume_name.to_string(),
                    class: spec.storage_class_name.as_ref().map(Text::to_string),
                };
                self.set_claim(workload.namespace, workload.name, Some(facts));
            }
            _ => {}
        }
    }

    fn note_volume(&mut self, name: &str, spec: &Spec<'_>) {
        let sources = [&spec.host_path, &spec.local].into_iter().flatten();
        let paths: Vec<_> = sources
            .map(|source| ClaimedPath {
                volume: name.to_owned(),
                path: source.path.to_string(),
                kind: source.kind.to_string(),
            })
            .collect();
        if paths.is_empty() {
            return;
        }
        if let Some(claim) = &spec.claim_ref {
            let claim = (claim.namespace.to_string(), claim.name.to_string());
            self.bound.insert(claim, name.to_owned());
        }
        let class = spec.storage_class_name.as_ref();
        let volume = Volume {
            class: class.map(Text::to_string).unwrap_or_default(),
            is_bound: spec.claim_ref.is_some(),
            paths,
        };
        self.volumes.insert(name.to_owned(), volume);
    }

    /// Notes what the claim `name` asks for; `None` if there is no such claim any more.
    pub fn set_claim(&mut self, namespace: &str, name: &str, facts: Option<ClaimFacts>) {
        let key = (namespace.to_owned(), name.to_owned());
        match facts {
            Some(facts) => self.claims.insert(key, facts),
            None => self.claims.remove(&key),
        };
    }

    /// Notes the addresses and names of all nodes.
    pub fn set_nodes(&mut self, nodes: NodeNames) {
        self.nodes = Arc::new(nodes);
    }

    /// The addresses and names of the nodes.
    pub(super) fn nodes(&self) -> Arc<NodeNames> {
        Arc::clone(&self.nodes)
    }

    /// True if nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty() && self.runtimes.is_empty() && self.nodes.0.is_empty()
    }

    /// True if `volume` was noted, which is so only where it has a host path.
    pub fn has_volume(&self, volume: &str) -> bool {
        self.volumes.contains_key(volume)
    }

    /// True for a RuntimeClass that was noted, which is so only where its handler is Docker.
    pub(super) fn is_docker_class(&self, name: &str) -> bool {
        self.docker_classes.contains(name)
    }

    /// The runtime families of the nodes that were noted.
    pub fn runtimes(&self) -> &BTreeSet<String> {
        &self.runtimes
    }

    /// The host paths that `claim` has or can get, as far as they are known.
    ///
    /// A claim that waits for its first Pod, or comes after it, is bound when the Pod is already admitted. So each free volume of
    /// its class is one that it can get, whatever its size or selector.
    pub(super) fn paths(&self, claim: &Claim<'_>) -> (Match, Vec<&ClaimedPath>) {
        let (volume, class) = match claim {
            Claim::Named(namespace, name) => {
                let key = ((*namespace).to_owned(), (*name).to_owned());
                let facts = self.claims.get(&key);
                let named = facts.map(|facts| &facts.volume);
                let bound = self.bound.get(&key).or(named);
                match (bound.filter(|volume| !volume.is_empty()), facts) {
                    (Some(volume), _) => (volume.as_str(), None),
                    (None, Some(facts)) => ("", facts.class.as_deref()),
                    (None, None) => return (Match::Unknown, self.free(None)),
                }
            }
            Claim::Template(spec) => {
                let class = spec.storage_class_name.as_ref();
                (spec.volume_name.as_str(), class.map(Text::as_str))
            }
        };
        if !volume.is_empty() {
            let volume = self.volumes.get(volume);
            let paths = volume.map(|volume| volume.paths.iter().collect());
            return (Match::Bound, paths.unwrap_or_default());
        }
        let how = if class.is_some() {
            Match::Class
        } else {
            Match::Unknown
        };
        (how, self.free(class))
    }

    /// The host paths of the volumes of `class`, or of any, that no claim has.
    fn free(&self, class: Option<&str>) -> Vec<&ClaimedPath> {
        let is_free = |volume: &&Volume| {
            !volume.is_bound && class.is_none_or(|class| *volume.class == *class)
        };
        let mut paths: Vec<_> = (self.volumes.values().filter(is_free))
            .flat_map(|volume| &volume.paths)
            .collect();
        paths.sort_by(|a, b| (&a.volume, &a.path).cmp(&(&b.volume, &b.path)));
        paths
    }
}
