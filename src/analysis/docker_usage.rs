//! Is a container a Docker client, what selects Docker in it, and does anything point it at a
//! mount?

use super::container::Container;
use super::endpoint::{self, Endpoint};
use super::pod::Pod;
use super::runtime_selectors::runtime_selectors;
use super::{data_root, resolve, sockets};
use crate::workload::catalog::{self, ImageRole};
use crate::workload::host_path::HostPath;
use crate::workload::search::mentions;
use crate::workload::shell::Invocation;

/// True if anything in `container` could lead to Docker: without a sign of it, no image needs to be
/// looked up.
pub(crate) fn shows_docker(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    !pod.host_mounts.is_empty()
        || container.mentions_docker()
        || container.env("DOCKER_HOST").is_some()
}

/// What in `container` uses Docker, wherever its socket is.
pub(super) fn docker_sign(pod: &Pod<'_>, container: &Container<'_>) -> Option<String> {
    let is_client = container
        .image_role()
        .is_some_and(|role| role != ImageRole::DockerInDocker);
    let is_copy = catalog::resembles_docker(container.image());
    if is_client && !container.endpoint(pod).is_elsewhere()
        || is_copy && container.endpoint(pod).is_node()
    {
        return Some(format!("image {}", container.raw.image));
    }
    let call = container
        .commands()
        .iter()
        .find(|command| docker_verb(&command.invocation).is_some());
    if let Some(call) =
        call.filter(|call| !resolve::of_invocation(pod, container, &call.invocation).is_elsewhere())
    {
        return Some(format!(
            "command docker {}",
            docker_verb(&call.invocation).unwrap_or_default()
        ));
    }
    let selectors = runtime_selectors(container).into_iter();
    if let Some(selector) = selectors.into_iter().find(|selector| selector.is_certain) {
        return Some(selector.shown);
    }
    if sockets::is_agent(container)
        && (pod
            .mounts_of(container)
            .any(|mount| sockets::is_cri_socket(&mount.path))
            || sockets::names_cri_socket(container))
    {
        // It reads the data of whatever runtime is there.
        return None;
    }
    let data_root = pod
        .mounts_of(container)
        .find(|mount| data_root::is_data_root(mount.judged_path()));
    data_root.map(|mount| format!("mount {}", mount.path))
}

/// Verbs of the Docker client that talk to the daemon. Source: docker/cli, the reference of its
/// commands.
const VERBS: [&str; 54] = [
    "attach",
    "bake",
    "build",
    "builder",
    "buildx",
    "commit",
    "compose",
    "container",
    "cp",
    "create",
    "diff",
    "events",
    "exec",
    "export",
    "history",
    "image",
    "images",
    "import",
    "info",
    "inspect",
    "kill",
    "load",
    "login",
    "logout",
    "logs",
    "network",
    "node",
    "pause",
    "plugin",
    "port",
    "ps",
    "pull",
    "push",
    "rename",
    "restart",
    "rm",
    "rmi",
    "run",
    "save",
    "search",
    "service",
    "stack",
    "start",
    "stats",
    "stop",
    "swarm",
    "system",
    "tag",
    "top",
    "unpause",
    "update",
    "version",
    "volume",
    "wait",
];

/// The verb of a call of the Docker client: `docker ps`, `docker compose`, any `docker-compose`.
pub(crate) fn docker_verb(invocation: &Invocation) -> Option<&str> {
    match invocation.program() {
        "docker-compose" => Some("compose"),
        "docker" => {
            let mut words = invocation.arguments().iter();
            loop {
                let word = words.next()?;
                if endpoint::VALUED_OPTIONS.contains(&word.as_str()) {
                    words.next();
                } else if !word.starts_with('-') {
                    return VERBS.contains(&word.as_str()).then_some(word.as_str());
                }
            }
        }
        _ => None,
    }
}

/// True if `container` is a known agent whose scripts also use another runtime.
pub(crate) fn handles_other_runtimes(container: &Container<'_>) -> bool {
    let commands = || {
        container
            .commands()
            .iter()
            .map(|command| &command.invocation)
    };
    sockets::is_agent(container) && run_other_runtimes(commands())
}

/// True if one of `calls` uses another runtime than Docker.
pub(crate) fn run_other_runtimes<'c>(mut calls: impl Iterator<Item = &'c Invocation>) -> bool {
    calls.any(|invocation| {
        let controls = |name: &str| {
            let mut words = invocation.arguments().iter();
            words.any(|word| word.split('.').next() == Some(name))
        };
        match invocation.program() {
            "crictl" | "ctr" | "nerdctl" | "podman" => true,
            "systemctl" | "service" => controls("containerd") || controls("crio"),
            _ => false,
        }
    })
}

