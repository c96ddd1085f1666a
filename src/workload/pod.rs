//! The pod spec as rules see it: every kind of container in one sequence, volumes joined to the
//! mounts that use them.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::sync::Arc;

use super::address::canonical;
use super::budget::{keep, spend};
use super::container::MOUNT_BYTES;
use super::host_path::HostPath;
use super::object::{self, Spec, Volume};
use super::overrides::Overrides;
use super::related_objects::{Match, NodeNames};
use super::variables::{self, Identity};

mod mounts;

pub(crate) use super::container::{Container, FEW, TextField};

/// A pod spec, wherever in the object it lies.
#[derive(Debug)]
pub struct Pod<'a> {
    pub(crate) spec: &'a Spec<'a>,
    /// Field path of the spec, such as `spec.template.spec`.
    pub(crate) path: &'a str,
    pub(crate) containers: Vec<Container<'a>>,
    pub(crate) host_mounts: Vec<HostMount<'a>>,
    pub(crate) overrides: &'a Overrides,
    pub(crate) identity: Identity<'a>,
    /// Bytes that its variables and texts may still grow by.
    pub(crate) room: Cell<usize>,
    nodes: Arc<NodeNames>,
    data_roots: Arc<[HostPath]>,
    index: Index,
}

/// Where things are, for a Pod that has many of them. Names are looked up in lists of places that
/// are sorted by name.
#[derive(Debug, Default)]
struct Index {
    /// The volumes, as positions.
    volumes: OnceCell<Vec<usize>>,
    /// The mounts, by the name of their volume.
    uses: OnceCell<Vec<Use>>,
    /// The first host mount of each mount.
    host_mounts: OnceCell<HashMap<Use, usize>>,
    /// The first alias of each host name.
    aliases: OnceCell<HashMap<String, usize>>,
}

/// A mount: the container, as an index into `Pod::containers`, and the position in its list.
type Use = (usize, usize);

/// A host path that a container can reach, or, unmounted, could.
#[derive(Debug)]
pub struct HostMount<'a> {
    /// The volume's name.
    pub volume: &'a str,
    /// `hostPath.type`; empty where none is set.
    pub kind: Cow<'a, str>,
    /// The PersistentVolume behind the volume's claim, where it is one.
    pub claimed: Option<String>,
    /// How sure it is that the claim gets that volume.
    pub(crate) claim_match: Match,
    /// The host path with `subPath`, cleaned.
    pub path: HostPath,
    /// The operator says that a Docker socket lies there.
    pub is_named_socket: bool,
    /// A directory in which Docker's socket lies, or one that the operator says to be a Docker
    /// socket.
    pub(crate) is_socket_parent: bool,
    /// What lies below `path` is decided by a variable that the object does not show.
    pub open_below: bool,
    /// Who can reach it.
    pub user: MountUser,
    /// Position among the container's mounts.
    pub(crate) position: usize,
    /// Where the container sees it, cleaned; empty for an unmounted volume.
    pub mount_path: String,
    /// Field path of the host path, or of the `subPath` that completes it.
    pub field: String,
    /// Where `path` would lie in Docker's usual data directory, if it lies in one that was moved.
    pub(crate) usual_path: Option<HostPath>,
    /// The text of a container that names `path`; the volume itself is mounted at a directory
    /// above.
    pub(crate) named: Option<Named>,
}

/// A path in a text of a container.
#[derive(Debug)]
pub(crate) struct Named {
    /// The field of the text, below the container.
    pub(crate) field: String,
    /// The path as it is written there.
    pub(crate) text: String,
}

impl<'a> HostMount<'a> {
    /// The mount of a path of which nothing else is known.
    pub(crate) fn new(volume: &'a str, path: HostPath, user: MountUser) -> Self {
        Self {
            volume,
            kind: "".into(),
            claimed: None,
            claim_match: Match::Bound,
            path,
            is_named_socket: false,
            is_socket_parent: false,
            open_below: false,
            user,
            position: 0,
            mount_path: String::new(),
            field: String::new(),
            usual_path: None,
            named: None,
        }
    }

    /// True for a directory above Docker's socket, or above one that the operator names.
    pub(crate) fn may_hold_socket(&self) -> bool {
        self.is_socket_parent || self.open_below
    }

    /// The path that rules about Docker's files judge: with Docker's usual data directory in place
    /// of a moved one.
    pub(crate) fn judged_path(&self) -> &HostPath {
        self.usual_path.as_ref().unwrap_or(&self.path)
    }
}

