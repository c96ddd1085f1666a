//! Which host paths lie in Docker's data directory, and which of them hold the logs of containers.

use super::Workload;
use crate::workload::catalog;
use crate::workload::host_path::{HostPath, is_within};
use crate::workload::pod::{HostMount, MountUser};
use crate::workload::search::{mentions, occurrences};

/// True for Docker's data directory and what lies below it, logs and configuration aside, which
/// have rules of their own.
pub(crate) fn is_data_root(path: &HostPath) -> bool {
    let part = below_data_root(path);
    part.is_some_and(|part| part != "containers") && !catalog::is_docker_configuration(path)
}

/// The first component of `path` below Docker's data directory; empty for the directory itself.
pub(crate) fn below_data_root(path: &HostPath) -> Option<&str> {
    if !mentions(path.as_str(), "docker") {
        return None;
    }
    let below = |at: usize, root: &str| {
        path.as_str()
            .get(at + root.len()..)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let rest = catalog::DATA_ROOTS
        .iter()
        .find_map(|root| occurrences(path.as_str(), root).find_map(|at| below(at, root)))?;
    Some(rest.split('/').nth(1).unwrap_or_default())
}

/// True for a directory that is Docker's in some manifests and could be anybody's.
pub(crate) fn is_guessed_data_root(path: &HostPath) -> bool {
    let text = path.as_str();
    let named = || {
        let (directory, name) = text.rsplit_once('/').unwrap_or_default();
        catalog::DATA_DIRECTORIES.contains(&name) && mentions(directory, "docker")
    };
    let is_guessed =
        || (catalog::GUESSED_DATA_ROOTS.iter()).any(|root| path.is_within(root)) || named();
    mentions(text, "docker") && below_data_root(path).is_none() && is_guessed()
}

/// True for the directory with the logs of Docker's containers. Where the data directory was moved,
/// nothing of the host's side says so; there the log directory is one that a container sees where
/// Docker has it.
pub(crate) fn is_log_dir(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    if below_data_root(mount.judged_path()) == Some("containers") {
        return true;
    }
    let is_log_place = is_within(&mount.mount_path, "/var/lib/docker/containers");
    is_log_place
        && mount.path.file_name() == "containers"
        && !catalog::OTHER_RUNTIME_DIRECTORIES
            .iter()
            .any(|other| mount.path.is_within(other))
        && is_in_place(workload, mount)
}

/// True for a volume that a container sees where Docker has its data, and that is not for a daemon
/// of its own.
pub(crate) fn is_in_place(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    mount.named.is_none()
        && is_within(&mount.mount_path, catalog::DATA_ROOTS[0])
        && !is_of_daemon(workload, mount)
}

/// True for a mount of a container that runs a Docker daemon of its own.
fn is_of_daemon(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    match (&workload.pod, mount.user) {
        (Some(pod), MountUser::Container(index)) => pod.is_daemon(&pod.containers[index]),
        _ => false,
    }
}

/// True for a mount that its container does without: it mounts another runtime's data, too, and no
/// hostPath type makes kubelet look for Docker's.
pub(crate) fn is_beside_another(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    let is_checked = !matches!(&*mount.kind, "" | "DirectoryOrCreate");
    let is_other = |path: &HostPath| {
        path.is_within("/var/lib/containerd") || path.is_within("/var/lib/containers")
    };
    let MountUser::Container(index) = mount.user else {
        return false;
    };
    let (mounts, container) = (workload.host_mounts(), &workload.containers()[index]);
    let mounts_one = || {
        mounts
            .iter()
            .any(|other| other.user == mount.user && is_other(&other.path))
    };
    !is_checked && *container.has_other_data.get_or_init(mounts_one)
}

/// True if the Pod also mounts the directory into which every CRI runtime writes logs.
pub(crate) fn reads_new_logs(workload: &Workload<'_>) -> bool {
    // /var/log/containers alone holds links into /var/log/pods, so it does not count.
    let places = [
        "/var/log",
        "/var/log/pods",
        "/var",
        "/",
        "c:/var",
        "c:/var/log",
        "c:/var/log/pods",
    ];
    let is_one = |mount: &HostMount<'_>| {
        mount.user != MountUser::Nobody && places.contains(&mount.path.as_str())
    };
    let finds_one = || workload.host_mounts().iter().any(is_one);
    match &workload.pod {
        Some(pod) => *pod.has_new_logs.get_or_init(finds_one),
        None => finds_one(),
    }
}
