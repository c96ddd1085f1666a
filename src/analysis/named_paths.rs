//! Host paths that the texts of containers name: each path in a command, an argument or a variable,
//! resolved through the volume that is mounted there.
//!
//! A volume on `/` or `/var` says nothing about Docker; `/host/var/lib/docker` in a command does.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::container::Container;
use super::pod::Pod;
use super::resolve;
use crate::workload::budget::{keep, spend};
use crate::workload::host_path::{HostPath, PATH_MAX};
use crate::workload::pod::{HostMount, MountUser, Named, TextField};
use crate::workload::search::{mentions, occurrences};
use crate::workload::shell::Invocation;

/// So many paths of one container are resolved; scripts name a handful, and the budget ends long
/// lists before.
const MAX_PATHS: usize = 4096;

/// The named host paths of all containers of `pod`, each as the mount that leads to it.
pub(super) fn named_paths<'a>(pod: &Pod<'a>) -> Vec<HostMount<'a>> {
    let mut found = Vec::new();
    for container in &pod.containers {
        let may_name = container.mentions_docker() || pod.has_moved_data_root();
        if may_name && pod.mounts_of(container).next().is_some() {
            add_paths(pod, container, &mut found);
        }
        add_paths_on_node(pod, container, &mut found);
    }
    found
}

/// Adds the paths in the words of commands that run on the node.
fn add_paths_on_node<'a>(pod: &Pod<'a>, container: &Container<'a>, found: &mut Vec<HostMount<'a>>) {
    let is_on_node =
        |invocation: &Invocation| resolve::way_to_node(pod, container, invocation).is_some();
    let mut seen = HashSet::new();
    let commands = container.commands().iter();
    for command in commands.filter(|command| is_on_node(&command.invocation)) {
        let words = command.invocation.arguments().iter();
        for word in words.chain(&command.invocation.written) {
            if !(spend(1 + word.len()) && mentions(word, "docker") && word.starts_with('/')) {
                continue;
            }
            let path = HostPath::new(word);
            let is_kept = keep(size_of::<HostMount<'_>>() + path.as_str().len() + word.len());
            if is_kept && seen.len() < MAX_PATHS && seen.insert(path.clone()) {
                let named = Named {
                    field: command.field.path(),
                    text: word.clone(),
                };
                // The text is for the node: no volume leads there.
                let user = MountUser::Container(container.index);
                found.push(HostMount {
                    named: Some(named),
                    ..HostMount::new("", path, user)
                });
            }
        }
    }
}

/// Longest name of a flag that counts.
const MAX_FLAG: usize = 48;

/// The word of `text` in front of `token`, a part of it, or to which it is joined by `=`.
fn word_before<'t>(text: &'t str, token: &str) -> &'t str {
    let at = token.as_ptr() as usize - text.as_ptr() as usize;
    let front = &text[text.floor_char_boundary(at.saturating_sub(MAX_FLAG))..at];
    let front = front.trim_end_matches([' ', '\t', '=', '"', '\'']);
    front.rsplit(char::is_whitespace).next().unwrap_or_default()
}

/// True for a flag that names what a program passes over.
fn leaves_out(text: &str) -> bool {
    let words = ["exclude", "ignore", "skip"];
    text.starts_with('-') && words.iter().any(|word| mentions(text, word))
}

fn add_paths<'a>(pod: &Pod<'a>, container: &Container<'a>, found: &mut Vec<HostMount<'a>>) {
    let mut seen = HashSet::new();
    let mut before = "";
    for (field, text) in container.all_texts() {
        // What a flag leaves out is not used, nor what its value does.
        let is_left_out = leaves_out(text) || leaves_out(before) && !before.contains('=');
        before = text;
        if is_left_out
            || !(spend(text.len()) && (mentions(text, "docker") || pod.has_moved_data_root()))
        {
            continue;
        }
        let assigned = assigned_paths(text);
        let mut tokens = HashSet::new();
        let used = paths(text).filter(|token| !leaves_out(word_before(text, token)));
        for token in used.filter(|token| tokens.insert(*token)) {
            let filled = container.fill(token);
            let filled = fill_in(&assigned, &filled);
            if !filled.starts_with('/') {
                continue;
            }
            if seen.len() >= MAX_PATHS || !(spend(filled.len()) && keep(filled.len())) {
                return;
            }
            let inside = HostPath::new(&filled);
            if !seen.insert(inside.clone()) {
                continue;
            }
            if let Some(mount) = pod.mount_above(container, &inside) {
                found.extend(resolved(pod, mount, &inside, (field, token)));
            }
        }
    }
}