/// True if `container` sets up buildx with a builder that is no Docker daemon (docker/buildx:
/// docs/reference/buildx_create.md).
pub(crate) fn has_remote_builder(container: &Container<'_>) -> bool {
    let mut commands = container.commands().iter();
    commands.any(|command| creates_remote_builder(&command.invocation))
}

/// True for the call that sets up such a builder.
pub(crate) fn creates_remote_builder(invocation: &Invocation) -> bool {
    let is_driver = |value: &str| matches!(value, "kubernetes" | "remote" | "cloud");
    let words = invocation.arguments();
    let creates =
        docker_verb(invocation) == Some("buildx") && words.iter().any(|word| word == "create");
    let separate = words
        .windows(2)
        .any(|pair| pair[0] == "--driver" && is_driver(&pair[1]));
    let is_driver_flag = |word: &String| word.strip_prefix("--driver=").is_some_and(is_driver);
    creates && (separate || words.iter().any(is_driver_flag))
}

/// True if `container` shows calls of the Docker client, and all of them go to registries or
/// builders, not to a daemon.
pub(crate) fn needs_no_daemon(container: &Container<'_>) -> bool {
    let builds_elsewhere = has_remote_builder(container);
    let mut calls = container
        .commands()
        .iter()
        .map(|command| &command.invocation)
        .filter(|invocation| invocation.program() == "docker");
    let is_free = |invocation: &Invocation| asks_no_daemon(invocation, builds_elsewhere);
    let first = calls.next().is_some_and(is_free);
    first && calls.all(is_free)
}

/// True if the command of `container`, which replaces that of its image, is known whole and only
/// puts files in their place: it hands the client to another container.
pub(crate) fn only_copies(container: &Container<'_>) -> bool {
    let is_copy = |invocation: &Invocation| {
        let is_shell = matches!(invocation.program(), "sh" | "ash" | "bash");
        let copies = matches!(
            invocation.words[0].as_str(),
            "cp" | "mv" | "ln" | "install" | "mkdir" | "chmod" | "chown" | "echo"
        );
        // A script of its own is read like the rest.
        let is_read = is_shell
            && invocation
                .words
                .get(1)
                .is_some_and(|word| word.contains('c'));
        (copies || is_read) && invocation.on_host.is_none() && !invocation.runs_unseen
    };
    let commands = container.commands();
    !container.raw.command.is_empty()
        && !commands.is_empty()
        && commands.iter().all(|command| is_copy(&command.invocation))
}

/// True for a call of the client that needs registries and its own files alone, or a builder that
/// is no Docker daemon where it `builds_elsewhere`. `login` does it by itself where no daemon
/// answers (docker/cli: cli/command/registry/login.go).
pub(crate) fn asks_no_daemon(invocation: &Invocation, builds_elsewhere: bool) -> bool {
    let words = invocation.arguments().iter().map(String::as_str);
    let mut words = words.filter(|word| !word.starts_with('-'));
    invocation.program() == "docker"
        && match words.next() {
            Some("context" | "login" | "logout" | "manifest") => true,
            Some("buildx") => builds_elsewhere || words.next() == Some("imagetools"),
            _ => false,
        }
}

/// The path on the node that `word` of `invocation` names, alone or behind `NAME=`; `None` where
/// that is a file of the container or of a volume.
pub(crate) fn path_on_node(
    pod: &Pod<'_>,
    container: &Container<'_>,
    invocation: &Invocation,
    word: &str,
) -> Option<HostPath> {
    const DAEMON_FILE: &str = "/etc/docker/daemon.json";
    if !mentions(word, "docker") && !mentions(word, "daemon.json") {
        return None;
    }
    let text = container.fill(word);
    let path = HostPath::new(&text[text.find('/')?..]);
    if invocation.on_host.is_some() {
        return Some(path);
    }
    match pod.host_path_at(container, &path) {
        Some(path) => Some(path),
        None if pod.volume_at(container, &path).is_some() => None,
        // No daemon of this container reads it, so it is meant for the node, whatever leads there.
        None => path
            .as_str()
            .ends_with(DAEMON_FILE)
            .then(|| HostPath::new(DAEMON_FILE)),
    }
}

/// The endpoint that the container's Docker calls use; that of the container itself where it has no
/// calls.
pub(crate) fn client_endpoint(pod: &Pod<'_>, container: &Container<'_>) -> Endpoint {
    let calls = container
        .commands()
        .iter()
        .filter(|command| docker_verb(&command.invocation).is_some());
    let mut endpoints =
        calls.map(|command| resolve::of_invocation(pod, container, &command.invocation));
    let first = endpoints
        .next()
        .unwrap_or_else(|| container.endpoint(pod).clone());
    if first.is_node() {
        first
    } else {
        endpoints
            .find(|endpoint| !endpoint.is_elsewhere())
            .unwrap_or(first)
    }
}
