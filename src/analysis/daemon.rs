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

    /// The first of them, if there is one.
    pub(crate) fn daemon(&self) -> Option<&Container<'w>> {
        self.daemons().next()
    }

    /// True if `container` runs a Docker daemon of its own.
    pub(crate) fn is_daemon(&self, container: &Container<'_>) -> bool {
        self.daemons().next();
        let daemons = self.daemons.get();
        daemons.is_some_and(|indices| indices.binary_search(&container.index).is_ok())
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
