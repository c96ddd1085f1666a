//! Where does a container's Docker client find its daemon? On the node, in the Pod, or elsewhere.
//!
//! The order is that of the client: an explicit flag, `DOCKER_HOST`, then the default socket. A path inside the
//! container means whatever volume is mounted there; an address means whose network it is in.

use super::host_path::HostPath;
use super::pod::{Container, Pod};
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

/// Addresses of docker0, and the names that Docker Desktop gives the host.
/// Source: docker-dd-agent#140 (172.17.42.1 before Docker 1.9), Docker's documentation for the names.
pub(crate) const BRIDGE_ADDRESSES: [&str; 4] = ["172.17.0.1", "172.17.42.1", "host.docker.internal", "gateway.docker.internal"];

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
    if container.env("DOCKER_CONTEXT").is_some_and(|var| !var.value.is_empty() && *var.value != *"default") {
        return Endpoint::Unknown;
    }
    match resolve(pod, container, DEFAULT_SOCKET) {
        Endpoint::NotMounted if pod.daemon().is_some() => Endpoint::InPod,
        Endpoint::NotMounted if !container.raw.env_from.is_empty() => Endpoint::Unknown,
        Endpoint::NotMounted => Endpoint::None,
        found => found,
    }
}

/// What `value`, a Docker endpoint as in `DOCKER_HOST` or `-H`, means in `container`.
pub(crate) fn resolve(pod: &Pod<'_>, container: &Container<'_>, value: &str) -> Endpoint {
    let (value, _) = container.expand(value.trim());
    let lower = value.to_ascii_lowercase();
    if let Some(path) = lower.strip_prefix("unix://").map(|rest| &value[value.len() - rest.len()..]) {
        return resolve_socket(pod, container, path);
    }
    if value.starts_with('/') || lower.starts_with("npipe:") {
        return resolve_socket(pod, container, value.strip_prefix("npipe:").unwrap_or(&value));
    }
    if lower.starts_with("ssh://") || lower.starts_with("fd://") {
        return Endpoint::Remote;
    }
    let address = value.split_once("://").map_or(value.as_str(), |(_, rest)| rest);
    let host = host_of(address);
    if names_node(container, host) {
        return Endpoint::NodeAddress { certain: true };
    }
    if BRIDGE_ADDRESSES.contains(&host) {
        return Endpoint::NodeAddress { certain: false };
    }
    if is_loopback(host) {
        let on_node = pod.spec.host_network.0 && pod.daemon().is_none();
        return if on_node { Endpoint::NodeAddress { certain: false } } else { Endpoint::InPod };
    }
    if host.contains("$(") { Endpoint::Unknown } else { Endpoint::Remote }
}

/// The endpoint of the Docker client that `invocation` starts: its own flag or variable, else the container's.
pub(crate) fn of_invocation(pod: &Pod<'_>, container: &Container<'_>, invocation: &Invocation) -> Endpoint {
    match explicit(invocation) {
        Some(value) => resolve(pod, container, value),
        None => container.endpoint(pod).clone(),
    }
}

/// `-H`, `--host` or a leading `DOCKER_HOST=` of a call of `docker`.
fn explicit(invocation: &Invocation) -> Option<&str> {
    let mut words = invocation.arguments().iter();
    while let Some(word) = words.next().filter(|word| word.starts_with('-')) {
        if word == "-H" || word == "--host" {
            return words.next().map(String::as_str);
        }
        if let Some(value) = word.strip_prefix("--host=").or_else(|| word.strip_prefix("-H")) {
            return Some(value.trim_start_matches('='));
        }
        if matches!(word.as_str(), "-c" | "--context" | "--config" | "-l" | "--log-level") {
            words.next();
        }
    }
    invocation.assigned("DOCKER_HOST")
}

fn resolve_socket(pod: &Pod<'_>, container: &Container<'_>, path: &str) -> Endpoint {
    let path = HostPath::new(path);
    match pod.host_path_at(container, &path) {
        // podman speaks Docker's API, and containerd's socket is another rule's business.
        Some(host_path) if OTHER_RUNTIME_SOCKETS.contains(&host_path.file_name()) => Endpoint::Remote,
        Some(host_path) => Endpoint::NodeSocket(host_path),
        None if pod.volume_at(container, &path).is_some() => Endpoint::InPod,
        None => Endpoint::NotMounted,
    }
}

/// The host of `HOST[:PORT][/PATH]`; brackets of IPv6 are kept off.
pub(crate) fn host_of(address: &str) -> &str {
    let authority = address.split('/').next().unwrap_or_default();
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
    let name = (host.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')))
        .or_else(|| host.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')))
        .or_else(|| host.strip_prefix('$'));
    name.is_some_and(|name| field_of_node(container, name))
}

fn field_of_node(container: &Container<'_>, variable: &str) -> bool {
    let source = container.env(variable).and_then(|var| var.value_from.as_ref()).and_then(|from| from.field_ref.as_ref());
    source.is_some_and(|field| matches!(field.field_path.as_str(), "status.hostIP" | "status.hostIPs" | "spec.nodeName"))
}
