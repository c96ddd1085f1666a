//! Where does a container's Docker client find its daemon? On the node, in the Pod, or elsewhere.
//!
//! The order is that of the client: an explicit flag, `DOCKER_HOST`, then the default socket. A path inside the
//! container means whatever volume is mounted there; an address means whose network it is in.

use super::host_path::HostPath;
use super::pod::{Container, MAX_EXPANDED, Pod};
use super::shell::Invocation;
use crate::workload::tables::OTHER_RUNTIME_SOCKETS;

/// The daemon that an endpoint leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket of the node, by its host path.
    NodeSocket(HostPath),
    /// The node over TCP; `certain` when the address is taken from the node's own fields.
    NodeAddress {
        /// False for docker0's address and for `localhost` under `hostNetwork`.
        certain: bool,
    },
    /// A daemon of this Pod: localhost, or a socket in a volume of the Pod.
    InPod,
    /// Another host: a Service, SSH, a remote builder.
    Remote,
    /// An explicit socket path at which nothing is mounted.
    NotMounted,
    /// Set, but from a source that the object does not show.
    Unknown,
    /// Nothing is set and no socket is mounted at the default path.
    None,
}

impl Endpoint {
    /// True if the node's Docker is meant.
    pub fn is_node(&self) -> bool {
        matches!(self, Self::NodeSocket(_) | Self::NodeAddress { .. })
    }

    /// True if it is certain that the node's Docker is not meant.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self, Self::InPod | Self::Remote)
    }
}

/// The default socket of every Docker client.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The same on Windows.
const DEFAULT_PIPE: &str = "//./pipe/docker_engine";

/// Options in front of the verb that take the next word (docker/cli and docker/compose, the reference of their commands).
pub(crate) const VALUED_OPTIONS: [&str; 18] = [
    "--ansi",
    "--config",
    "--context",
    "--env-file",
    "--file",
    "--host",
    "--log-level",
    "--profile",
    "--project-directory",
    "--project-name",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "-H",
    "-c",
    "-f",
    "-l",
    "-p",
];

/// Addresses of docker0, and the names that Docker Desktop gives the host.
/// Source: docker-dd-agent#140 (172.17.42.1 before Docker 1.9), Docker's documentation for the names.
pub(crate) const BRIDGE_ADDRESSES: [&str; 4] = [
    "172.17.0.1",
    "172.17.42.1",
    "host.docker.internal",
    "gateway.docker.internal",
];

/// The endpoint of a client that `container` starts without a flag of its own.
pub(super) fn of_container(pod: &Pod<'_>, container: &Container<'_>) -> Endpoint {
    if let Some(var) = container.env("DOCKER_HOST") {
        if var.value_from.is_some() && field_of_node(container, "DOCKER_HOST") {
            return Endpoint::NodeAddress { certain: true };
        }
        if var.value_from.is_some() {
            return Endpoint::Unknown;
        }
        if !var.value.trim().is_empty() {
            return resolve(pod, container, &var.value);
        }
    }
    if container
        .env("DOCKER_CONTEXT")
        .is_some_and(|var| !var.value.is_empty() && *var.value != *"default")
    {
        return Endpoint::Unknown;
    }
    let default = match resolve(pod, container, DEFAULT_SOCKET) {
        Endpoint::NotMounted => resolve(pod, container, DEFAULT_PIPE),
        found => found,
    };
    match default {
        Endpoint::NotMounted if pod.daemon().is_some() => Endpoint::InPod,
        Endpoint::NotMounted if container.raw.env_from.0 => Endpoint::Unknown,
        Endpoint::NotMounted => Endpoint::None,
        found => found,
    }
}

/// What `value`, a Docker endpoint as in `DOCKER_HOST` or `-H`, means in `container`.
pub(crate) fn resolve(pod: &Pod<'_>, container: &Container<'_>, value: &str) -> Endpoint {
    let value = expand(container, value.trim());
    let lower = value.to_ascii_lowercase();
    if let Some(path) = lower
        .strip_prefix("unix://")
        .map(|rest| &value[value.len() - rest.len()..])
    {
        return resolve_socket(pod, container, path);
    }
    if value.starts_with('/') || lower.starts_with("npipe:") {
        let path = if lower.starts_with("npipe:") {
            &value["npipe:".len()..]
        } else {
            &value
        };
        return resolve_socket(pod, container, path);
    }
    let address = value
        .split_once("://")
        .map_or(value.as_str(), |(_, rest)| rest);
    let host = host_of(address);
    if names_node(container, host) {
        return Endpoint::NodeAddress { certain: true };
    }
    if lower.starts_with("ssh://") || lower.starts_with("fd://") {
        return Endpoint::Remote;
    }
    let host = host.to_ascii_lowercase();
    if BRIDGE_ADDRESSES.contains(&host.as_str()) {
        return Endpoint::NodeAddress { certain: false };
    }
    // Docker's clients read `tcp://:2375` as localhost.
    if host.is_empty() || is_loopback(&host) {
        let on_node = pod.spec.host_network.0 && pod.daemon().is_none();
        return if on_node {
            Endpoint::NodeAddress { certain: false }
        } else {
            Endpoint::InPod
        };
    }
    if is_open(&host) {
        Endpoint::Unknown
    } else {
        Endpoint::Remote
    }
}

/// True for text with a variable or a template's mark left in it.
fn is_open(text: &str) -> bool {
    text.contains('$') || text.contains("{{")
}

