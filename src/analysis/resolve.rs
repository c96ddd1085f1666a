//! Where does a container's Docker client find its daemon? On the node, in the Pod, or elsewhere.
//! And which of its programs run on the node?
//!
//! The order is that of the client: an explicit flag, `DOCKER_HOST`, then the default socket. A
//! path inside the container means whatever volume is mounted there; an address means whose network
//! it is in.

use super::container::Container;
use super::endpoint::{
    BRIDGE_ADDRESSES, Endpoint, Setting, explicit, host_of, is_node_field, is_open,
};
use super::pod::Pod;
use crate::workload::address::{canonical, is_loopback};
use crate::workload::budget::spend;
use crate::workload::catalog::OTHER_RUNTIME_SOCKETS;
use crate::workload::host_path::{self, HostPath};
use crate::workload::shell::{HostEntry, Invocation};

/// The default socket of every Docker client.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The same on Windows.
const DEFAULT_PIPE: &str = "//./pipe/docker_engine";

/// What it costs to find out where an address leads.
const RESOLVE_STEPS: usize = 64;

impl Container<'_> {
    /// Where a Docker client in this container finds its daemon.
    pub(crate) fn endpoint(&self, pod: &Pod<'_>) -> &Endpoint {
        self.endpoint.get_or_init(|| of_container(pod, self))
    }
}

/// The endpoint of a client that `container` starts without a flag of its own.
fn of_container(pod: &Pod<'_>, container: &Container<'_>) -> Endpoint {
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
    let value = container.fill(value.trim());
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

/// The endpoint of the Docker client that `invocation` starts: its own flag or variable, else the
/// container's.
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

/// `nsenter` or `chroot` where `invocation` runs on the node; `None` where it stays in its
/// container.
pub(crate) fn way_to_node(
    pod: &Pod<'_>,
    container: &Container<'_>,
    invocation: &Invocation,
) -> Option<&'static str> {
    match invocation.on_host.as_ref()? {
        HostEntry::Nsenter => Some("nsenter"),
        HostEntry::Chroot(root) => {
            let root = HostPath::new(&container.fill(root));
            let is_mounted = pod
                .host_path_at(container, &root)
                .is_some_and(|path| path.as_str() == "/");
            // `/proc/1/root` reads `/`, which is the node's root where the Pod shares the node's
            // processes.
            let is_process_one = root.as_str() == "/" && pod.spec.host_pid.0;
            (is_mounted || is_process_one).then_some("chroot")
        }
    }
}

fn resolve_socket(pod: &Pod<'_>, container: &Container<'_>, written: &str) -> Endpoint {
    // The root directory of the node's processes, which the Pod sees: no volume is needed to get
    // there.
    let is_of_node = host_path::follows_root_link(written) && pod.spec.host_pid.0;
    let path = match written.starts_with(['/', '\\']) {
        true => HostPath::new(written),
        false => HostPath::new(&container.working_directory()).join(written),
    };
    // A process of the node needs none either.
    let is_pipe = container.is_host_process(pod.spec) && path == HostPath::new(DEFAULT_PIPE);
    if is_of_node || is_pipe {
        return Endpoint::NodeSocket(path);
    }
    let own = pod.host_path_at(container, &path);
    match own.or_else(|| behind_process(pod, container, written, &path)) {
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

/// The host path to which `path`, which is `written` through the root directory of a process, leads
/// in another container of the Pod whose processes `container` sees.
fn behind_process(
    pod: &Pod<'_>,
    container: &Container<'_>,
    written: &str,
    path: &HostPath,
) -> Option<HostPath> {
    if !(host_path::follows_root_link(written) && container.sees_processes(pod.spec)) {
        return None;
    }
    let mut others = pod.containers.iter().take_while(|_| spend(RESOLVE_STEPS));
    others.find_map(|other| pod.host_path_at(other, path))
}

/// Where `host` leads in `pod`: to the node, to this Pod, or elsewhere.
pub(crate) fn of_host(pod: &Pod<'_>, host: &str) -> Endpoint {
    if !spend(host.len()) {
        return Endpoint::Unknown;
    }
    if is_node_field(host) {
        return Endpoint::NodeAddress { certain: true };
    }
    let host = canonical(host);
    let host = pod.alias_of(&host).map_or(host, canonical);
    if is_address_of_node(pod, &host) {
        return Endpoint::NodeAddress { certain: false };
    }
    // Docker's clients read `tcp://:2375` as localhost.
    if host.is_empty() || is_loopback(&host) {
        return match (pod.spec.host_network.0, pod.has_privileged_daemon()) {
            (false, _) => Endpoint::InPod,
            (true, false) => Endpoint::NodeAddress { certain: false },
            (true, true) => Endpoint::NodeOrPod,
        };
    }
    if is_open(&host) {
        Endpoint::Unknown
    } else {
        Endpoint::Remote
    }
}

/// True for an address of docker0, and for an address or a name of a node, as far as nodes are
/// known.
pub(crate) fn is_address_of_node(pod: &Pod<'_>, host: &str) -> bool {
    BRIDGE_ADDRESSES.contains(&host) || pod.names_node(host)
}