/// What a container costs all rules, whatever it is.
const CONTAINER_STEPS: usize = 256;

/// Room for what rules derive from a container, without its texts.
pub(crate) const DERIVED_BYTES: usize = 1024;

/// What it costs to read the name of a host.
const ALIAS_STEPS: usize = 32;

/// Who can reach a host path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountUser {
    /// A container, as an index into `Pod::containers`.
    Container(usize),
    /// A volume that no container mounts: kubelet skips it.
    Nobody,
    /// A volume of an object that shows no container at all: a patch, or a template that its
    /// controller completes.
    Unseen,
    /// A PersistentVolume offers it to whoever claims it.
    Claims,
}

impl<'a> Pod<'a> {
    /// The view of `spec`, which lies at `path` of its object.
    pub(crate) fn new(
        spec: &'a Spec<'a>,
        path: &'a str,
        overrides: &'a Overrides,
        identity: Identity<'a>,
    ) -> Self {
        let mut containers = Vec::with_capacity(spec.containers.len() + spec.init_containers.len());
        let lists = [
            ("initContainers", &spec.init_containers),
            ("containers", &spec.containers),
            ("ephemeralContainers", &spec.ephemeral_containers),
        ];
        for (list, raw) in lists {
            for (position, raw) in raw.iter().enumerate() {
                // What has no room is not evaluated, and the rest is decided by the namespace.
                let bytes = size_of::<Container<'_>>() + DERIVED_BYTES;
                if !(spend(CONTAINER_STEPS) && keep(bytes)) {
                    break;
                }
                let index = containers.len();
                containers.push(Container::new(raw, (list, position, index)));
            }
        }
        let mut pod = Self {
            spec,
            path,
            containers,
            host_mounts: Vec::new(),
            overrides,
            identity,
            room: Cell::new(variables::MAX_EXPANDED),
            nodes: Arc::default(),
            data_roots: Arc::default(),
            index: Index::default(),
        };
        pod.host_mounts = pod.find_host_mounts();
        pod
    }

    /// The field path of `container`.
    pub(crate) fn container_path(&self, container: &Container<'_>) -> String {
        match self
            .spec
            .places
            .get(container.position)
            .filter(|_| container.list == "containers")
        {
            Some(place) => format!("{}.{place}", self.path),
            None => format!("{}.{}[{}]", self.path, container.list, container.position),
        }
    }

