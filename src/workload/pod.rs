//! The pod spec as rules see it: every kind of container in one sequence, volumes joined to the mounts that use them.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::commands::{self, Command};
use super::endpoint::Endpoint;
use super::host_path::HostPath;
use super::image::ImageReference;
use super::knowledge::Knowledge;
use super::mentions::Mentions;
use super::object::{self, Spec, Volume};
use super::surroundings::{Claim, Match, NodeNames, Surroundings};
use super::tables::ImageRole;
use super::text::Text;
use super::variables::{self, Expanded, Identity, Variables};

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
    daemons: OnceCell<Vec<usize>>,
}

/// One container of any of the three lists.
#[derive(Debug)]
pub struct Container<'a> {
    pub(crate) raw: &'a object::Container<'a>,
    /// Position in `Pod::containers`.
    pub(crate) index: usize,
    list: &'static str,
    position: usize,
    commands: OnceCell<Vec<Command>>,
    mentions: OnceCell<Mentions>,
    image: OnceCell<ImageReference<'a>>,
    image_role: OnceCell<Option<ImageRole>>,
    knowledge: &'a Knowledge,
    spec: &'a Spec<'a>,
    identity: Identity<'a>,
    variables: OnceCell<Variables<'a>>,
    expanded: OnceCell<HashMap<TextField, String>>,
    room: Rc<Cell<usize>>,
    endpoint: OnceCell<Endpoint>,
    mounts: OnceCell<HashMap<String, usize>>,
    pub(crate) sees_cri_socket: OnceCell<bool>,
    pub(crate) docker_use: OnceCell<DockerUse>,
}

