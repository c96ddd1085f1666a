//! The pod spec as rules see it: every kind of container in one sequence, volumes joined to the mounts that use them.

mod index;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::sync::Arc;

use super::budget::{keep, spend};
use super::container::{self, MOUNT_BYTES};
use super::host_path::HostPath;
use super::knowledge::Knowledge;
use super::object::{self, Spec, Volume};
use super::surroundings::{Claim, Match, NodeNames, Surroundings};
use super::variables::{self, Identity};

use index::Index;

pub(crate) use super::container::{Container, DockerUse, MAX_FILLED, TextField};

/// A pod spec, wherever in the object it lies.
#[derive(Debug)]
pub struct Pod<'a> {
    pub(crate) spec: &'a Spec<'a>,
    /// Field path of the spec, such as `spec.template.spec`.
    pub(crate) path: &'a str,
    pub(crate) containers: Vec<Container<'a>>,
    pub(crate) host_mounts: Vec<HostMount<'a>>,
    knowledge: &'a Knowledge,
    namespace: &'a str,
    nodes: Arc<NodeNames>,
    data_roots: Arc<[HostPath]>,
    daemons: OnceCell<Vec<usize>>,
    /// Whether it reads the logs of every runtime, as a rule finds out.
    pub(crate) reads_new_logs: OnceCell<bool>,
    index: Index<'a>,
}

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
    /// A directory in which Docker's socket lies, or one that the operator says to be a Docker socket.
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
    /// The text of a container that names `path`; the volume itself is mounted at a directory above.
    pub(crate) named: Option<Named>,
}

/// A path in a text of a container.
#[derive(Debug)]
pub(crate) struct Named {
    /// Which of the texts.
    pub(crate) field: TextField,
    /// The path as it is written there.
    pub(crate) text: String,
}

impl HostMount<'_> {
    /// The path that rules about Docker's files judge: with Docker's usual data directory in place of a moved one.
    pub(crate) fn judged_path(&self) -> &HostPath {
        self.usual_path.as_ref().unwrap_or(&self.path)
    }
}

/// What a container costs all rules, whatever it is.
const CONTAINER_STEPS: usize = 256;

/// What a host mount costs all rules, without the length of its texts.
const MOUNT_STEPS: usize = 256;

/// Who can reach a host path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountUser {
    /// A container, as an index into `Pod::containers`.
    Container(usize),
    /// A volume that no container mounts: kubelet skips it.
    Nobody,
    /// A volume of an object that shows no container at all: a patch, or a template that its controller completes.
    Unseen,
    /// A PersistentVolume offers it to whoever claims it.
    Claims,
}