/// `inside` as a mount of its own; `None` where `above` leads to nothing but Docker's files anyway.
fn resolved<'a>(
    pod: &Pod<'a>,
    above: &HostMount<'a>,
    inside: &HostPath,
    (field, token): (TextField, &str),
) -> Option<HostMount<'a>> {
    let below = inside.as_str().strip_prefix(&above.mount_path)?;
    let is_docker_alone = mentions(above.judged_path().as_str(), "docker");
    let path = above.path.join(below);
    // Sockets below a directory are a rule of their own, with what uses them.
    if below.is_empty() || is_docker_alone || path.file_name() == "docker.sock" {
        return None;
    }
    if !keep(size_of::<HostMount<'_>>() + path.as_str().len() + token.len()) {
        return None;
    }
    let MountUser::Container(_) = above.user else {
        return None;
    };
    let usual_path = pod.usual_path(&path);
    let named = Named {
        field: field.path(),
        text: token.to_owned(),
    };
    Some(HostMount {
        usual_path,
        position: above.position,
        mount_path: inside.as_str().to_owned(),
        named: Some(named),
        ..HostMount::new(above.volume, path, above.user)
    })
}

/// The variables that `script` sets to a path: `ROOT=/host`. The first value counts.
fn assigned_paths(script: &str) -> HashMap<&str, &str> {
    let mut found = HashMap::new();
    if !script.contains('$') {
        return found;
    }
    for at in occurrences(script, "=") {
        let front = &script[..at];
        let name = &front[front.trim_end_matches(is_name).len()..];
        let value = script[at + 1..].trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| !is_path(c)).unwrap_or(value.len());
        if !name.is_empty() && value.starts_with('/') && end <= PATH_MAX {
            found.entry(name).or_insert(&value[..end]);
        }
    }
    found
}

/// `path` with the value of the variable that it begins with, if that is one of `assigned`.
fn fill_in<'p>(assigned: &HashMap<&str, &str>, path: &'p str) -> Cow<'p, str> {
    let parts = || {
        let behind = path.strip_prefix('$')?;
        let (name, rest) = match behind.strip_prefix('{') {
            Some(inner) => inner.split_once('}')?,
            None => behind.split_at(behind.find(|c| !is_name(c)).unwrap_or(behind.len())),
        };
        Some(format!("{}{rest}", assigned.get(name)?))
    };
    parts().map_or(Cow::Borrowed(path), Cow::Owned)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// True for what paths in scripts are written with.
fn is_path(c: char) -> bool {
    c.is_alphanumeric() || "/._-${}*?@+~%".contains(c)
}

/// The paths in `text` that are absolute, or become so when variables are filled in; comments
/// aside.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(|line| line.split(|c| !is_path(c)))
        .filter(|token| token.starts_with(['/', '$']) && token.len() > 1 && token.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::{assigned_paths, fill_in, paths, word_before};

    #[test]
    fn the_word_before_a_path_ends_at_any_blank() {
        let text = "a\u{2002}--skip /var/lib/docker";
        assert_eq!(word_before(text, &text[11..]), "--skip");
    }

    #[test]
    fn paths_in_texts() {
        for (text, expected) in [
            ("rm -rf /node/docker/tmp/*", vec!["/node/docker/tmp/*"]),
            ("--path=/host/x,/host/y", vec!["/host/x", "/host/y"]),
            ("# /host/x\n  # /host/y\ncat '/host/z'", vec!["/host/z"]),
            ("unix:///run/x.sock", vec!["///run/x.sock"]),
            ("a / b", vec![]),
            ("ls \"${ROOT}/var/x\"", vec!["${ROOT}/var/x"]),
        ] {
            assert_eq!(paths(text).collect::<Vec<_>>(), expected, "{text}");
        }
        let script = "XROOT=/no\nROOT=\"/host\"\nls $ROOT/var/x";
        let assigned = assigned_paths(script);
        for (path, filled) in [
            ("$ROOT/var/x", "/host/var/x"),
            ("${ROOT}/var/x", "/host/var/x"),
            ("$OTHER/var/x", "$OTHER/var/x"),
        ] {
            assert_eq!(fill_in(&assigned, path), filled);
        }
    }
}
