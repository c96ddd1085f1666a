//! Host paths as kubelet and the container runtime see them: cleaned, aliases folded, compared by
//! component.
//!
//! Lexical only. The paths belong to somebody else's filesystem, so nothing here may ask this
//! machine's.

use std::fmt;

use super::budget::spend;

/// Longest path that Linux opens.
pub(crate) const PATH_MAX: usize = 4096;

/// Where clients look for Docker's socket, with and without the link that `/var/run` mostly is.
pub(crate) const SOCKETS: [&str; 2] = ["/run/docker.sock", "/var/run/docker.sock"];

/// A cleaned host path.
///
/// Slashes are single and forward, `.` segments and the trailing slash are gone, `/var/run` reads
/// `/run` and what leads back to the root directory (`/proc/1/root`) is cut off. Windows paths and
/// pipes are lower case (NTFS and the pipe namespace ignore case); a pipe reads `/pipe/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPath(String);

impl HostPath {
    /// Cleans `raw`. Relative and odd paths are cleaned all the same: the API server judges them,
    /// rules only compare.
    pub fn new(raw: &str) -> Self {
        // It is cleaned all the same, in one pass; whoever cleans many asks before each.
        let _ = spend(raw.len());
        if is_windows(raw) {
            let text = raw.replace('\\', "/").to_lowercase();
            // Docker's URLs and Windows' own other prefix lead to the same pipes.
            let text = text.strip_prefix("npipe:").unwrap_or(&text);
            if let Some(name) = pipe_name(text) {
                return Self(join("/pipe", name));
            }
            let text = text.strip_prefix("//?/").unwrap_or(text);
            return match text.split_at_checked(2) {
                Some((drive, rest))
                    if drive.ends_with(':')
                        && drive.starts_with(|c: char| c.is_ascii_alphabetic()) =>
                {
                    Self(join(drive, rest))
                }
                _ => Self::posix(text),
            };
        }
        Self::posix(raw)
    }

    fn posix(raw: &str) -> Self {
        let mut path = join("/", raw);
        if path == "/var/run" {
            path = "/run".to_owned();
        } else if let Some(rest) = path.strip_prefix("/var/run/") {
            path = ["/run/", rest].concat();
        }
        Self(path)
    }

    /// This path with `sub_path` below it.
    pub fn join(&self, sub_path: &str) -> Self {
        if sub_path.is_empty() {
            self.clone()
        } else {
            Self::new(&format!("{}/{}", self.0, sub_path))
        }
    }