/// `text` with the literal variables of `container` filled in, in Kubernetes' spelling and in the shell's.
pub(crate) fn expand(container: &Container<'_>, text: &str) -> String {
    let (text, _) = container.expand(text);
    if text.len() > MAX_EXPANDED || !text.contains('$') {
        return text;
    }
    let (mut expanded, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let (name, length) = match behind.strip_prefix('{').and_then(|inner| inner.find('}')) {
            Some(end) => (&behind[1..=end], end + 2),
            None => {
                let length = behind
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(behind.len());
                (&behind[..length], length)
            }
        };
        let (name, default) = name
            .split_once(":-")
            .map_or((name, None), |(name, default)| (name, Some(default)));
        let value = match container.env(name) {
            Some(var) => var.value_from.is_none().then_some(var.value.as_str()),
            None => default.filter(|_| !container.raw.env_from.0),
        };
        match value.filter(|value| expanded.len() + value.len() <= MAX_EXPANDED) {
            Some(value) => expanded.push_str(value),
            None => expanded.push_str(&rest[at..=at + length]),
        }
        rest = &behind[length..];
    }
    expanded.push_str(rest);
    expanded
}

/// The endpoint of the Docker client that `invocation` starts: its own flag or variable, else the container's.
pub(crate) fn of_invocation(
    pod: &Pod<'_>,
    container: &Container<'_>,
    invocation: &Invocation,
) -> Endpoint {
    let context = match explicit(invocation) {
        Some((Setting::Host, value)) => return resolve(pod, container, value),
        Some((Setting::Context, context)) => Some(context),
        None => match invocation
            .assigned("DOCKER_HOST")
            .filter(|value| !value.is_empty())
        {
            Some(value) => return resolve(pod, container, value),
            None => invocation
                .assigned("DOCKER_CONTEXT")
                .filter(|context| !context.is_empty()),
        },
    };
    match context {
        Some(context) if context != "default" => Endpoint::Unknown,
        _ => container.endpoint(pod).clone(),
    }
}

/// What a call of `docker` can name.
enum Setting {
    Host,
    Context,
}

/// `--host` or `--context` of a call of `docker`, in any of their spellings.
fn explicit(invocation: &Invocation) -> Option<(Setting, &str)> {
    let mut words = invocation.arguments().iter().map(String::as_str);
    while let Some(word) = words.next().filter(|word| word.starts_with('-')) {
        let is_compose = invocation.program() == "docker-compose";
        match word {
            "-H" | "--host" => return words.next().map(|value| (Setting::Host, value)),
            "--context" => return words.next().map(|value| (Setting::Context, value)),
            "-c" if !is_compose => return words.next().map(|value| (Setting::Context, value)),
            _ if VALUED_OPTIONS.contains(&word) => {
                words.next();
            }
            _ => {
                if let Some(value) = word
                    .strip_prefix("--host=")
                    .or_else(|| word.strip_prefix("-H"))
                {
                    return Some((Setting::Host, value.trim_start_matches('=')));
                }
                if let Some(value) = word.strip_prefix("--context=") {
                    return Some((Setting::Context, value));
                }
            }
        }
    }
    None
}

fn resolve_socket(pod: &Pod<'_>, container: &Container<'_>, path: &str) -> Endpoint {
    // The root of the node's first process, which the Pod sees: no volume is needed to get there.
    let is_of_node = path.starts_with("/proc/1/root/") && pod.spec.host_pid.0;
    let path = HostPath::new(path);
    if is_of_node {
        return Endpoint::NodeSocket(path);
    }
    match pod.host_path_at(container, &path) {
        // podman speaks Docker's API, and containerd's socket is another rule's business.
        Some(host_path) if OTHER_RUNTIME_SOCKETS.contains(&host_path.file_name()) => {
            Endpoint::Remote
        }
        Some(host_path) => Endpoint::NodeSocket(host_path),
        None if pod.volume_at(container, &path).is_some() => Endpoint::InPod,
        None if is_open(path.as_str()) => Endpoint::Unknown,
        None => Endpoint::NotMounted,
    }
}

/// The host of `[USER@]HOST[:PORT][/PATH]`; brackets of IPv6 are kept off.
pub(crate) fn host_of(address: &str) -> &str {
    let authority = address.split('/').next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    // `$(NAME)` holds no colon, so the first one starts the port.
    authority.split(':').next().unwrap_or_default()
}

/// True for this Pod's own network, which is the node's under `hostNetwork`.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || host == "::1"
}

/// True if `host` is a variable, in Kubernetes' or the shell's spelling, that the downward API fills with the node's address or name.
pub(crate) fn names_node(container: &Container<'_>, host: &str) -> bool {
    let name = (host
        .strip_prefix("$(")
        .and_then(|rest| rest.strip_suffix(')')))
    .or_else(|| {
        host.strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
    })
    .or_else(|| host.strip_prefix('$'));
    name.is_some_and(|name| field_of_node(container, name))
}

fn field_of_node(container: &Container<'_>, variable: &str) -> bool {
    let source = container
        .env(variable)
        .and_then(|var| var.value_from.as_ref())
        .and_then(|from| from.field_ref.as_ref());
    source.is_some_and(|field| {
        matches!(
            field.field_path.as_str(),
            "status.hostIP" | "status.hostIPs" | "spec.nodeName"
        )
    })
}