impl<'a> Pod<'a> {
    /// The view of `spec`, which lies at `path` of its object.
    pub(crate) fn new(
        spec: &'a Spec<'a>,
        path: &'a str,
        knowledge: &'a Knowledge,
        identity: Identity<'a>,
    ) -> Self {
        let source = container::Source {
            knowledge,
            spec,
            identity,
            room: Rc::new(Cell::new(variables::MAX_EXPANDED)),
        };
        let mut containers = Vec::with_capacity(spec.containers.len() + spec.init_containers.len());
        let lists = [
            ("initContainers", &spec.init_containers),
            ("containers", &spec.containers),
            ("ephemeralContainers", &spec.ephemeral_containers),
        ];
        for (list, raw) in lists {
            for (position, raw) in raw.iter().enumerate() {
                // What has no room is not evaluated, and the rest is decided by the namespace.
                if !(spend(CONTAINER_STEPS) && keep(size_of::<Container<'_>>())) {
                    break;
                }
                let index = containers.len();
                containers.push(Container::new(raw, (list, position, index), source.clone()));
            }
        }
        let mut pod = Self {
            spec,
            path,
            containers,
            host_mounts: Vec::new(),
            knowledge,
            namespace: identity.namespace,
            nodes: Arc::default(),
            data_roots: Arc::default(),
            daemons: OnceCell::new(),
            reads_new_logs: OnceCell::new(),
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
                let place = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
                (requirement, format!("{path}.{place}[{term}].matchExpressions[{at}]"))
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

    /// The containers that run a Docker daemon of their own.
    pub(crate) fn daemons(&self) -> impl Iterator<Item = &Container<'a>> {
        let is_daemon = |index: &usize| super::daemon::is_daemon(self, &self.containers[*index]);
        let indices = self
            .daemons
            .get_or_init(|| (0..self.containers.len()).filter(is_daemon).collect());
        indices.iter().map(|&index| &self.containers[index])
    }

    /// The first of them, if there is one.
    pub(crate) fn daemon(&self) -> Option<&Container<'a>> {
        self.daemons().next()
    }

    /// True if `container` runs a Docker daemon of its own.
    pub(crate) fn is_daemon(&self, container: &Container<'_>) -> bool {
        self.daemons().next();
        let daemons = self.daemons.get();
        daemons.is_some_and(|indices| indices.binary_search(&container.index).is_ok())
    }

    /// The volume that `container` sees at `path`.
    pub(crate) fn volume_at(
        &self,
        container: &Container<'_>,
        path: &HostPath,
    ) -> Option<&'a Volume<'a>> {
        let (position, _) = container.mount_at(path)?;
        self.volume(&container.raw.volume_mounts[position].name)
    }

    /// The host path behind `path` in `container`, if a host path is mounted there.
    pub(crate) fn host_path_at(
        &self,
        container: &Container<'_>,
        path: &HostPath,
    ) -> Option<HostPath> {
        let (position, at) = container.mount_at(path)?;
        let mount = self.host_mount_of(container, position)?;
        Some(mount.path.join(path.as_str().strip_prefix(at)?))
    }

    /// True for an address or a name of a node of the cluster, as far as they are known.
    pub(crate) fn names_node(&self, host: &str) -> bool {
        self.nodes.contains(host)
    }

    /// True if the Pod has volumes of claims.
    pub(crate) fn has_claims(&self) -> bool {
        self.spec
            .volumes
            .iter()
            .any(|volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some())
    }

    /// Adds what other objects say: the host paths behind its claims and those of `templates`, which lie at `place` of
    /// the object, and the names of the nodes.
    pub(crate) fn place_in(
        &mut self,
        surroundings: &Surroundings,
        templates: &'a [object::ClaimTemplate<'a>],
    ) {
        self.nodes = surroundings.nodes();
        self.data_roots = surroundings.data_roots();
        if !self.data_roots.is_empty() {
            let mut mounts = std::mem::take(&mut self.host_mounts);
            for mount in &mut mounts {
                mount.usual_path = self.usual_path(&mount.path);
            }
            self.host_mounts = mounts;
        }
        let mut found = Vec::new();
        for (index, volume) in self.spec.volumes.iter().enumerate() {
            let (claim, field) = if let Some(claim) = &volume.persistent_volume_claim {
                let claim = Claim::Named(self.namespace, &claim.claim_name);
                (claim, "persistentVolumeClaim.claimName")
            } else if let Some(claim) = &volume.ephemeral {
                let template = claim.template.as_ref();
                let Some(spec) = template.and_then(|template| template.spec.as_deref()) else {
                    continue;
                };
                (Claim::Template(spec), "ephemeral.volumeClaimTemplate.spec")
            } else {
                continue;
            };
            let field = format!("{}.volumes[{index}].{field}", self.path);
            self.mounts_of_claim(&volume.name, &claim, field, surroundings, &mut found);
        }
        for (index, template) in templates.iter().enumerate() {
            let Some(spec) = &template.spec else { continue };
            let field = format!("spec.volumeClaimTemplates[{index}].spec");
            let name = &template.metadata.name;
            self.mounts_of_claim(
                name,
                &Claim::Template(spec),
                field,
                surroundings,
                &mut found,
            );
        }
        self.host_mounts.append(&mut found);
        self.index.forget_host_mounts();
    }

    /// Adds a mount for each use of the volume `name` and each host path that `claim` has or can get.
    fn mounts_of_claim(
        &self,
        name: &'a str,
        claim: &Claim<'_>,
        field: String,
        surroundings: &Surroundings,
        found: &mut Vec<HostMount<'a>>,
    ) {
        let before = found.len();
        let (how, paths) = surroundings.paths(claim);
        for path in paths {
            let source = Source {
                path: &path.path,
                kind: Cow::Owned(path.kind.clone()),
                claimed: Some((&path.volume, how)),
                field: field.clone(),
            };
            self.mounts_of_volume(name, &source, found);
        }
        if found.len() == before && surroundings.is_unseen(claim) {
            self.mounts_of_unseen(name, field, found);
        }
    }

    /// A claim that is not there yet can still lead to the node. Nobody but Docker has a file of that name, so a `subPath` that
    /// names it says where the volume will be.
    fn mounts_of_unseen(&self, name: &'a str, field: String, found: &mut Vec<HostMount<'a>>) {
        let source = Source {
            path: "/run",
            kind: Cow::Borrowed(""),
            claimed: Some(("not seen yet", Match::Unknown)),
            field,
        };
        let mut assumed = Vec::new();
        self.mounts_of_volume(name, &source, &mut assumed);
        assumed.retain(|mount| {
            mount.field.contains(".subPath") && mount.path.file_name() == "docker.sock"
        });
        found.append(&mut assumed);
    }