    /// For people: `/var/run` as manifests write it, because that is what they will search for.
    pub(crate) fn shown(&self) -> String {
        let path = self.as_str();
        match path.strip_prefix("/run/") {
            Some(rest) => ["/var/run/", rest].concat(),
            None if path == "/run" => "/var/run".to_owned(),
            None if path.starts_with("/pipe/") => format!(r"\\.{}", path.replace('/', r"\")),
            None => path.to_owned(),
        }
    }

    /// The cleaned text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for `directory` itself and everything below it.
    pub fn is_within(&self, directory: &str) -> bool {
        is_within(&self.0, directory)
    }

    /// True if `path` lies strictly below this path.
    pub fn is_above(&self, path: &str) -> bool {
        self.0 != path && is_within(path, &self.0)
    }

    /// The last component; empty for `/`.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// True if the clean path `path` is `directory` or lies below it.
pub(crate) fn is_within(path: &str, directory: &str) -> bool {
    if directory == "/" {
        return path.starts_with('/');
    }
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// True for a link in `/proc` that leads to the root directory when kubelet or the runtime follows
/// it: the root or working directory of a process or one of its threads. The few that have another
/// one do not matter here.
fn is_root_link(path: &str) -> bool {
    let Some(process) = path.strip_prefix("/proc/") else {
        return false;
    };
    let mut components = process.split('/');
    let (_, second) = (components.next(), components.next());
    let last = match second {
        Some("task") => components.nth(1),
        other => other,
    };
    matches!(last, Some("root" | "cwd")) && components.next().is_none()
}

/// True if `path` leads through the root or working directory of a process.
pub(crate) fn follows_root_link(path: &str) -> bool {
    if !path.contains("/proc/") && !path.contains("proc/") {
        return false;
    }
    let mut front = String::new();
    path.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
        .take(5)
        .any(|component| {
            front.push('/');
            front.push_str(component);
            is_root_link(&front)
        })
}

/// True for the directory in which a rootless Docker has its socket, `/run/user/UID`.
pub(crate) fn is_rootless_directory(path: &str) -> bool {
    let user = path.strip_prefix("/run/user/");
    user.is_some_and(|user| !user.is_empty() && user.bytes().all(|b| b.is_ascii_digit()))
}

/// The name of a pipe of this machine, after the prefix that leads to it: `//./pipe/`,
/// `//?/globalroot/device/namedpipe/`, `//localhost/pipe/` and the like. `text` is lower case with
/// forward slashes.
fn pipe_name(text: &str) -> Option<&str> {
    let behind = text.trim_start_matches('/');
    if text.len() < behind.len() + 2 {
        return None;
    }
    let (host, mut rest) = behind.split_once('/')?;
    let is_device = matches!(host, "." | "?");
    if !is_device
        && !super::address::is_loopback(&host.replace(".ipv6-literal.net", "").replace('-', ":"))
        && !super::address::is_loopback(host)
    {
        return None;
    }
    rest = rest.trim_start_matches('/');
    if is_device {
        rest = (rest.strip_prefix("globalroot/").unwrap_or(rest)).trim_start_matches('/');
        rest = (rest.strip_prefix("global/").unwrap_or(rest)).trim_start_matches('/');
        if let Some(name) = rest.strip_prefix("device/namedpipe/") {
            return Some(name);
        }
    }
    rest.strip_prefix("pipe/")
}

/// A drive (`C:\`, `c:/`), a backslash, or the forward-slash spelling of a pipe, which URLs begin
/// with two more slashes.
fn is_windows(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    let behind = raw.trim_start_matches('/');
    let is_network = raw.len() >= behind.len() + 2 && pipe_name(&raw.to_lowercase()).is_some();
    drive || raw.contains('\\') || is_network || raw.starts_with("npipe:")
}

/// The components of `path` after `root`, without empty ones and `.`, and with `..` taken back:
/// mount paths may hold it, host paths that the API server admitted may not.
fn join(root: &str, path: &str) -> String {
    let mut clean = String::with_capacity(root.len() + path.len());
    clean.push_str(root);
    for component in path.split('/').filter(|c| !c.is_empty() && *c != ".") {
        if component == ".." {
            let parent = clean.rfind('/').map_or(root.len(), |at| at.max(root.len()));
            clean.truncate(parent);
            continue;
        }
        if !clean.is_empty() && !clean.ends_with('/') {
            clean.push('/');
        }
        clean.push_str(component);
        if matches!(component, "root" | "cwd") && is_root_link(&clean) {
            clean.truncate(root.len());
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_path_are_equal() {
        for (raw, clean) in [
            ("/var/run/docker.sock", "/run/docker.sock"),
            ("//run//docker.sock", "/run/docker.sock"),
            ("/var/run/./docker.sock/", "/run/docker.sock"),
            ("/proc/1/root/var/run/docker.sock", "/run/docker.sock"),
            ("/proc/1/root", "/"),
            ("/proc/1/rootless", "/proc/1/rootless"),
            ("/a/../run/docker.sock", "/run/docker.sock"),
            ("/../..", "/"),
            ("/", "/"),
            ("/var/running", "/var/running"),
            (r"\\.\pipe\docker_engine", "/pipe/docker_engine"),
            ("//./pipe/Docker_Engine", "/pipe/docker_engine"),
            (r"C:\ProgramData\docker\", "c:/programdata/docker"),
            ("c:/ProgramData//Docker", "c:/programdata/docker"),
            ("////./pipe/Docker_Engine", "/pipe/docker_engine"),
            (r"\\?\pipe\docker_engine", "/pipe/docker_engine"),
            ("//?/pipe/docker_engine", "/pipe/docker_engine"),
            ("npipe:////./pipe/docker_engine", "/pipe/docker_engine"),
            (r"C:\..\..", "c:"),
            (r"\var\run\docker.sock", "/run/docker.sock"),
            ("/proc/self/root/run/docker.sock", "/run/docker.sock"),
            ("/proc/1/root/proc/1/root/./run", "/run"),
            ("/proc/1/cwd", "/"),
            ("/proc/4711/root/run", "/run"),
            ("/proc/thread-self/root/run/docker.sock", "/run/docker.sock"),
            ("/proc/self/task/12/cwd/var/run", "/run"),
            ("/proc/1/cwd/proc/self/root/proc/2/root", "/"),
            ("/proc/1/roots", "/proc/1/roots"),
            ("/proc/root", "/proc/root"),
            ("/proc/1/task/root", "/proc/1/task/root"),
            ("/proc/1/ns/root", "/proc/1/ns/root"),
            ("/srv/proc/1/root", "/srv/proc/1/root"),
            (r"\\localhost\pipe\docker_engine", "/pipe/docker_engine"),
            (r"\\127.0.0.1\pipe\docker_engine", "/pipe/docker_engine"),
            (
                r"\\--1.ipv6-literal.net\pipe\docker_engine",
                "/pipe/docker_engine",
            ),
            ("//LOCALHOST/pipe/docker_engine", "/pipe/docker_engine"),
            (
                r"\\?\GLOBALROOT\Device\NamedPipe\docker_engine",
                "/pipe/docker_engine",
            ),
            (
                r"\\.\GlobalRoot\Device\NamedPipe\docker_engine",
                "/pipe/docker_engine",
            ),
            (r"\\.\Global\pipe\docker_engine", "/pipe/docker_engine"),
            (r"\\server\pipe\docker_engine", "/server/pipe/docker_engine"),
        ] {
            assert_eq!(HostPath::new(raw).as_str(), clean, "{raw}");
        }
    }

    #[test]
    fn relations_are_by_component() {
        assert!(HostPath::new("/var/run").is_above("/run/docker.sock"));
        assert!(HostPath::new("/").is_above("/run/docker.sock"));
        assert!(!HostPath::new("/run/docker").is_above("/run/docker.sock"));
        assert!(!HostPath::new("/run/docker.sock").is_above("/run/docker.sock"));
        assert!(HostPath::new("/var/lib/docker/overlay2").is_within("/var/lib/docker"));
        assert!(!HostPath::new("/var/lib/docker2").is_within("/var/lib/docker"));
        assert_eq!(
            HostPath::new("/run").join("./docker.sock").as_str(),
            "/run/docker.sock"
        );
        assert_eq!(HostPath::new("/var").join("run").as_str(), "/run");
    }
}
