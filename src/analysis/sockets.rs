//! Sockets: which paths are Docker's, which another runtime's, and which texts of a container name
//! one.

use std::collections::HashSet;

use memchr::memmem;

use super::container::Container;
use super::pod::Pod;
use crate::workload::budget::spend;
use crate::workload::catalog;
use crate::workload::host_path::{self, HostPath};
use crate::workload::pod::{HostMount, MountUser, TextField};
use crate::workload::search::mentions;

/// What a path costs whoever follows it.
const PATH_STEPS: usize = 64;

/// The paths in `text` whose last component is `docker.sock`.
pub(crate) fn socket_paths(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_alphanumeric() || "/._-$(){}".contains(c);
    let mut rest = text;
    let tokens = std::iter::from_fn(move || {
        let at = memmem::find(rest.as_bytes(), b"docker.sock")?;
        let front = rest[..at].trim_end_matches(is_path);
        let (token, behind) = rest.split_at(
            rest[at..]
                .find(|c| !is_path(c))
                .map_or(rest.len(), |length| at + length),
        );
        rest = behind;
        Some(&token[front.len()..])
    });
    let is_affordable = |token: &&str| spend(PATH_STEPS + token.len());
    tokens.take_while(is_affordable).filter_map(|token| {
        let path = &token[token.find('/')?..];
        // `unix:///run/docker.sock` brings two slashes more than the path has.
        let path = &path[path.len() - path.trim_start_matches('/').len() - 1..];
        // The end of a substitution that begins before it: `$(ls /run/docker.sock)`.
        let path = match path.contains('(') {
            true => path,
            false => path.trim_end_matches(')'),
        };
        path.trim_end_matches('/')
            .ends_with("/docker.sock")
            .then_some(path)
    })
}

/// True for a socket of Docker, dockershim or cri-dockerd under any name.
pub(crate) fn is_docker_socket(path: &HostPath) -> bool {
    let others = [
        "/run/dockershim.sock",
        "/run/cri-dockerd.sock",
        "/pipe/docker_engine",
        "/pipe/dockershim",
        "/pipe/cri-dockerd",
    ];
    path.file_name() == "docker.sock" || others.contains(&path.as_str())
}

/// True for a socket of another runtime, or the directory that it lies in.
pub(crate) fn is_cri_socket(path: &HostPath) -> bool {
    let directories = [
        "/run/containerd",
        "/run/crio",
        "/run/k3s/containerd",
        "/pipe/containerd-containerd",
    ];
    catalog::OTHER_RUNTIME_SOCKETS.contains(&path.file_name())
        || directories.contains(&path.as_str())
}

/// True if a setting of `container` names the socket of containerd or CRI-O.
pub(super) fn names_cri_socket(container: &Container<'_>) -> bool {
    container
        .texts()
        .any(|(_, text)| mentions(text, "/containerd.sock") || mentions(text, "/crio.sock"))
}

/// True if the container that has `mount` also mounts the socket of another runtime.
pub(crate) fn has_cri_socket(pod: &Pod<'_>, mount: &HostMount<'_>) -> bool {
    let MountUser::Container(index) = mount.user else {
        return false;
    };
    let mounts_one = || {
        pod.host_mounts
            .iter()
            .any(|other| other.user == mount.user && is_cri_socket(&other.path))
    };
    *pod.containers[index].has_cri_socket.get_or_init(mounts_one)
}

/// True for a Docker socket that its container does without: it is a known agent, mounts another
/// runtime's socket too, and no hostPath type makes kubelet look for Docker's.
pub(crate) fn is_leftover_beside_cri(pod: &Pod<'_>, mount: &HostMount<'_>) -> bool {
    let MountUser::Container(index) = mount.user else {
        return false;
    };
    mount.kind.is_empty()
        && is_docker_socket(&mount.path)
        && is_agent(&pod.containers[index])
        && has_cri_socket(pod, mount)
}

