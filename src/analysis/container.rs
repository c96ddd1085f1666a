//! A container with what is derived from it, each part when a rule first asks for it.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::Deref;

use super::endpoint::Endpoint;
use super::prefilter::Prefilter;
use crate::workload::budget::spend;
use crate::workload::catalog::ImageRole;
use crate::workload::host_path::HostPath;
use crate::workload::image::ImageReference;
use crate::workload::pod::{self, HostMount, MountUser, TextField};
use crate::workload::shell::Invocation;
use crate::workload::variables::Variables;

/// A container of the workload, and what follows from it. Methods stand in the file of what they
/// find out: `texts`, `commands`, `resolve`, `docker_usage` and so on.
#[derive(Debug)]
pub(crate) struct Container<'w> {
    container: &'w pod::Container<'w>,
    pub(super) pod: &'w pod::Pod<'w>,
    image: OnceCell<ImageReference<'w>>,
    image_role: OnceCell<Option<ImageRole>>,
    pub(super) prefilter: OnceCell<Prefilter>,
    pub(super) text_prefilter: OnceCell<Prefilter>,
    has_way_to_socket: OnceCell<bool>,
    pub(super) telling: OnceCell<Vec<(TextField, Prefilter)>>,
    pub(super) variables: OnceCell<Variables<'w>>,
    pub(super) written_variables: OnceCell<Variables<'w>>,
    pub(super) expanded: OnceCell<HashMap<TextField, String>>,
    pub(super) commands: OnceCell<Vec<Command>>,
    pub(super) endpoint: OnceCell<Endpoint>,
    pub(super) docker_use: OnceCell<DockerUse>,
    pub(super) has_cri_socket: OnceCell<bool>,
    pub(super) has_other_data: OnceCell<bool>,
}

/// A program that the container runs, and the field that shows it.
#[derive(Debug)]
pub(crate) struct Command {
    /// Of the word that names the program, or of the script that holds it.
    pub(crate) field: TextField,
    pub(crate) invocation: Invocation,
}

/// The signs of Docker in a container.
#[derive(Debug, Default)]
pub(super) struct DockerUse {
    /// One that counts wherever the socket is.
    pub(super) by_itself: Option<String>,
    /// Sockets that the container names, by what names them; each lies in a mount of the node's.
    pub(super) paths: Vec<(String, HostPath)>,
    /// Where the container mounts a directory above a socket, of which a command takes a file that
    /// nothing shows.
    pub(super) open_mounts: HashSet<String>,
    /// The same below the root directory of a process of the node.
    pub(super) leaves_node_open: bool,
    /// Sockets in the mounts of other containers, through their processes: what names them, the
    /// container, the path there.
    pub(super) of_others: Vec<(String, usize, HostPath)>,
}

impl<'w> Deref for Container<'w> {
    type Target = pod::Container<'w>;

    fn deref(&self) -> &Self::Target {
        self.container
    }
}

impl<'w> Container<'w> {
    /// `container` of `pod`, with nothing derived yet.
    pub(super) fn new(pod: &'w pod::Pod<'w>, container: &'w pod::Container<'w>) -> Self {
        Self {
            container,
            pod,
            image: OnceCell::new(),
            image_role: OnceCell::new(),
            prefilter: OnceCell::new(),
            text_prefilter: OnceCell::new(),
            has_way_to_socket: OnceCell::new(),
            telling: OnceCell::new(),
            variables: OnceCell::new(),
            written_variables: OnceCell::new(),
            expanded: OnceCell::new(),
            commands: OnceCell::new(),
            endpoint: OnceCell::new(),
            docker_use: OnceCell::new(),
            has_cri_socket: OnceCell::new(),
            has_other_data: OnceCell::new(),
        }
    }

    /// The image, taken apart.
    pub(crate) fn image(&self) -> &ImageReference<'w> {
        self.image
            .get_or_init(|| self.pod.overrides.parse_image(self.raw.image.as_str()))
    }

    /// What the image has to do with Docker, if anything.
    pub(crate) fn image_role(&self) -> Option<ImageRole> {
        *self
            .image_role
            .get_or_init(|| self.pod.overrides.image_role(self.image()))
    }

    /// True for a privileged container among the processes of the node: what it runs can enter the
    /// node's namespaces.
    pub(super) fn shares_node(&self) -> bool {
        self.pod.spec.host_pid.0 && self.is_privileged()
    }

    /// True for a container that mounts a directory above Docker's socket, or sees processes that
    /// have its files: any of its words can lead to the socket.
    pub(super) fn has_way_to_socket(&self) -> bool {
        *self.has_way_to_socket.get_or_init(|| {
            let sees_all = self.container.sees_processes(self.pod.spec);
            let is_near = |mount: &HostMount<'_>| match mount.user {
                MountUser::Container(index) => sees_all || index == self.container.index,
                _ => false,
            };
            let mut mounts = self.pod.host_mounts.iter().take_while(|_| spend(1));
            self.pod.spec.host_pid.0
                || mounts.any(|mount| mount.may_hold_socket() && is_near(mount))
        })
    }

    /// The directory in which its programs start: the image's, where the object shows none, which
    /// mostly is `/`.
    pub(super) fn working_directory(&self) -> String {
        match &*self.raw.working_dir {
            "" => "/".to_owned(),
            directory => self.fill(directory),
        }
    }
}
