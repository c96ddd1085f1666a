//! Which words of a container are Docker's socket, or could be it, below a directory above the socket
//! that the container mounts.

use super::container::{Container, DockerUse};
use super::docker_usage::{docker_sign, is_socket_parent};
use super::pod::Pod;
use super::{daemon, sockets};
use crate::workload::budget::{keep, spend};
use crate::workload::host_path::{self, HostPath};
use crate::workload::pod::{HostMount, TextField};
use crate::workload::shell::{Invocation, found_paths, pattern};

/// Longest path that Linux opens.
const MAX_LENGTH: usize = 4096;

/// Paths of one word.
const MAX_PARTS: usize = 16;

/// Sockets of one container that are kept.
const MAX_PATHS: usize = 256;

/// What it costs to look at a word.
const WORD_STEPS: usize = 16;

/// Where clients look for the socket, with and without the link that `/var/run` mostly is.
const SOCKETS: [&str; 2] = ["/run/docker.sock", "/var/run/docker.sock"];

/// The signs of Docker in `container`.
pub(super) fn docker_use<'c>(pod: &Pod<'_>, container: &'c Container<'_>) -> &'c DockerUse {
    container.docker_use.get_or_init(|| {
        let mut uses = DockerUse::default();
        // A daemon in the Pod is what its clients use, but not what a path on the node leads to.
        let is_daemon = pod.is_daemon(container);
        if !is_daemon {
            uses.by_itself = docker_sign(pod, container);
        }
        // A known agent that names another runtime's socket as well takes what it finds.
        if sockets::is_agent(container) && sockets::names_cri_socket(container) {
            return uses;
        }
        if !is_daemon {
            add_texts(pod, container, &mut uses);
        }
        let mounts: Vec<Mount<'_>> = pod
            .mounts_of(container)
            .filter(|mount| is_socket_parent(mount))
            .map(|mount| Mount::new(pod, mount))
            .collect();
        if !mounts.is_empty() {
            add_words(pod, container, &mounts, &mut uses);
        }
        uses
    })
}

/// Adds the sockets that the texts of `container` name as they are written.
fn add_texts(pod: &Pod<'_>, container: &Container<'_>, uses: &mut DockerUse) {
    if !container.text_prefilter().docker {
        return;
    }
    for (field, text) in container.texts_with(|found| found.docker) {
        for token in sockets::socket_paths(text) {
            let path = HostPath::new(&container.fill(token));
            if pod.host_path_at(container, &path).is_some() && !add(uses, container, field, path) {
                return;
            }
        }
    }
}

/// Adds a socket that the text at `field` names; false where there is no room left.
fn add(uses: &mut DockerUse, container: &Container<'_>, field: TextField, path: HostPath) -> bool {
    let shown = container.describe(field);
    let is_kept = uses.paths.len() < MAX_PATHS
        && keep(size_of_val(&path) + shown.len() + path.as_str().len());
    if is_kept {
        uses.paths.push((shown, path));
    }
    is_kept
}

/// A mount of a directory above sockets.
struct Mount<'m> {
    path: &'m str,
    /// The sockets below it, as the container sees them.
    sockets: Vec<String>,
}

impl<'m> Mount<'m> {
    fn new(pod: &Pod<'_>, mount: &'m HostMount<'_>) -> Self {
        let named = pod.overrides.sockets.iter().map(HostPath::as_str);
        let sockets = SOCKETS.into_iter().chain(named).filter_map(|socket| {
            let below = match mount.path.as_str() {
                "/" => socket,
                directory => socket.strip_prefix(directory)?,
            };
            below
                .starts_with('/')
                .then(|| format!("{}{below}", mount.mount_path.trim_end_matches('/')))
        });
        Self {
            path: &mount.mount_path,
            sockets: sockets.collect(),
        }
    }

    /// True if `path`, of which a part is open, could be a socket below it. Something has to lead
    /// here: a start of the path, or the socket's own name at its end.
    fn may_hold(&self, path: &str) -> bool {
        let start = pattern::known_start(path);
        let leads_here = host_path::is_within(start.trim_end_matches('/'), self.path);
        let can_be = |socket: &String| {
            let name = socket.rsplit('/').next().unwrap_or_default();
            (leads_here || path.ends_with(name)) && pattern::matches(path, socket)
        };
        self.sockets.iter().any(can_be)
    }

