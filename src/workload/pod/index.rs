//! Joins by name: the volume of a mount, the mounts of a volume, the address of a host alias. A Pod that has few of them is
//! looked through, one that has many gets an index, so that the time grows no faster than the Pod.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Container, HostMount, MountUser, Pod};
use crate::workload::address::canonical;
use crate::workload::budget::{keep, spend};
use crate::workload::container::{FEW, MOUNT_BYTES};
use crate::workload::object::Volume;

/// Where things are, for a Pod that has many of them.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    /// The first volume of each name.
    volumes: OnceCell<HashMap<&'a str, usize>>,
    /// The mounts of each volume: a container, and a position in its list.
    uses: OnceCell<HashMap<&'a str, Vec<Use>>>,
    /// The first host mount of each mount.
    host_mounts: OnceCell<HashMap<Use, usize>>,
    /// The first alias of each host name.
    aliases: OnceCell<HashMap<String, usize>>,
}

/// A mount: the container, as an index into `Pod::containers`, and the position in its list.
type Use = (usize, usize);

impl Index<'_> {
    /// Host mounts were added.
    pub(super) fn forget_host_mounts(&mut self) {
        self.host_mounts.take();
    }
}

/// What it costs to read the name of a host.
const ALIAS_STEPS: usize = 32;

impl<'a> Pod<'a> {
    /// The first volume of this name.
    pub(in crate::workload) fn volume(&self, name: &str) -> Option<&'a Volume<'a>> {
        let volumes = &self.spec.volumes;
        if volumes.len() <= FEW {
            return volumes.iter().find(|volume| *volume.name == *name);
        }
        let index = self.index.volumes.get_or_init(|| {
            let names = volumes.iter().enumerate().rev();
            names
                .take_while(|_| keep(MOUNT_BYTES))
                .map(|(position, volume)| (volume.name.as_str(), position))
                .collect()
        });
        index.get(name).map(|&position| &volumes[position])
    }

    /// The mounts of the volume `name`, in the order of the containers.
    pub(super) fn uses(&self, name: &str) -> Cow<'_, [Use]> {
        let mounts = self.containers.iter().flat_map(|container| {
            let mounts = container.raw.volume_mounts.iter().enumerate();
            mounts.map(|(position, mount)| (mount.name.as_str(), (container.index, position)))
        });
        if mounts.clone().take(FEW + 1).count() <= FEW {
            let uses = mounts.filter(|(of, _)| *of == name);
            return uses.map(|(_, place)| place).collect();
        }
        let index = self.index.uses.get_or_init(|| {
            let mut index: HashMap<&str, Vec<Use>> = HashMap::new();
            for (name, place) in mounts.take_while(|_| keep(MOUNT_BYTES)) {
                index.entry(name).or_default().push(place);
            }
            index
        });
        index.get(name).map_or(&[][..], Vec::as_slice).into()
    }

    /// True if another container than this one mounts the volume `name`.
    pub(in crate::workload) fn is_mounted_beside(
        &self,
        name: &str,
        container: &Container<'_>,
    ) -> bool {
        let uses = self.uses(name);
        // They are in order, so one of the ends is another's where any is.
        let ends = [uses.first(), uses.last()];
        ends.into_iter()
            .flatten()
            .any(|(index, _)| *index != container.index)
    }

    /// The host path that the mount at `position` of `container` leads to.
    pub(in crate::workload) fn host_mount_of(
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

    /// The address that the Pod's own `hostAliases` give `host`, which is in its canonical spelling.
    pub(in crate::workload) fn alias_of(&self, host: &str) -> Option<&'a str> {
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
}
