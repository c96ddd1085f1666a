//! What follows from a workload: its commands, the endpoints of its Docker clients, the paths that
//! its texts name, the documents in its strings.
//!
//! `Workload`, `Pod` and `Container` are those of [`crate::workload`], to which they
//! dereference, with what is derived from them. Most of it is found out when a rule first asks for
//! it: a container that has nothing to do with Docker costs nothing.

mod commands;
pub(crate) mod configuration;
mod container;
pub(crate) mod daemon;
pub(crate) mod data_root;
pub(crate) mod docker_usage;
pub(crate) mod endpoint;
pub(crate) mod endpoint_settings;
mod named_paths;
mod pod;
pub(crate) mod prefilter;
pub(crate) mod providers;
pub(crate) mod resolve;
pub(crate) mod runtime_selectors;
pub(crate) mod scripts;
pub(crate) mod service_control;
pub(crate) mod settings;
pub(crate) mod socket_use;
pub(crate) mod sockets;
mod texts;

use std::ops::Deref;

pub(crate) use commands::read_naming;
pub(crate) use container::{Command, Container};
pub(crate) use pod::Pod;
use prefilter::Prefilter;
use scripts::Script;
use settings::Settings;

use crate::workload;
use crate::workload::pod::HostMount;

/// An object as rules see it, with what decides which rules have anything to look at. Most objects
/// have little that could hold a finding, and what is skipped here costs them nothing.
pub(crate) struct Workload<'w> {
    workload: &'w workload::Workload<'w>,
    /// The pod spec, if the kind has one.
    pub(crate) pod: Option<Pod<'w>>,
    /// The host paths that the texts of containers name and reach through a volume on a directory
    /// above.
    pub(crate) named_paths: Vec<HostMount<'w>>,
    /// What any of the containers mentions.
    pub(crate) mentioned: Prefilter,
    /// The documents of an object that is judged by its texts.
    pub(crate) settings: Vec<Settings<'w>>,
    /// The scripts and units in its texts.
    pub(crate) scripts: Vec<Script<'w>>,
}

impl<'w> Deref for Workload<'w> {
    type Target = workload::Workload<'w>;

    fn deref(&self) -> &Self::Target {
        self.workload
    }
}

impl<'w> Workload<'w> {
    /// The analysis of `workload`.
    pub(crate) fn new(workload: &'w workload::Workload<'w>) -> Self {
        let pod = workload.pod.as_ref().map(Pod::new);
        let may_name_paths =
            |pod: &&Pod<'_>| !workload.host_mounts().is_empty() || pod.spec.host_pid.0;
        let named_paths = pod.as_ref().filter(may_name_paths);
        let named_paths = named_paths.map_or_else(Vec::new, named_paths::named_paths);
        let containers = pod.iter().flat_map(|pod| &pod.containers);
        let mentioned = containers.fold(Prefilter::default(), |all, container| {
            all.or(container.prefilter())
        });
        Self {
            workload,
            pod,
            named_paths,
            mentioned,
            settings: settings::settings(workload),
            scripts: scripts::scripts(workload),
        }
    }

    /// The containers, none for kinds without a pod spec.
    pub(crate) fn containers(&self) -> &[Container<'w>] {
        self.pod.as_ref().map_or(&[], |pod| &pod.containers)
    }
}
