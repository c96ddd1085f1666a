//! What a Docker client's endpoint can be, and what the words of its settings say.

use crate::workload::address::{canonical, is_loopback};
use crate::workload::host_path::HostPath;
use crate::workload::shell::Invocation;
use crate::workload::variables::NODE_FIELDS;

/// The daemon that an endpoint leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A socket of the node, by its host path.
    NodeSocket(HostPath),
    /// The node over TCP; `certain` when the address is taken from the node's own fields.
    NodeAddress {
        /// False for docker0's address and for `localhost` under `hostNetwork`.
        certain: bool,
    },
    /// `localhost` under `hostNetwork`, beside a daemon in the Pod: that one or the node's,
    /// whichever has the port.
    NodeOrPod,
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
    pub(crate) fn is_node(&self) -> bool {
        matches!(self, Self::NodeSocket(_) | Self::NodeAddress { .. })
    }

    /// True if it is certain that the node's Docker is not meant.
    pub(crate) fn is_elsewhere(&self) -> bool {
        matches!(self, Self::InPod | Self::Remote)
    }
}

/// Options in front of the verb that take the next word (docker/cli and docker/compose, the
/// reference of their commands).
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

/// Addresses of docker0, and the names that Docker Desktop gives the host. Source:
/// docker-dd-agent#140 (172.17.42.1 before Docker 1.9), Docker's documentation for the names.
pub(crate) const BRIDGE_ADDRESSES: [&str; 4] = [
    "172.17.0.1",
    "172.17.42.1",
    "host.docker.internal",
    "gateway.docker.internal",
];

/// True for text with a variable or a template's mark left in it.
pub(super) fn is_open(text: &str) -> bool {
    text.contains('$') || text.contains("{{")
}

/// True if `address` names a daemon on another host, whatever asks it: no socket, no address of
/// one's own host or of docker0, nothing that is filled in later.
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

/// True if `invocation`, read in a text that nobody is known to run, names a daemon that is not the
/// node's: a remote one, or over TCP one beside it.
pub(crate) fn leads_elsewhere(invocation: &Invocation) -> bool {
    let is_elsewhere = |address: &str| address.starts_with("tcp://") || is_remote(address);
    match explicit(invocation) {
        Some((Setting::Host, address)) => is_elsewhere(address),
        Some((Setting::Context, context)) => context != "default",
        None => invocation.assigned("DOCKER_HOST").is_some_and(is_elsewhere),
    }
}

/// What a call of `docker` can name.
pub(super) enum Setting {
    Host,
    Context,
}

/// `--host` or `--context` of a call of `docker`, in any of their spellings.
pub(super) fn explicit(invocation: &Invocation) -> Option<(Setting, &str)> {
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

/// Longest IPv6 address, with a zone.
const MAX_IPV6: usize = 64;

/// The hosts in front of `:2375` or `:2376` in `text`, and the port.
pub(crate) fn docker_addresses(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let ports = memchr::memchr_iter(b':', text.as_bytes()).filter_map(|at| {
        // Go's clients take a plus and zeros in front of a port.
        let rest = &text[at + 1..];
        let rest = rest
            .strip_prefix('+')
            .unwrap_or(rest)
            .trim_start_matches('0');
        let port = rest
            .get(..4)
            .filter(|port| matches!(*port, "2375" | "2376"))?;
        let is_longer = rest.as_bytes().get(4).is_some_and(u8::is_ascii_digit);
        (!is_longer).then_some((at, port))
    });
    ports.filter_map(|(at, port)| {
        // As a host holds no colon outside of brackets, each is looked for behind the colon before.
        let front = &text[..at];
        let host = match front.strip_suffix(']') {
            Some(inside) => {
                let near =
                    &inside[inside.floor_char_boundary(inside.len().saturating_sub(MAX_IPV6))..];
                &near[near.rfind('[')? + 1..]
            }
            None => {
                &front[front.rfind(|c: char| !is_of_host(c)).map_or(0, |i| {
                    i + front[i..].chars().next().map_or(1, char::len_utf8)
                })..]
            }
        };
        (!host.is_empty()).then_some((host, port))
    })
}

fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-$(){}".contains(c)
}