/// The signs of Docker in a container, as rules find them.
#[derive(Debug, Default)]
pub(crate) struct DockerUse {
    /// One that counts wherever the socket is.
    pub(crate) by_itself: Option<String>,
    /// Sockets that the container names, by what names them; each lies in a mount of the node's.
    pub(crate) paths: Vec<(String, HostPath)>,
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
    /// Where the container sees it, cleaned; empty for an unmounted volume.
    pub mount_path: String,
    /// Field path of the host path, or of the `subPath` that completes it.
    pub field: String,
}

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
        let room = Rc::new(Cell::new(variables::MAX_EXPANDED));
        let mut containers = Vec::with_capacity(
            spec.containers.len() + spec.init_containers.len() + spec.ephemeral_containers.len(),
        );
        let lists = [
            ("initContainers", &spec.init_containers),
            ("containers", &spec.containers),
            ("ephemeralContainers", &spec.ephemeral_containers),
        ];
        for (list, raw) in lists {
            for (position, raw) in raw.iter().enumerate() {
                let index = containers.len();
                containers.push(Container {
                    raw,
                    index,
                    list,
                    position,
                    commands: OnceCell::new(),
                    mentions: OnceCell::new(),
                    image: OnceCell::new(),
                    image_role: OnceCell::new(),
                    knowledge,
                    spec,
                    identity,
                    variables: OnceCell::new(),
                    expanded: OnceCell::new(),
                    room: Rc::clone(&room),
                    endpoint: OnceCell::new(),
                    mounts: OnceCell::new(),
                    sees_cri_socket: OnceCell::new(),
                    docker_use: OnceCell::new(),
                });
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
            daemons: OnceCell::new(),
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
        self.host_mounts
            .iter()
            .filter(move |mount| mount.user == MountUser::Container(index))
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
        self.daemons().any(|daemon| daemon.index == container.index)
    }

    /// The volume that `container` sees at `path`.
    pub(crate) fn volume_at(
        &self,
        container: &Container<'_>,
        path: &HostPath,
    ) -> Option<&'a Volume<'a>> {
        let (name, _) = container.mount_at(path)?;
        self.spec
            .volumes
            .iter()
            .find(|volume| *volume.name == *name)
    }

    /// The host path behind `path` in `container`, if a host path is mounted there.
    pub(crate) fn host_path_at(
        &self,
        container: &Container<'_>,
        path: &HostPath,
    ) -> Option<HostPath> {
        let (volume, at) = container.mount_at(path)?;
        let mount = self
            .mounts_of(container)
            .find(|mount| mount.mount_path == at && mount.volume == volume)?;
        Some(
            mount
                .path
                .join(path.as_str().strip_prefix(&mount.mount_path)?),
        )
    }

    /// True for an address or a name of a node of the cluster, as far as they are known.
    pub(crate) fn names_node(&self, host: &str) -> bool {
        self.nodes.contains(host)
    }

    /// True if the Pod, or one made from `templates`, mounts claims.
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
        let mount_of = |user, path, open_below, mount_path, field| HostMount {
            volume: name,
            kind: source.kind.clone(),
            claimed: source.claimed.map(|(volume, _)| volume.to_owned()),
            claim_match: source.claimed.map_or(Match::Bound, |(_, how)| how),
            is_named_socket: self.knowledge.is_socket(&path),
            is_socket_parent: self.knowledge.is_socket_parent(&path),
            path,
            open_below,
            user,
            mount_path,
            field,
        };
        let before = found.len();
        for container in &self.containers {
            let mounts = container.raw.volume_mounts.iter().enumerate();
            for (position, mount) in mounts.filter(|(_, mount)| *mount.name == *name) {
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
                found.push(mount_of(
                    MountUser::Container(container.index),
                    path,
                    open_below,
                    mount_path,
                    field,
                ));
            }
        }
        if found.len() == before {
            let user = if self.containers.is_empty() {
                MountUser::Unseen
            } else {
                MountUser::Nobody
            };
            found.push(mount_of(
                user,
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

impl<'a> Container<'a> {
    /// The container's name.
    pub(crate) fn name(&self) -> &'a str {
        self.raw.name.as_str()
    }

    /// The image, taken apart.
    pub(crate) fn image(&self) -> &ImageReference<'a> {
        self.image
            .get_or_init(|| self.knowledge.parse_image(self.raw.image.as_str()))
    }

    /// What the image has to do with Docker, if anything.
    pub(crate) fn image_role(&self) -> Option<ImageRole> {
        *self
            .image_role
            .get_or_init(|| self.knowledge.image_role(self.image()))
    }

    /// True if a command, an argument, a variable or a hook names Docker at all; if not, no rule needs to read them.
    pub(crate) fn mentions_docker(&self) -> bool {
        self.mentions().docker
    }

    /// What its commands, arguments, variables and hooks mention.
    pub(crate) fn mentions(&self) -> Mentions {
        *self.mentions.get_or_init(|| {
            let mut found = Mentions::default();
            self.raw_texts().for_each(|(_, text)| found.add(text));
            if found.reference {
                let expanded = self.expanded.get_or_init(|| self.expand_texts());
                expanded.values().for_each(|text| found.add(text));
            }
            found
        })
    }

    /// The volume that is mounted at the longest directory above `path`, or at `path`, and that directory.
    fn mount_at<'p>(&self, path: &'p HostPath) -> Option<(&'a str, &'p str)> {
        let mounts = self.mounts.get_or_init(|| {
            let mounts = self
                .raw
                .volume_mounts
                .iter()
                .enumerate()
                .filter(|(_, mount)| !mount.mount_path.is_empty());
            mounts
                .map(|(position, mount)| {
                    (
                        HostPath::new(&mount.mount_path).as_str().to_owned(),
                        position,
                    )
                })
                .collect()
        });
        let mut at = path.as_str();
        if mounts.is_empty() || at.len() > MAX_PATH {
            return None;
        }
        loop {
            if let Some(&position) = mounts.get(at) {
                return Some((self.raw.volume_mounts[position].name.as_str(), at));
            }
            at = match at.rfind('/')? {
                0 if at.len() == 1 => return None,
                0 => "/",
                end => &at[..end],
            };
        }
    }

    /// True for `securityContext.privileged`.
    pub(crate) fn is_privileged(&self) -> bool {
        self.raw
            .security_context
            .as_ref()
            .is_some_and(|context| context.privileged.0)
    }

    /// True if the object says that the container does not run as root; the container's word counts before the Pod's.
    pub(crate) fn runs_without_root(&self, pod: &Pod<'_>) -> bool {
        let own = self.raw.security_context.as_ref();
        let shared = pod.spec.security_context.as_ref();
        let user = own
            .and_then(|context| context.run_as_user)
            .or(shared.and_then(|context| context.run_as_user));
        let non_root = own
            .and_then(|context| context.run_as_non_root)
            .or(shared.and_then(|context| context.run_as_non_root));
        match user.and_then(|user| user.0) {
            Some(user) => user != 0,
            None => non_root.is_some_and(|flag| flag.0),
        }
    }

    /// True for a capability in `capabilities.add`.
    pub(crate) fn adds_capability(&self, name: &str) -> bool {
        let capabilities = self
            .raw
            .security_context
            .as_ref()
            .and_then(|context| context.capabilities.as_ref());
        capabilities.is_some_and(|capabilities| {
            capabilities
                .add
                .iter()
                .any(|added| **added == *name || **added == *"ALL")
        })
    }

    /// True if `capabilities.drop` takes a capability and `add` does not give it back.
    pub(crate) fn drops_capability(&self, name: &str) -> bool {
        let capabilities = self
            .raw
            .security_context
            .as_ref()
            .and_then(|context| context.capabilities.as_ref());
        let is_dropped = capabilities.is_some_and(|c| {
            c.drop
                .iter()
                .any(|dropped| **dropped == *name || **dropped == *"ALL")
        });
        is_dropped && !self.adds_capability(name)
    }

    /// The programs that the container runs, as far as the object shows them.
    ///
    /// Only texts that name Docker are read: everything else cannot hold a finding.
    pub(crate) fn commands(&self) -> &[Command] {
        if !self.mentions_docker() {
            return &[];
        }
        self.commands.get_or_init(|| commands::read(self))
    }

    /// Where a Docker client in this container finds its daemon.
    pub(crate) fn endpoint(&self, pod: &Pod<'_>) -> &Endpoint {
        self.endpoint
            .get_or_init(|| super::endpoint::of_container(pod, self))
    }

    /// The container's script, where its kind gives it one for a shell, with its field.
    pub(crate) fn script(&self) -> Option<(TextField, &'a Text<'a>)> {
        let raw = self.raw;
        let script = [
            (TextField::Script, &raw.script),
            (TextField::Source, &raw.source),
        ];
        let (field, text) = script.into_iter().find(|(_, text)| !text.is_empty())?;
        let is_shell = |word: &str| word.trim_end().ends_with("sh");
        let interpreter = text
            .strip_prefix("#!")
            .and_then(|rest| rest.lines().next())
            .map(|line| line.split(" -").next().unwrap_or_default());
        let runs_in_shell = match interpreter {
            Some(interpreter) => is_shell(interpreter),
            None => raw.command.first().is_none_or(|word| is_shell(word)),
        };
        runs_in_shell.then_some((field, text))
    }

    /// The environment variable `name` as the object sets it; the last one where it is repeated, as in kubelet.
    pub(crate) fn env(&self, name: &str) -> Option<&'a object::EnvVar<'a>> {
        self.raw.env.iter().rev().find(|var| *var.name == *name)
    }

    /// The variable `name` as the container sees it, if the object sets it.
    pub(crate) fn variable(&self, name: &str) -> Option<&Expanded<'a>> {
        self.env(name)?;
        self.variables().get(name)
    }

    fn variables(&self) -> &Variables<'a> {
        self.variables
            .get_or_init(|| Variables::of(self.raw, self.spec, self.identity, &self.room))
    }

    /// All texts in which a path or an address can stand, with their field below the container: command, args, env values.
    /// References to variables are filled in as kubelet does.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (TextField, &str)> {
        self.all_texts()
            .filter(|(field, _)| !matches!(field, TextField::Hook(..)))
    }

    /// The same, and the words of lifecycle hooks and probes.
    pub(crate) fn all_texts(&self) -> impl Iterator<Item = (TextField, &str)> {
        self.raw_texts()
            .map(|(field, text)| (field, self.expanded_text(field, text)))
    }

    /// `text`, which stands at `field`, with its references to variables filled in.
    pub(crate) fn expanded_text<'t>(&'t self, field: TextField, text: &'t str) -> &'t str {
        if !self.mentions().reference {
            return text;
        }
        let expanded = self.expanded.get_or_init(|| self.expand_texts());
        expanded.get(&field).map_or(text, String::as_str)
    }

    /// All texts as the object has them.
    pub(crate) fn raw_texts(&self) -> impl Iterator<Item = (TextField, &'a Text<'a>)> {
        let raw = self.raw;
        let command = raw
            .command
            .iter()
            .enumerate()
            .map(|(i, text)| (TextField::Command(i), text));
        let args = raw
            .args
            .iter()
            .enumerate()
            .map(|(i, text)| (TextField::Args(i), text));
        let env = raw
            .env
            .iter()
            .enumerate()
            .map(|(i, var)| (TextField::Env(i), &var.value));
        let hooks = self.raw.hooks().flat_map(|(place, words)| {
            words
                .iter()
                .enumerate()
                .map(move |(i, text)| (TextField::Hook(place, i), text))
        });
        command
            .chain(args)
            .chain(env)
            .chain(self.script())
            .chain(hooks)
    }

    /// The texts that references to variables change.
    fn expand_texts(&self) -> HashMap<TextField, String> {
        let mut found = HashMap::new();
        for (index, variable) in self.raw.env.iter().enumerate() {
            let value = self.variables().at(index);
            if let Some(value) = value.filter(|value| *value.text != *variable.value) {
                found.insert(TextField::Env(index), value.text.clone().into_owned());
            }
        }
        let texts = self.raw_texts().filter(|(_, text)| text.contains('$'));
        for (field, text) in texts {
            let expanded = match field {
                TextField::Command(_) | TextField::Args(_) => self.expand(text),
                // Probes get the values as they are written, lifecycle hooks none (ExpandContainerCommandOnlyStatic).
                TextField::Hook(place, _) if !place.starts_with("lifecycle") => {
                    self.expand_static(text)
                }
                _ => None,
            };
            if let Some(expanded) = expanded.filter(|expanded| *expanded.text != **text) {
                found.insert(field, expanded.text.into_owned());
            }
        }
        found
    }

    /// `text` with `$(NAME)` replaced as kubelet does in commands, arguments and `subPathExpr`; `None` if that is too long.
    fn expand<'t>(&self, text: &'t str) -> Option<Expanded<'t>> {
        variables::expand(text, |name| self.variables().get(name), &self.room)
    }

    /// The same with the values as they are written.
    fn expand_static<'t>(&self, text: &'t str) -> Option<Expanded<'t>> {
        let values = Variables::as_written(self.raw);
        variables::expand(text, |name| values.get(name), &self.room)
    }
}

/// Longest path that Linux opens.
const MAX_PATH: usize = 4096;

/// Longest text that a shell's variables are filled into; a few of them can ask for more than there is memory.
pub(crate) const MAX_FILLED: usize = 16 * 1024;

/// One of the texts of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextField {
    /// `command[i]`
    Command(usize),
    /// `args[i]`
    Args(usize),
    /// `env[i].value`
    Env(usize),
    /// `exec.command[i]` of a lifecycle hook or a probe.
    Hook(&'static str, usize),
    /// `script`
    Script,
    /// `source`
    Source,
}

impl TextField {
    /// The field path below the container.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Command(i) => format!("command[{i}]"),
            Self::Args(i) => format!("args[{i}]"),
            Self::Env(i) => format!("env[{i}].value"),
            Self::Hook(place, i) => format!("{place}[{i}]"),
            Self::Script => "script".to_owned(),
            Self::Source => "source".to_owned(),
        }
    }
}
