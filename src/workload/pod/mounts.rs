//! Which host paths the volumes of a Pod lead to: their own, those behind claims, and where a
//! `subPath` ends.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{HostMount, MountUser, Pod};
use crate::workload::budget::{keep, spend};
use crate::workload::container::MOUNT_BYTES;
use crate::workload::host_path::HostPath;
use crate::workload::object;
use crate::workload::overrides::Overrides;
use crate::workload::related_objects::{Claim, Match, RelatedObjects};
use crate::workload::variables::{self, Variables};

/// What a host mount costs all rules, without the length of its texts.
const MOUNT_STEPS: usize = 256;

impl<'a> Pod<'a> {
    /// Adds what other objects say: the host paths behind its claims and those of `templates`,
    /// and the names of the nodes.
    pub(crate) fn relate_to(
        &mut self,
        related_objects: &RelatedObjects,
        templates: &'a [object::ClaimTemplate<'a>],
    ) {
        self.nodes = related_objects.nodes();
        self.data_roots = related_objects.data_roots();
        if !self.data_roots.is_empty() {
            let mut mounts = std::mem::take(&mut self.host_mounts);
            for mount in &mut mounts {
                mount.usual_path = self.usual_path(&mount.path);
            }
            self.host_mounts = mounts;
        }
        let mut found = Found::default();
        for (index, volume) in self.spec.volumes.iter().enumerate() {
            let (claim, field) = if let Some(claim) = &volume.persistent_volume_claim {
                let claim = Claim::Named(self.identity.namespace, &claim.claim_name);
                (claim, "persistentVolumeClaim.claimName")
            } else if let Some(claim) = &volume.ephemeral {
                let template = claim.template.as_ref();
                let Some(spec) = template.and_then(|template| template.spec.as_deref()) else {
                    continue;
                };
                // What else makes Pods gives them names that are not known yet.
                let identity = &self.identity;
                let is_known = self.path == "spec" && !identity.name.is_empty();
                let name = is_known.then(|| format!("{}-{}", identity.name, volume.name));
                let name = name.map(|name| (identity.namespace, name));
                let claim = Claim::Template(spec, name);
                (claim, "ephemeral.volumeClaimTemplate.spec")
            } else {
                continue;
            };
            let field = format!("{}.volumes[{index}].{field}", self.path);
            self.mounts_of_claim(&volume.name, &claim, field, related_objects, &mut found);
        }
        for (index, template) in templates.iter().enumerate() {
            let Some(spec) = &template.spec else { continue };
            let field = format!("spec.volumeClaimTemplates[{index}].spec");
            let name = &template.metadata.name;
            self.mounts_of_claim(
                name,
                &Claim::Template(spec, None),
                field,
                related_objects,
                &mut found,
            );
        }
        self.host_mounts.append(&mut found.mounts);
        self.index.host_mounts.take();
    }

    /// Adds a mount for each use of the volume `name` and each host path that `claim` has or can
    /// get.
    fn mounts_of_claim(
        &self,
        name: &'a str,
        claim: &Claim<'_>,
        field: String,
        related_objects: &RelatedObjects,
        found: &mut Found<'a>,
    ) {
        let before = found.mounts.len();
        let (how, paths) = related_objects.paths(claim);
        for path in paths {
            let source = Source {
                path: &path.path,
                kind: Cow::Owned(path.kind.clone()),
                claimed: Some((&path.volume, how)),
                field: field.clone(),
            };
            self.mounts_of_volume(name, &source, found);
        }
        if found.mounts.len() == before && matches!(claim, Claim::Named(..)) {
            self.mounts_of_unseen(name, field, found);
        }
    }

    /// A claim or a volume that is not there yet can still lead to the node. Nobody but Docker has
    /// a file of that name, so a `subPath` that names it says where the volume will be.
    fn mounts_of_unseen(&self, name: &'a str, field: String, found: &mut Found<'a>) {
        let source = Source {
            path: "/run",
            kind: Cow::Borrowed(""),
            claimed: Some(("not seen yet", Match::Unknown)),
            field,
        };
        let before = found.mounts.len();
        self.mounts_of_volume(name, &source, found);
        let mut assumed = found.mounts.split_off(before);
        assumed.retain(|mount| {
            mount.field.contains(".subPath") && mount.path.file_name() == "docker.sock"
        });
        found.mounts.append(&mut assumed);
    }

    /// See [`HostMount::usual_path`].
    pub(crate) fn usual_path(&self, path: &HostPath) -> Option<HostPath> {
        let known = self.overrides.usual_path(path);
        known.or_else(|| Overrides::below_shown_root(&self.data_roots, path))
    }

    /// True if the operator or another object says that Docker's data directory was moved.
    pub(crate) fn has_moved_data_root(&self) -> bool {
        !(self.overrides.data_roots.is_empty() && self.data_roots.is_empty())
    }

    pub(super) fn find_host_mounts(&self) -> Vec<HostMount<'a>> {
        let mut found = Found::default();
        let volumes = self.spec.volumes.iter().enumerate();
        let of_host =
            volumes.filter_map(|(index, volume)| Some((index, volume, volume.host_path.as_ref()?)));
        // What a container mounts comes before what merely stands there and may exceed the budget.
        let (mounted, others): (Vec<_>, Vec<_>) =
            of_host.partition(|(_, volume, _)| !self.uses(&volume.name).is_empty());
        let in_order = mounted.into_iter().chain(others);
        for (index, volume, host_path) in in_order.take_while(|_| spend(1)) {
            let field = format!("{}.volumes[{index}].hostPath.path", self.path);
            let source = Source {
                path: &host_path.path,
                kind: Cow::Borrowed(host_path.kind.as_str()),
                claimed: None,
                field,
            };
            self.mounts_of_volume(&volume.name, &source, &mut found);
        }
        found.mounts
    }

    /// Adds a mount for each use of the volume `name`, or one of nobody's.
    fn mounts_of_volume(&self, name: &'a str, source: &Source<'_, 'a>, found: &mut Found<'a>) {
        let root = HostPath::new(source.path);
        let mount_of = |user, position, path, open_below, mount_path, field| HostMount {
            volume: name,
            kind: source.kind.clone(),
            claimed: source.claimed.map(|(volume, _)| volume.to_owned()),
            claim_match: source.claimed.map_or(Match::Bound, |(_, how)| how),
            is_named_socket: self.overrides.is_socket(&path),
            is_socket_parent: self.overrides.is_socket_parent(&path),
            usual_path: self.usual_path(&path),
            path,
            open_below,
            user,
            position,
            mount_path,
            field,
            named: None,
        };
        // Its path is kept, and its field.
        let is_affordable = |length: usize| {
            let bytes = size_of::<HostMount<'_>>() + MOUNT_BYTES + length;
            spend(MOUNT_STEPS + length) && keep(bytes)
        };
        let before = found.mounts.len();
        for &(index, position) in &*self.uses(name) {
            let container = &self.containers[index];
            let mount = &container.raw.volume_mounts[position];
            let texts = [&mount.mount_path, &mount.sub_path, &mount.sub_path_expr];
            let length = root.as_str().len() + texts.iter().map(|text| text.len()).sum::<usize>();
            if !is_affordable(length) {
                return;
            }
            let field = |name| {
                format!(
                    "{}.volumeMounts[{position}].{name}",
                    self.container_path(container)
                )
            };
            let (path, open_below, field) = if !mount.sub_path_expr.is_empty() {
                let variables = found.variables.entry(index).or_insert_with(|| {
                    Variables::of(container.raw, self.spec, self.identity, &self.room)
                });
                let text = &mount.sub_path_expr;
                let (path, open) = self.expand_sub_path(variables, container.raw, &root, text);
                (path, open, field("subPathExpr"))
            } else if !mount.sub_path.is_empty() {
                (root.join(&mount.sub_path), false, field("subPath"))
            } else {
                (root.clone(), false, source.field.clone())
            };
            let mount_path = HostPath::new(&mount.mount_path).as_str().to_owned();
            let user = MountUser::Container(index);
            found.mounts.push(mount_of(
                user, position, path, open_below, mount_path, field,
            ));
        }
        if found.mounts.len() == before {
            if !is_affordable(root.as_str().len()) {
                return;
            }
            let user = if self.containers.is_empty() {
                MountUser::Unseen
            } else {
                MountUser::Nobody
            };
            found.mounts.push(mount_of(
                user,
                0,
                root,
                false,
                String::new(),
                source.field.clone(),
            ));
        }
    }

    /// The path to which the `subPathExpr` `text` leads from `root`, and whether it is a directory
    /// above a socket below which the object does not show where it leads.
    fn expand_sub_path(
        &self,
        variables: &Variables<'_>,
        container: &object::Container<'_>,
        root: &HostPath,
        text: &str,
    ) -> (HostPath, bool) {
        let expanded = variables::expand(text, |name| variables.get(name), &self.room);
        let now = match expanded {
            Some(expanded) if !expanded.is_open => Some(root.join(&expanded.text)),
            _ => None,
        };
        if let Some(path) = &now
            && self.overrides.is_any_socket(path)
        {
            return (path.clone(), false);
        }
        // What can change after the review is as open as what the object does not show.
        let lasting = |name: &str| variables.get_lasting(container, name);
        let expanded = variables::expand(text, lasting, &self.room);
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
        // A component that begins otherwise than the next one on the way to a socket does not lead
        // there.
        let below = format!("{}/{start}", known.as_str().trim_end_matches('/'));
        if self.overrides.leads_to_socket(&below) {
            (known, true)
        } else {
            (now.unwrap_or_else(|| root.join(&text)), false)
        }
    }
}

/// The mounts found so far, and the variables of the containers in which a `subPathExpr` needed
/// them.
#[derive(Default)]
struct Found<'a> {
    mounts: Vec<HostMount<'a>>,
    variables: HashMap<usize, Variables<'a>>,
}

/// Where a volume's host path comes from.
struct Source<'s, 'a> {
    path: &'s str,
    kind: Cow<'a, str>,
    claimed: Option<(&'s str, Match)>,
    field: String,
}
