//! Does a container bring a Docker daemon of its own (Docker-in-Docker)? Then its clients do not
//! need the node's.

use super::container::Container;
use super::pod::Pod;
use crate::workload::catalog::{self, ImageRole};
use crate::workload::host_path::HostPath;
use crate::workload::search::mentions;
use crate::workload::shell::Invocation;

impl<'w> Pod<'w> {
    /// The containers that run a Docker daemon of their own.
    pub(crate) fn daemons(&self) -> impl Iterator<Item = &Container<'w>> {
        let is_daemon = |index: &usize| is_daemon(self, &self.containers[*index]);
        let indices = self
            .daemons
            .get_or_init(|| (0..self.containers.len()).filter(is_daemon).collect());
        indices.iter().map(|&index| &self.containers[index])
    }

    /// The first of them that its clients can count on.
    pub(crate) fn daemon(&self) -> Option<&Container<'w>> {
        self.daemons().find(|container| self.serves(container))
    }

    /// True for a container whose daemon can start. Without privileges only an image that brings
    /// one is believed, because the nodes may have a sandbox by default; a script can name
    /// `dockerd` for no reason.
    pub(crate) fn serves(&self, container: &Container<'_>) -> bool {
        let is_image = || match container.image_role() {
            Some(ImageRole::Docker | ImageRole::DockerInDocker) => true,
            _ => catalog::names_dind(container.image()),
        };
        let can_start = || Confinement::of(self, container) != Confinement::Unprivileged;
        self.is_daemon(container) && (can_start() || is_image())
    }

    /// True for a container whose Docker daemon can take an address of the node's network for
    /// itself.
    pub(crate) fn has_privileged_daemon(&self) -> bool {
        self.daemons()
            .any(|daemon| Confinement::of(self, daemon) != Confinement::Unprivileged)
    }

    /// True if `container` runs a Docker daemon of its own.
    pub(crate) fn is_daemon(&self, container: &Container<'_>) -> bool {
        self.daemons().next();
        let daemons = self.daemons.get();
        daemons.is_some_and(|indices| indices.binary_search(&container.index).is_ok())
    }
}

/// What keeps a daemon from the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confinement {
    /// Nothing: it is privileged.
    None,
    /// A runtime with a kernel or namespaces of its own.
    Sandbox,
    /// `hostUsers: false`.
    UserNamespace,
    /// The daemon runs without root.
    Rootless,
    /// It has no privileges.
    Unprivileged,
}

impl Confinement {
    /// That of `container`.
    pub(crate) fn of(pod: &Pod<'_>, container: &Container<'_>) -> Self {
        // Sysbox, Kata Containers and gVisor by the usual names of their classes.
        const SANDBOXES: [&str; 4] = ["sysbox", "kata", "gvisor", "runsc"];
        let class = &*pod.spec.runtime_class_name;
        let image = &*container.raw.image;
        if SANDBOXES.iter().any(|name| mentions(class, name)) {
            Self::Sandbox
        } else if pod.spec.host_users.as_ref().is_some_and(|flag| !flag.0) {
            Self::UserNamespace
        } else if mentions(image, "rootless") || container.runs_without_root(pod.spec) {
            Self::Rootless
        } else if container.is_privileged() || container.adds_capability("SYS_ADMIN") {
            Self::None
        } else {
            Self::Unprivileged
        }
    }
}

/// True if `container` runs `dockerd`: by its image, by its command, or because it is the
/// privileged half of a pair that shares Docker's socket directory or certificates in a volume of
/// the Pod.
fn is_daemon(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    let raw = container.raw;
    let starts_service = container.is_privileged() && !pod.spec.host_pid.0;
    let starts_one = |invocation: &Invocation| {
        runs_dockerd(invocation) || starts_service && starts_docker_service(invocation)
    };
    if container
        .commands()
        .iter()
        .any(|command| command.invocation.on_host.is_none() && starts_one(&command.invocation))
    {
        return true;
    }
    // The official image starts dockerd where no command or only flags are given
    // (docker-library/docker: dockerd-entrypoint.sh).
    let starts_dockerd =
        raw.command.is_empty() && raw.args.first().is_none_or(|arg| arg.starts_with('-'));
    let image = container.image();
    let tag = image.tag.unwrap_or_default();
    match container.image_role() {
        Some(ImageRole::DockerInDocker) => raw.command.is_empty(),
        Some(ImageRole::Docker) => {
            starts_dockerd
                && !mentions(tag, "cli")
                && !tag.ends_with("git")
                && (container.is_privileged() || mentions(tag, "dind"))
        }
        None if catalog::names_dind(image) => {
            let starts = if catalog::resembles_docker(image) {
                starts_dockerd
            } else {
                raw.command.is_empty()
            };
            starts && (container.is_privileged() || mentions(&raw.image, "rootless"))
        }
        _ => container.is_privileged() && shares_daemon_directory(pod, container),
    }
}

/// True for dockerd under any of its names: `docker daemon` and `docker -d` before 1.12, the script
/// of the first Docker-in-Docker image.
pub(super) fn runs_dockerd(invocation: &Invocation) -> bool {
    let is_question = |word: &String| {
        let word = word.as_str();
        matches!(word, "--version" | "-v" | "--help" | "-h" | "--validate")
    };
    if invocation.arguments().iter().any(is_question) {
        return false;
    }
    match invocation.program() {
        "dockerd" | "dockerd-entrypoint.sh" | "dockerd-rootless.sh" | "wrapdocker" => true,
        "docker" => matches!(
            invocation.arguments().first().map(String::as_str),
            Some("daemon" | "-d")
        ),
        _ => false,
    }
}

/// True for a call that starts the Docker service of a container that has one.
fn starts_docker_service(invocation: &Invocation) -> bool {
    let words = invocation.arguments();
    let names = |name: &str| words.iter().any(|word| word == name);
    let starts = names("start") || names("restart");
    match invocation.program() {
        "service" | "systemctl" | "rc-service" => {
            starts && (names("docker") || names("docker.service"))
        }
        "docker" => starts && invocation.words[0].contains("/init.d/"),
        _ => false,
    }
}

/// Where a daemon and its clients meet: the socket's directory, or the certificates that the
/// official image makes.
const SHARED_DIRECTORIES: [&str; 3] = ["/run", "/run/docker", "/certs"];

fn shares_daemon_directory(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    let names_docker = |text: &str| mentions(text, "docker") || mentions(text, "dind");
    let own_volume = |name: &str| pod.volume(name).is_some_and(|volume| volume.empty_dir.0);
    let is_meeting_place = |path: &str| {
        let path = HostPath::new(path);
        path.as_str() == "/run/docker.sock"
            || SHARED_DIRECTORIES
                .iter()
                .any(|shared| path.is_within(shared))
    };
    names_docker(&container.image().path)
        && container.raw.volume_mounts.iter().any(|mount| {
            own_volume(&mount.name)
                && is_meeting_place(&mount.mount_path)
                && pod.is_mounted_beside(&mount.name, container)
        })
}