/// True for an agent that is known to work without Docker. Only of these a second socket says that
/// they do: any Pod can mount or name one beside Docker's and still use Docker
/// (docs/decisions/0008-what-softens-a-finding.md).
pub(crate) fn is_agent(container: &Container<'_>) -> bool {
    catalog::agent(container.image()).is_some()
}

/// True for such an agent that also names the socket of another runtime: it takes what it finds.
pub(crate) fn is_agent_of_several(container: &Container<'_>) -> bool {
    is_agent(container) && names_cri_socket(container)
}

/// The texts of `container` that are a Docker socket's path and nothing else, `DOCKER_HOST` aside:
/// environment values, arguments such as `--socket=unix:///var/run/docker.sock`. Scripts are not
/// settings.
pub(crate) fn socket_settings(container: &Container<'_>) -> Vec<(TextField, String)> {
    let is_host = |field| match field {
        TextField::Env(i) => *container.raw.env[i].name == *"DOCKER_HOST",
        _ => false,
    };
    let texts = container.texts_with(|found| found.docker);
    let settings = texts.filter(|(field, text)| {
        !(field.is_hook() || is_host(*field) || text.contains(char::is_whitespace))
    });
    settings
        .filter_map(|(field, text)| Some((field, named_socket(container, text)?)))
        .collect()
}

/// The Docker sockets that scripts of `container` name through the root directory of a process that
/// it sees, of the node or of another container: whatever program gets such a path, no volume is
/// needed but that of `/proc`, where it is the node's.
pub(crate) fn sockets_of_processes(
    pod: &Pod<'_>,
    container: &Container<'_>,
) -> Vec<(TextField, String)> {
    let has_processes = pod.spec.host_pid.0 || container.sees_processes(pod.spec);
    let has_proc = || {
        let mut mounts = pod.mounts_of(container);
        mounts.any(|mount| mount.path.is_within("/proc"))
    };
    if !(has_processes || has_proc()) {
        return Vec::new();
    }
    let is_below_process = |path: &str| {
        let mount = || pod.mount_above(container, &HostPath::new(path));
        host_path::follows_root_link(path)
            || mount().is_some_and(|mount| mount.path.is_within("/proc"))
    };
    let texts = container.texts_with(|found| found.docker);
    let scripts =
        texts.filter(|(field, text)| field.is_hook() || text.contains(char::is_whitespace));
    let sockets = scripts.filter_map(|(field, text)| {
        let mut paths = socket_paths(text).map(|path| container.fill(path));
        Some((field, paths.find(|path| is_below_process(path))?))
    });
    let mut sockets: Vec<_> = sockets.collect();
    // Those that only come together in a shell: `cd /proc/1/root/run; x docker.sock`.
    let mut fields: HashSet<TextField> = sockets.iter().map(|(field, _)| *field).collect();
    for command in container.commands() {
        let invocation = &command.invocation;
        let known = fields.contains(&command.field);
        let words = invocation.arguments().iter().filter(|_| !known);
        let words = words.filter(|word| word.ends_with("docker.sock"));
        let mut paths = words.flat_map(|word| {
            let directories = invocation.directories.iter();
            directories.map(move |directory| match word.starts_with('/') {
                true => word.clone(),
                false => format!("{directory}/{word}"),
            })
        });
        let is_affordable = |path: &String| spend(PATH_STEPS + path.len());
        let is_meant = |path: &String| is_affordable(path) && is_below_process(path);
        if let Some(path) = paths.find(is_meant) {
            fields.insert(command.field);
            sockets.push((command.field, path));
        }
    }
    sockets
}

/// The first socket or pipe of Docker that `text` names.
pub(crate) fn named_socket(container: &Container<'_>, text: &str) -> Option<String> {
    let path = socket_paths(text).next().map(|path| container.fill(path));
    path.or_else(|| {
        memmem::find(text.as_bytes(), b"//./pipe/docker_engine").map(|at| text[at..].to_owned())
    })
}