    /// True for a directory at or below the mount in which a socket lies.
    fn is_directory_of_socket(&self, path: &str) -> bool {
        let is_above = |socket: &String| host_path::is_within(socket, path);
        host_path::is_within(path, self.path) && self.sockets.iter().any(is_above)
    }
}

/// Adds the sockets that words of commands and variables of `container` are or could be, as shells
/// put them together.
fn add_words(pod: &Pod<'_>, container: &Container<'_>, mounts: &[Mount<'_>], uses: &mut DockerUse) {
    let directory = [container.working_directory()];
    for (at, variable) in container.raw.env.iter().enumerate() {
        let field = TextField::Env(at);
        let text = container.expanded_text(field, &variable.value);
        add_word(pod, container, mounts, (field, text, &directory), uses);
    }
    for command in container.commands() {
        let invocation = &command.invocation;
        // What runs on the node names the node's own paths, and a daemon the socket that it makes.
        if invocation.on_host.is_some() || daemon::runs_dockerd(invocation) {
            continue;
        }
        if invocation.runs_unseen {
            let mounts = mounts.iter().map(|mount| mount.path.to_owned());
            uses.open_mounts.extend(mounts);
        }
        let given = [
            &invocation.words,
            &invocation.assignments,
            &invocation.written,
        ];
        let given = given
            .into_iter()
            .flatten()
            .chain(invocation.exported.iter());
        let found = match invocation.program() {
            "find" => found_paths(&invocation.words),
            _ => Vec::new(),
        };
        for word in given.chain(&found) {
            let at = (command.field, word.as_str(), &*invocation.directories);
            add_word(pod, container, mounts, at, uses);
            add_directory(mounts, invocation, word, uses);
        }
    }
}

/// Notes the mounts whose directory of the socket `invocation` gives another place.
fn add_directory(mounts: &[Mount<'_>], invocation: &Invocation, word: &str, uses: &mut DockerUse) {
    if !matches!(invocation.program(), "ln" | "mount") {
        return;
    }
    let path = HostPath::new(word);
    for mount in mounts {
        if mount.is_directory_of_socket(path.as_str()) {
            uses.open_mounts.push(mount.path.to_owned());
        }
    }
}

/// Adds what `word`, which runs in one of `directories`, is or could be.
fn add_word(
    pod: &Pod<'_>,
    container: &Container<'_>,
    mounts: &[Mount<'_>],
    (field, word, directories): (TextField, &str, &[String]),
    uses: &mut DockerUse,
) {
    // A script is a word of the shell that reads it, too; its own words come by themselves.
    if word.len() > MAX_LENGTH || word.contains(char::is_whitespace) {
        return;
    }
    for part in parts(word) {
        for path in absolute(part, directories) {
            if !spend(WORD_STEPS + path.len()) {
                return;
            }
            let clean = HostPath::new(&path);
            if pattern::is_open(clean.as_str()) {
                let open = mounts.iter().filter(|mount| mount.may_hold(clean.as_str()));
                uses.open_mounts
                    .extend(open.map(|mount| mount.path.to_owned()));
            } else if let Some(host_path) = pod.host_path_at(container, &clean) {
                let is_socket =
                    host_path.file_name() == "docker.sock" || pod.overrides.is_socket(&host_path);
                if is_socket && !add(uses, container, field, clean) {
                    return;
                }
            }
        }
    }
}

/// The paths that a word can hold: itself, what stands behind `=`, `:` or a scheme.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    // A reference holds such characters itself.
    let is_separator = |c: char| matches!(c, '=' | ',' | ':');
    let pieces = word.split(is_separator).take(MAX_PARTS);
    let whole = Some(word).filter(|word| word.contains(is_separator));
    let pieces = pieces.enumerate().map(|(number, piece)| {
        // `unix://docker.sock` is relative.
        let bare = piece.strip_prefix("//").filter(|_| number > 0);
        bare.unwrap_or(piece)
    });
    pieces.chain(whole).filter(|piece| !piece.is_empty())
}

/// `path` as it is seen from each of `directories`.
fn absolute(path: &str, directories: &[String]) -> Vec<String> {
    let own = ["/proc/self/cwd", "/proc/thread-self/cwd", "/proc/$$/cwd"];
    let below = own.into_iter().find_map(|link| path.strip_prefix(link));
    match below {
        None if path.starts_with('/') => vec![path.to_owned()],
        _ => {
            let path = below.unwrap_or(path);
            let join = |directory: &String| format!("{directory}/{path}");
            directories.iter().map(join).collect()
        }
    }
}
