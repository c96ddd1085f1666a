//! Where does a container's Docker client find its daemon? On the node, in the Pod, or elsewhere.
//!
//! The order is that of the client: an explicit flag, `DOCKER_HOST`, then the default socket. A path inside the
//! container means whatever volume is mounted there; an address means whose network it is in.

use super::address::{canonical, is_loopback};
use super::budget::spend;
use super::host_path::{self, HostPath};
use super::pod::{Container, MAX_FILLED, Pod};
use super::shell::Invocation;
use super::variables::NODE_FIELDS;
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
    if let Some(host) = container.variable("DOCKER_HOST") {
        let is_only_open = host.is_open && host.text.starts_with("$(") && host.text.ends_with(')');
        if is_only_open && !is_node_field(&host.text) {
            return Endpoint::Unknown;
        }
        if !host.text.trim().is_empty() {
            return resolve(pod, container, &host.text);
        }
    }
    let context = container.variable("DOCKER_CONTEXT");
    if context.is_some_and(|context| !matches!(&*context.text, "" | "default")) {
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
    if !spend(RESOLVE_STEPS + value.len()) {
        return Endpoint::Unknown;
    }
    let value = fill(container, value.trim());
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
    if lower.starts_with("fd://") {
        return Endpoint::Remote;
    }
    match of_host(pod, host_of(address)) {
        // Its SSH server is not that of this container, which has its own loopback address.
        Endpoint::InPod if lower.starts_with("ssh://") => Endpoint::Remote,
        found => found,
    }
}

/// What it costs to find out where an address leads.
const RESOLVE_STEPS: usize = 64;

/// What it costs to look up a variable.
const VARIABLE_STEPS: usize = 16;

/// True for text with a variable or a template's mark left in it.
fn is_open(text: &str) -> bool {
    text.contains('$') || text.contains("{{")
}

/// `text` with the variables of `container` filled in as a shell does. Kubernetes' references are filled in already.
pub(crate) fn fill(container: &Container<'_>, text: &str) -> String {
    if text.len() > MAX_FILLED || !text.contains('$') {
        return text.to_owned();
    }
    let (mut expanded, mut rest) = (String::with_capacity(text.len()), text);
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
        let value = match container.variable(name) {
            Some(variable) => Some(&*variable.text),
            None => default.filter(|_| !container.raw.env_from.0),
        };
        match value.filter(|value| expanded.len() + value.len() <= MAX_FILLED) {
            Some(value) => expanded.push_str(value),
            None => expanded.push_str(&rest[at..=at + length]),
        }
        rest = &behind[length..];
        // A brace that nothing closes was looked for up to the end.
        if !spend(VARIABLE_STEPS + length + behind.len() / 16) {
            break;
        }
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

/// True if `address` names a daemon on another host, whatever asks it: no socket, no address of one's own host or of
/// docker0, nothing that is filled in later.
pub(crate) fn is_remote(address: &str) -> bool {
    let Some((scheme, rest)) = address.trim().split_once("://") else {
        return false;
    };
    let host = canonical(host_of(rest));
    let is_filled_in = is_open(&host) || host.contains('%');
    matches!(scheme, "tcp" | "http" | "https" | "ssh")
        && !(host.is_empty() || is_filled_in || is_loopback(&host))
        && !BRIDGE_ADDRESSES.contains(&host.as_str())
}

/// True if `invocation`, read in a text that nobody is known to run, names a daemon that is not the node's: a remote one,
/// or over TCP one beside it.
pub(crate) fn leads_elsewhere(invocation: &Invocation) -> bool {
    let is_elsewhere = |address: &str| address.starts_with("tcp://") || is_remote(address);
    match explicit(invocation) {
        Some((Setting::Host, address)) => is_elsewhere(address),
        Some((Setting::Context, context)) => context != "default",
        None => invocation.assigned("DOCKER_HOST").is_some_and(is_elsewhere),
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
    // The root directory of the node's processes, which the Pod sees: no volume is needed to get there.
    let is_of_node = host_path::follows_root_link(path) && pod.spec.host_pid.0;
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
    // An IPv6 address without brackets is an error to most clients, but not to all.
    if authority.matches(':').count() > 1 {
        return authority;
    }
    // `$(NAME)` holds no colon, so the first one starts the port.
    authority.split(':').next().unwrap_or_default()
}

/// True if `host` is the address or the name of the node as the downward API gives it.
pub(crate) fn is_node_field(host: &str) -> bool {
    NODE_FIELDS.contains(&host)
}

/// Where `host` leads in `pod`: to the node, to this Pod, or elsewhere.
pub(crate) fn of_host(pod: &Pod<'_>, host: &str) -> Endpoint {
    if is_node_field(host) {
        return Endpoint::NodeAddress { certain: true };
    }
    let host = canonical(host);
    let host = pod.alias_of(&host).map_or(host, canonical);
    if BRIDGE_ADDRESSES.contains(&host.as_str()) || pod.names_node(&host) {
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