    /// What the Pod's affinity requires of its node, with the field of each.
    pub(crate) fn node_requirements(
        &self,
    ) -> impl Iterator<Item = (&'a object::NodeRequirement<'a>, String)> {
        let path = self.path;
        let required = self
            .spec
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.as_ref()?.required.as_ref());
        let terms = required
            .into_iter()
            .flat_map(|required| required.node_selector_terms.iter().enumerate());
        terms.flat_map(move |(term, requirements)| {
            let requirements = requirements.match_expressions.iter().enumerate();
            requirements.map(move |(at, requirement)| {
                let place = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
                let term = format!("{path}.{place}.nodeSelectorTerms[{term}]");
                (requirement, format!("{term}.matchExpressions[{at}]"))
            })
        })
    }

    /// The host paths that `container` mounts.
    pub(crate) fn mounts_of(
        &self,
        container: &Container<'_>,
    ) -> impl Iterator<Item = &HostMount<'a>> {
        let index = container.index;
        let mounts = self.host_mounts.iter().take_while(|_| spend(1));
        mounts.filter(move |mount| mount.user == MountUser::Container(index))
    }

    /// The first volume of this name.
    pub(crate) fn volume(&self, name: &str) -> Option<&'a Volume<'a>> {
        let volumes = &self.spec.volumes;
        if volumes.len() <= FEW {
            return volumes.iter().find(|volume| *volume.name == *name);
        }
        let name_of = |position: usize| volumes[position].name.as_str();
        let index = self.index.volumes.get_or_init(|| {
            let positions = (0..volumes.len()).take_while(|_| keep(MOUNT_BYTES));
            let mut index: Vec<usize> = positions.collect();
            index.sort_by_key(|position| name_of(*position));
            index
        });
        let at = index.partition_point(|position| name_of(*position) < name);
        index
            .get(at)
            .filter(|position| name_of(**position) == name)
            .map(|position| &volumes[*position])
    }

    /// The mounts of the volume `name`, in the order of the containers.
    fn uses(&self, name: &str) -> Cow<'_, [Use]> {
        let mounts = self.containers.iter().flat_map(|container| {
            let mounts = container.raw.volume_mounts.iter().enumerate();
            mounts.map(|(position, mount)| (mount.name.as_str(), (container.index, position)))
        });
        let are_few = || mounts.clone().take(FEW + 1).count() <= FEW;
        if self.containers.len() <= FEW && are_few() {
            let uses = mounts.filter(|(of, _)| *of == name);
            return uses.map(|(_, place)| place).collect();
        }
        let name_of = |(container, position): Use| {
            let mounts = &self.containers[container].raw.volume_mounts;
            mounts[position].name.as_str()
        };
        let index = self.index.uses.get_or_init(|| {
            let places = mounts.map(|(_, place)| place);
            let mut index: Vec<Use> = places.take_while(|_| keep(MOUNT_BYTES)).collect();
            index.sort_by_key(|place| name_of(*place));
            index
        });
        let start = index.partition_point(|place| name_of(*place) < name);
        let end = index.partition_point(|place| name_of(*place) <= name);
        Cow::Borrowed(&index[start..end])
    }

    /// True if another container than this one mounts the volume `name`.
    pub(crate) fn is_mounted_beside(&self, name: &str, container: &Container<'_>) -> bool {
        let uses = self.uses(name);
        // They are in order, so one of the ends is another's where any is.
        let ends = [uses.first(), uses.last()];
        ends.into_iter()
            .flatten()
            .any(|(index, _)| *index != container.index)
    }

    /// The host path that the mount at `position` of `container` leads to.
    pub(crate) fn host_mount_of(
        &self,
        container: &Container<'_>,
        position: usize,
    ) -> Option<&HostMount<'a>> {
        let place = (container.index, position);
        let place_of = |mount: &HostMount<'_>| match mount.user {
            MountUser::Container(index) => Some((index, mount.position)),
            _ => None,
        };
        let mounts = &self.host_mounts;
        if mounts.len() <= FEW {
            return mounts.iter().find(|mount| place_of(mount) == Some(place));
        }
        let index = self.index.host_mounts.get_or_init(|| {
            let places = mounts.iter().enumerate().rev();
            places
                .take_while(|_| keep(MOUNT_BYTES))
                .filter_map(|(at, mount)| Some((place_of(mount)?, at)))
                .collect()
        });
        index.get(&place).map(|&at| &mounts[at])
    }

    /// The address that the Pod's own `hostAliases` give `host`, which is in its canonical
    /// spelling.
    pub(crate) fn alias_of(&self, host: &str) -> Option<&'a str> {
        let aliases = &self.spec.host_aliases;
        if aliases.is_empty() {
            return None;
        }
        let index = self.index.aliases.get_or_init(|| {
            let mut index = HashMap::new();
            for (position, alias) in aliases.iter().enumerate() {
                for name in alias.hostnames.iter() {
                    if !(spend(ALIAS_STEPS + name.len()) && keep(MOUNT_BYTES + name.len())) {
                        return index;
                    }
                    index.entry(canonical(name)).or_insert(position);
                }
            }
            index
        });
        index.get(host).map(|&at| aliases[at].ip.as_str())
    }

    /// See [`Container::mount_at`].
    fn mount_at<'p>(
        &self,
        container: &Container<'_>,
        path: &'p HostPath,
    ) -> Option<(usize, &'p str)> {
        container.mount_at(path, |at| self.host_mount_of(container, at).is_some())
    }

    /// The mount of a host path through which `container` reaches `path`.
    pub(crate) fn mount_above(
        &self,
        container: &Container<'_>,
        path: &HostPath,
    ) -> Option<&HostMount<'a>> {
        let (position, _) = self.mount_at(container, path)?;
        self.host_mount_of(container, position)
    }

    /// The volume that `container` sees at `path`.
    pub(crate) fn volume_at(
        &self,
        container: &Container<'_>,
        path: &HostPath,
    ) -> Option<&'a Volume<'a>> {
        let (position, _) = self.mount_at(container, path)?;
        self.volume(&container.raw.volume_mounts[position].name)
    }

    /// The host path behind `path` in `container`, if a host path is mounted there.
    pub(crate) fn host_path_at(
        &self,
        container: &Container<'_>,
        path: &HostPath,
    ) -> Option<HostPath> {
        let (position, at) = self.mount_at(container, path)?;
        let mount = self.host_mount_of(container, position)?;
        Some(mount.path.join(path.as_str().strip_prefix(at)?))
    }

    /// True for an address or a name of a node of the cluster, as far as they are known.
    pub(crate) fn names_node(&self, host: &str) -> bool {
        self.nodes.contains(host)
    }
}
