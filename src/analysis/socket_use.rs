//! Which words of a container are Docker's socket, or could be it, below a directory above the
//! socket that the container mounts.

use std::borrow::Cow;

use super::Workload;
use super::container::{Container, DockerUse};
use super::docker_usage::docker_sign;
use super::pod::Pod;
use super::{daemon, sockets};
use crate::workload::budget::{keep, spend};
use crate::workload::host_path::{self, HostPath};
use crate::workload::pod::{HostMount, MountUser, TextField};
use crate::workload::shell::{found_paths, pattern};

/// Paths of one word.
const MAX_PARTS: usize = 16;

/// Sockets of one container that are kept.
const MAX_PATHS: usize = 256;

/// Longest sign of Docker that is told, in bytes: an image's reference can have 255.
const MAX_SIGN: usize = 320;

/// What it costs to look at a word.
const WORD_STEPS: usize = 16;

/// What uses Docker through `mount`, if that is a directory above Docker's socket.
pub(crate) fn socket_parent_user(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<String> {
    let MountUser::Container(index) = mount.user else {
        return None;
    };
    let pod = workload.pod.as_ref().filter(|_| mount.may_hold_socket())?;
    let container = pod.containers.get(index)?;
    let uses = docker_use(pod, container);
    let through = uses
        .paths
        .iter()
        .find(|(_, path)| path.is_within(&mount.mount_path))
        .map(|(shown, _)| shown);
    let of_others = || {
        let others = pod.containers.iter().take_while(|_| spend(1));
        let others = others.filter(|other| other.sees_processes(pod.spec));
        let sockets = others.flat_map(|other| &docker_use(pod, other).of_others);
        let mut sockets = sockets.take_while(|_| spend(1));
        let is_meant = |(_, of, path): &&(String, usize, HostPath)| {
            *of == index && path.is_within(&mount.mount_path)
        };
        sockets.find(is_meant).map(|(shown, ..)| shown)
    };
    let found = through.or(uses.by_itself.as_ref()).or_else(of_others);
    found.cloned()
}

/// True if a command of `container` takes a file of the node that nothing shows, and that could be
/// the socket, through a process of the node.
pub(crate) fn leaves_node_open(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    docker_use(pod, container).leaves_node_open
}

/// True if a command of the container takes a file below `mount`, a directory above the socket,
/// that nothing shows and that could be the socket.
pub(crate) fn leaves_file_open(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    let (Some(pod), MountUser::Container(index)) = (&workload.pod, mount.user) else {
        return false;
    };
    let container = pod.containers.get(index);
    container.is_some_and(|container| {
        let uses = docker_use(pod, container);
        uses.open_mounts.contains(&mount.mount_path)
    })
}

/// The signs of Docker in `container`.
fn docker_use<'c>(pod: &Pod<'_>, container: &'c Container<'_>) -> &'c DockerUse {
    container.docker_use.get_or_init(|| {
        let mut uses = DockerUse::default();
        // A daemon in the Pod is what its clients use, but not what a path on the node leads to.
        let is_daemon = pod.serves(container);
        if !is_daemon {
            uses.by_itself = docker_sign(pod, container).map(shortened);
        }
        // A known agent that names another runtime's socket as well takes what it finds.
        if sockets::is_agent_of_several(container) {
            return uses;
        }
        if is_daemon {
            add_scripts_beside(pod, container, &mut uses);
        } else {
            add_texts(pod, container, &mut uses);
        }
        let mut mounts: Vec<Mount<'_>> = pod
            .mounts_of(container)
            .filter(|mount| mount.may_hold_socket())
            .map(|mount| Mount::new(pod, mount))
            .collect();
        if container.has_way_to_socket() {
            add_words(pod, container, &mut mounts, &mut uses);
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
            if is_looked_for(text, token) {
                continue;
            }
            let path = HostPath::new(&container.fill(token));
            if pod.host_path_at(container, &path).is_some() && !add(uses, container, field, path) {
                return;
            }
        }
    }
}

/// True for a program that finds out whether a file is there, or takes it away, and asks nobody
/// behind it. One of that name in a directory of its own can be anything.
fn is_look(program: &str) -> bool {
    matches!(
        program,
        "[" | "[[" | "test" | "ls" | "stat" | "lsof" | "rm" | "unlink"
    )
}

