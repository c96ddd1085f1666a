//! Which host paths lie in Docker's data directory, and which of them hold the logs of containers.

use crate::workload::Workload;
use crate::workload::host_path::{HostPath, is_within};
use crate::workload::mentions::{mentions, occurrences};
use crate::workload::pod::{HostMount, MountUser};
use crate::workload::tables;

/// True for Docker's data directory and what lies below it, logs and configuration aside, which
/// have rules of their own.
pub(super) fn is_data_root(path: &HostPath) -> bool {
    let part = below_data_root(path);
    part.is_some_and(|part| part != "containers") && !tables::is_docker_configuration(path)
}

/// The first component of `path` below Docker's data directory; empty for the directory itself.
pub(super) fn below_data_root(path: &HostPath) -> Option<&str> {
    if !mentions(path.as_str(), "docker") {
        return None;
    }
    let below = |at: usize, root: &str| {
        path.as_str()
            .get(at + root.len()..)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let rest = tables::DATA_ROOTS
        .iter()
        .find_map(|root| occurrences(path.as_str(), root).find_map(|at| below(at, root)))?;
    Some(rest.split('/').nth(1).unwrap_or_default())
}

/// True for a directory that is Docker's in some manifests and could be anybody's.
pub(super) fn is_guessed_data_root(path: &HostPath) -> bool {
    let text = path.as_str();
    let named = || {
        let (directory, name) = text.rsplit_once('/').unwrap_or_default();
        tables::DATA_DIRECTORIES.contains(&name) && mentions(directory, "docker")
    };
    let is_guessed =
        || (tables::GUESSED_DATA_ROOTS.iter()).any(|root| path.is_within(root)) || named();
    mentions(text, "docker") && below_data_root(path).is_none() && is_guessed()
}

/// True for the directory with the logs of Docker's containers. Where the data directory was moved,
/// nothing of the host's side says so; there the log directory is one that a container sees where
/// Docker has it.
pub(super) fn is_log_dir(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    if below_data_root(mount.judged_path()) == Some("containers") {
        return true;
    }
    let is_log_place = is_within(&mount.mount_path, "/var/lib/docker/containers");
    is_log_place
        && mount.path.file_name() == "containers"
        && !tables::OTHER_RUNTIME_DIRECTORIES
            .iter()
            .any(|other| mount.path.is_within(other))
        && is_in_place(workload, mount)
}

/// True for a volume that a container sees where Docker has its data, and that is not for a daemon
/// of its own.
pub(super) fn is_in_place(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    mount.named.is_none()
        && is_within(&mount.mount_path, tables::DATA_ROOTS[0])
        && !is_of_daemon(workload, mount)
}

/// True for a mount of a container that runs a Docker daemon of its own.
fn is_of_daemon(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    match (&workload.pod, mount.user) {
        (Some(pod), MountUser::Container(index)) => pod.is_daemon(&pod.containers[index]),
        _ => false,
    }
}