    /// See [`HostMount::usual_path`].
    pub(super) fn usual_path(&self, path: &HostPath) -> Option<HostPath> {
        let known = self.knowledge.usual_path(path);
        known.or_else(|| Knowledge::below_shown_root(&self.data_roots, path))
    }

    /// True if the operator or another object says that Docker's data directory was moved.
    pub(super) fn has_moved_data_root(&self) -> bool {
        !(self.knowledge.data_roots.is_empty() && self.data_roots.is_empty())
    }

    fn find_host_mounts(&self) -> Vec<HostMount<'a>> {
        let mut found = Vec::new();
        for (index, volume) in self.spec.volumes.iter().enumerate() {
            let Some(host_path) = &volume.host_path else {
                continue;
            };
            let field = format!("{}.volumes[{index}].hostPath.path", self.path);
            let source = Source {
                path: &host_path.path,
                kind: Cow::Borrowed(host_path.kind.as_str()),
                claimed: None,
                field,
            };
            self.mounts_of_volume(&volume.name, &source, &mut found);
        }
        found
    }

    /// Adds a mount for each use of the volume `name`, or one of nobody's.
    fn mounts_of_volume(
        &self,
        name: &'a str,
        source: &Source<'_, 'a>,
        found: &mut Vec<HostMount<'a>>,
    ) {
        let root = HostPath::new(source.path);
        let mount_of = |user, position, path, open_below, mount_path, field| HostMount {
            volume: name,
            kind: source.kind.clone(),
            claimed: source.claimed.map(|(volume, _)| volume.to_owned()),
            claim_match: source.claimed.map_or(Match::Bound, |(_, how)| how),
            is_named_socket: self.knowledge.is_socket(&path),
            is_socket_parent: self.knowledge.is_socket_parent(&path),
            usual_path: self.usual_path(&path),
            path,
            open_below,
            user,
            position,
            mount_path,
            field,
            named: None,
        };
        let before = found.len();
        for &(index, position) in &*self.uses(name) {
            let container = &self.containers[index];
            let mount = &container.raw.volume_mounts[position];
            let texts = [&mount.mount_path, &mount.sub_path, &mount.sub_path_expr];
            let length = root.as_str().len() + texts.iter().map(|text| text.len()).sum::<usize>();
            // Its path is kept, and its field.
            let bytes = size_of::<HostMount<'_>>() + MOUNT_BYTES + length;
            if !(spend(MOUNT_STEPS + length) && keep(bytes)) {
                return;
            }
            let field = |name| {
                format!(
                    "{}.volumeMounts[{position}].{name}",
                    self.container_path(container)
                )
            };
            let (path, open_below, field) = if !mount.sub_path_expr.is_empty() {
                let (path, open) = self.expand_sub_path(container, &root, &mount.sub_path_expr);
                (path, open, field("subPathExpr"))
            } else if !mount.sub_path.is_empty() {
                (root.join(&mount.sub_path), false, field("subPath"))
            } else {
                (root.clone(), false, source.field.clone())
            };
            let mount_path = HostPath::new(&mount.mount_path).as_str().to_owned();
            let user = MountUser::Container(index);
            found.push(mount_of(
                user, position, path, open_below, mount_path, field,
            ));
        }
        if found.len() == before {
            let user = if self.containers.is_empty() {
                MountUser::Unseen
            } else {
                MountUser::Nobody
            };
            found.push(mount_of(
                user,
                0,
                root,
                false,
                String::new(),
                source.field.clone(),
            ));
        }
    }

    /// The path to which the `subPathExpr` `text` leads from `root`, and whether it is a directory above a socket below which
    /// the object does not show where it leads.
    fn expand_sub_path(
        &self,
        container: &Container<'_>,
        root: &HostPath,
        text: &str,
    ) -> (HostPath, bool) {
        let expanded = container.expand(text);
        let (text, is_open) = expanded.map_or((Cow::Borrowed(text), true), |expanded| {
            (expanded.text, expanded.is_open)
        });
        if !is_open {
            return (root.join(&text), false);
        }
        let components: Vec<&str> = text.split('/').collect();
        let open = components
            .iter()
            .position(|component| component.contains("$("))
            .unwrap_or_default();
        let known = root.join(&components[..open].join("/"));
        let start = components[open].split("$(").next().unwrap_or_default();
        // A component that begins otherwise than the next one on the way to a socket does not lead there.
        let below = format!("{}/{start}", known.as_str().trim_end_matches('/'));
        if self.knowledge.leads_to_socket(&below) {
            (known, true)
        } else {
            (root.join(&text), false)
        }
    }
}

/// Where a volume's host path comes from.
struct Source<'s, 'a> {
    path: &'s str,
    kind: Cow<'a, str>,
    claimed: Option<(&'s str, Match)>,
    field: String,
}