/// True if the command in `text` of which `token`, a part of `text`, is a word only looks whether
/// the file is there. What it writes must not go to another command.
fn is_looked_for(text: &str, token: &str) -> bool {
    const ENDS: [char; 8] = [';', '&', '|', '\n', '(', ')', '`', '{'];
    let at = token.as_ptr() as usize - text.as_ptr() as usize;
    let start = text[..at].rfind(ENDS).map_or(0, |end| end + 1);
    let before = &text[start.saturating_sub(1)..start];
    let rest = &text[at + token.len()..];
    let length = rest.find(ENDS).unwrap_or(rest.len());
    if !spend((at - start + length) / 8) {
        return false;
    }
    let behind = &rest[length..];
    let is_piped = behind.starts_with('|') && !behind.starts_with("||");
    if matches!(before, "(" | "`") || is_piped {
        return false;
    }
    let is_keyword =
        |word: &&str| matches!(*word, "!" | "if" | "elif" | "then" | "do" | "else" | "sudo");
    let mut words = text[start..at].split_whitespace();
    let program = words.find(|word| !is_keyword(word));
    let is_argument = |word: &str| word.starts_with(['-', '/', '"', '\'', '$', '!']);
    program.is_some_and(is_look) && words.all(is_argument)
}

/// Adds the sockets that scripts in other languages name, as arguments of what runs beside the
/// daemon of `container`: the texts of the container name the daemon's own as well.
fn add_scripts_beside(pod: &Pod<'_>, container: &Container<'_>, uses: &mut DockerUse) {
    for command in container.commands() {
        let invocation = &command.invocation;
        if invocation.on_host.is_some() || daemon::runs_dockerd(invocation) {
            continue;
        }
        let scripts = invocation.arguments().iter();
        let scripts = scripts.filter(|word| word.contains(['(', '"', '\'']));
        for token in scripts.flat_map(|script| sockets::socket_paths(script)) {
            let path = HostPath::new(token);
            if pod.host_path_at(container, &path).is_some()
                && !add(uses, container, command.field, path)
            {
                return;
            }
        }
    }
}

/// Adds a socket that the text at `field` names; false where there is no room left.
fn add(uses: &mut DockerUse, container: &Container<'_>, field: TextField, path: HostPath) -> bool {
    let shown = shortened(container.describe(field));
    let is_kept = uses.paths.len() < MAX_PATHS
        && keep(size_of_val(&path) + shown.len() + path.as_str().len());
    if is_kept {
        uses.paths.push((shown, path));
    }
    is_kept
}

