//! Signals that several rules read: is this container a Docker client, and does anything point it at a mount?

use crate::workload::endpoint::{self, Endpoint};
use crate::workload::host_path::HostPath;
use crate::workload::pod::{Container, HostMount, Pod, TextField, mentions};
use crate::workload::shell::Invocation;
use crate::workload::tables::{self, ImageRole};

/// What in `container` uses Docker through `mount`, a directory above Docker's socket; `None` if nothing does.
pub(super) fn docker_user(pod: &Pod<'_>, container: &Container<'_>, mount: &HostMount<'_>) -> Option<String> {
    if pod.daemon().is_some_and(|daemon| daemon.index == container.index) {
        return None;
    }
    if let Some(role) = tables::image_role(container.image()) {
        let is_client = role != ImageRole::DockerInDocker && !container.endpoint(pod).is_elsewhere();
        if is_client {
            return Some(format!("image {}", container.raw.image));
        }
    }
    if container.mentions_docker() {
        for (field, text) in container.texts() {
            for token in socket_paths(text) {
                let path = HostPath::new(&container.expand(token).0);
                if path.is_within(&mount.mount_path) && pod.host_path_at(container, &path).is_some() {
                    return Some(format!("{} {token}", describe(container, field)));
                }
            }
        }
        let call = container.commands().iter().find(|command| docker_verb(&command.invocation).is_some());
        if let Some(call) = call.filter(|call| !endpoint::of_invocation(pod, container, &call.invocation).is_elsewhere()) {
            return Some(format!("command docker {}", docker_verb(&call.invocation).unwrap_or_default()));
        }
    }
    let data_root = pod.mounts_of(container).find(|mount| is_data_root(&mount.path));
    data_root.map(|mount| format!("mount {}", mount.path))
}

/// `env DOCKER_HOST` or `argument`, as messages call the place of a text.
pub(super) fn describe(container: &Container<'_>, field: TextField) -> String {
    match field {
        TextField::Env(i) => format!("env {}", container.raw.env[i].name),
        TextField::Command(_) => "command".to_owned(),
        TextField::Args(_) => "argument".to_owned(),
    }
}

/// True for Docker's data directory and what lies below it, logs aside.
pub(super) fn is_data_root(path: &HostPath) -> bool {
    let logs = tables::DATA_ROOTS.iter().any(|root| path.is_within(&format!("{root}/containers")));
    !logs && tables::DATA_ROOTS.iter().any(|root| path.is_within(root))
}

/// The paths in `text` whose last component is `docker.sock`.
pub(super) fn socket_paths(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_alphanumeric() || "/._-$(){}".contains(c);
    (text.split(move |c| !is_path(c))).filter(|token| mentions(token, "docker.sock")).filter_map(|token| {
        let path = &token[token.find('/')?..];
        path.trim_end_matches('/').ends_with("/docker.sock").then_some(path)
    })
}

/// Verbs of the Docker client that talk to the daemon. Source: docker/cli, the reference of its commands.
const VERBS: [&str; 47] = [
    "attach",
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
    "service",
    "stack",
    "start",
    "stats",
    "stop",
    "swarm",
    "system",
    "tag",
    "top",
    "volume",
];

/// The verb of a call of the Docker client: `docker ps`, `docker compose`, any `docker-compose`.
pub(super) fn docker_verb(invocation: &Invocation) -> Option<&str> {
    match invocation.program() {
        "docker-compose" => Some("compose"),
        "docker" => {
            let mut words = invocation.arguments().iter();
            loop {
                let word = words.next()?;
                if matches!(word.as_str(), "-H" | "--host" | "-c" | "--context" | "--config" | "-l" | "--log-level") {
                    words.next();
                } else if !word.starts_with('-') {
                    return VERBS.contains(&word.as_str()).then_some(word.as_str());
                }
            }
        }
        _ => None,
    }
}

/// The endpoint that the container's Docker calls use; that of the container itself where it has no calls.
pub(super) fn client_endpoint(pod: &Pod<'_>, container: &Container<'_>) -> Endpoint {
    let calls = container.commands().iter().filter(|command| docker_verb(&command.invocation).is_some());
    let mut endpoints = calls.map(|command| endpoint::of_invocation(pod, container, &command.invocation));
    let first = endpoints.next().unwrap_or_else(|| container.endpoint(pod).clone());
    if first.is_node() { first } else { endpoints.find(|endpoint| !endpoint.is_elsewhere()).unwrap_or(first) }
}
