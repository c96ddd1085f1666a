//! Does a container bring a Docker daemon of its own (Docker-in-Docker)? Then its clients do not need the node's.

use super::pod::{Container, Pod};
use super::tables::ImageRole;

/// True if `container` runs `dockerd`: by its image, by its command, or because it is the privileged half of a
/// pair that shares Docker's socket directory or certificates in a volume of the Pod.
pub(super) fn is_daemon(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    let raw = container.raw;
    let runs_dockerd =
        container.commands().iter().any(|command| matches!(command.invocation.program(), "dockerd" | "dockerd-entrypoint.sh"));
    if runs_dockerd {
        return true;
    }
    let overridden = !raw.command.is_empty();
    let image = container.image();
    match container.image_role() {
        Some(ImageRole::DockerInDocker) => !overridden,
        Some(ImageRole::Docker) => {
            let tag = image.tag.unwrap_or_default();
            if overridden || tag.contains("cli") {
                return false;
            }
            // Without a command of its own the image starts dockerd; with client words in `args` it is a client.
            let only_flags = raw.args.iter().all(|arg| arg.starts_with('-'));
            only_flags && (tag.contains("dind") || container.is_privileged())
        }
        _ => container.is_privileged() && shares_daemon_directory(pod, container),
    }
}

/// Where a daemon and its clients meet: the socket's directory, or the certificates that the official image makes.
const SHARED_DIRECTORIES: [&str; 3] = ["/run", "/run/docker", "/certs"];

fn shares_daemon_directory(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    let names_docker = |text: &str| text.contains("docker") || text.contains("dind");
    let own_volume = |name: &str| pod.spec.volumes.iter().any(|volume| *volume.name == *name && volume.empty_dir.is_some());
    let is_meeting_place = |path: &str| {
        let path = super::host_path::HostPath::new(path);
        path.as_str() == "/run/docker.sock" || SHARED_DIRECTORIES.iter().any(|shared| path.is_within(shared))
    };
    names_docker(&container.raw.image)
        && container.raw.volume_mounts.iter().any(|mount| {
            let shared = pod
                .containers
                .iter()
                .any(|other| other.index != container.index && other.raw.volume_mounts.iter().any(|m| *m.name == *mount.name));
            shared && own_volume(&mount.name) && is_meeting_place(&mount.mount_path)
        })
}