/// What is told of `sign`, which the writer may have made long: each mount repeats it.
fn shortened(mut sign: String) -> String {
    // It was made from the object already.
    let _ = spend(sign.len() / 16);
    sign.truncate(sign.floor_char_boundary(MAX_SIGN));
    sign
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
        let rootless = host_path::is_rootless_directory(mount.path.as_str());
        let rootless = rootless.then(|| format!("{}/docker.sock", mount.path));
        let known = host_path::SOCKETS
            .into_iter()
            .chain(named)
            .chain(rootless.as_deref());
        let sockets = known.filter_map(|socket| {
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
/// put them together. `mounts` are those of which nothing is open yet.
fn add_words(
    pod: &Pod<'_>,
    container: &Container<'_>,
    mounts: &mut Vec<Mount<'_>>,
    uses: &mut DockerUse,
) {
    let directory = [container.working_directory()];
    for (at, variable) in container.raw.env.iter().enumerate() {
        let field = TextField::Env(at);
        let text = container.expanded_text(field, &variable.value);
        if !add_word(pod, container, mounts, (field, text, &directory), uses) {
            return;
        }
    }
    for (field, word) in container.changing_words() {
        if !add_word(pod, container, mounts, (field, &word, &directory), uses) {
            return;
        }
    }
    for command in container.commands() {
        let invocation = &command.invocation;
        // What runs on the node names the node's own paths, and a daemon the socket that it makes.
        let is_daemon = daemon::runs_dockerd(invocation);
        if invocation.on_host.is_some() || is_daemon || is_look(&invocation.words[0]) {
            continue;
        }
        if invocation.runs_unseen {
            open_where(mounts, uses, |_| true);
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
            if !add_word(pod, container, mounts, at, uses) {
                return;
            }
            // Another place for the directory of the socket.
            if matches!(invocation.program(), "ln" | "mount") {
                let path = HostPath::new(word);
                open_where(mounts, uses, |mount| {
                    mount.is_directory_of_socket(path.as_str())
                });
            }
        }
    }
}

/// Moves those of `mounts` to the open ones that a command leaves open.
fn open_where(
    mounts: &mut Vec<Mount<'_>>,
    uses: &mut DockerUse,
    is_open: impl Fn(&Mount<'_>) -> bool,
) {
    mounts.retain(|mount| {
        let stays = !spend(WORD_STEPS + mount.path.len()) || !is_open(mount);
        if !stays {
            uses.open_mounts.insert(mount.path.to_owned());
        }
        stays
    });
}

/// Adds what `word`, which runs in one of `directories`, is or could be; false where there is no
/// room left.
fn add_word(
    pod: &Pod<'_>,
    container: &Container<'_>,
    mounts: &mut Vec<Mount<'_>>,
    (field, word, directories): (TextField, &str, &[String]),
    uses: &mut DockerUse,
) -> bool {
    if word.len() > host_path::PATH_MAX {
        return true;
    }
    // A script is a word of the shell that reads it, too; its own words come by themselves.
    let is_text = word.contains(char::is_whitespace);
    let whole = is_text.then_some(word).filter(|word| word.starts_with('/'));
    let pieces = Some(word).filter(|_| !is_text);
    for part in pieces.into_iter().flat_map(parts).chain(whole) {
        for path in absolute(&decoded(part), directories) {
            if !spend(WORD_STEPS + path.len()) {
                return false;
            }
            if let Some(rest) = behind_descriptor(&path) {
                // Any of the directories can have been opened.
                let below = |mount: &Mount<'_>| format!("{}${{fd}}/{rest}", mount.path);
                open_where(mounts, uses, |mount| mount.may_hold(&below(mount)));
            }
            let clean = HostPath::new(&path);
            if host_path::follows_root_link(&path) {
                add_through_process(pod, container, (field, &clean), uses);
            }
            if pod
                .host_path_at(container, &clean)
                .is_some_and(|path| pod.overrides.is_any_socket(&path))
            {
                if !add(uses, container, field, clean) {
                    return false;
                }
            } else if pattern::is_open(clean.as_str()) {
                open_where(mounts, uses, |mount| mount.may_hold(clean.as_str()));
            }
        }
    }
    spend(0)
}

/// Adds what `path`, below the root directory of a process, is or could be.
fn add_through_process(
    pod: &Pod<'_>,
    container: &Container<'_>,
    (field, path): (TextField, &HostPath),
    uses: &mut DockerUse,
) {
    if pod.spec.host_pid.0 {
        let can_be = |socket: &&str| pattern::matches(path.as_str(), socket);
        uses.leaves_node_open |=
            pattern::is_open(path.as_str()) && host_path::SOCKETS.iter().any(can_be);
    } else if container.sees_processes(pod.spec) {
        for other in pod.containers.iter().take_while(|_| spend(WORD_STEPS)) {
            let found = pod.host_path_at(other, path);
            let is_found = found.is_some_and(|found| pod.overrides.is_any_socket(&found));
            if is_found && uses.of_others.len() < MAX_PATHS {
                let shown = shortened(container.describe(field));
                uses.of_others.push((shown, other.index, path.clone()));
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

/// The path that stands for the host of a URL, as in `http+unix://%2Frun%2Fdocker.sock/info`.
fn decoded(part: &str) -> Cow<'_, str> {
    let is_encoded = part
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("%2f"));
    if !is_encoded {
        return part.into();
    }
    let host = part.split('/').next().unwrap_or_default();
    host.replace("%2F", "/").replace("%2f", "/").into()
}

/// What stands behind an open file of a process: `/proc/self/fd/3/`, `/dev/fd/3/`.
fn behind_descriptor(path: &str) -> Option<&str> {
    let behind = match path.strip_prefix("/proc/") {
        Some(process) => process.split_once('/')?.1.strip_prefix("fd/")?,
        None => path.strip_prefix("/dev/fd/")?,
    };
    Some(behind.split_once('/')?.1)
}

/// `path` as it is seen from each of `directories` in which a process can be.
fn absolute<'p>(path: &'p str, directories: &'p [String]) -> impl Iterator<Item = String> {
    let own = ["/proc/self/cwd", "/proc/thread-self/cwd", "/proc/$$/cwd"];
    let below = own.into_iter().find_map(|link| path.strip_prefix(link));
    let is_absolute = below.is_none() && path.starts_with('/');
    let path = below.unwrap_or(path);
    let directories = match is_absolute {
        true => &[],
        false => directories,
    };
    let short = directories
        .iter()
        .filter(|directory| directory.len() <= host_path::PATH_MAX)
        .take_while(move |directory| spend(directory.len() + path.len()));
    let relative = short.map(move |directory| format!("{directory}/{path}"));
    is_absolute
        .then(|| path.to_owned())
        .into_iter()
        .chain(relative)
}
