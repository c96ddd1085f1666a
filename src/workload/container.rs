//! A container as the object shows it: its texts, mounts and security context.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::budget::{keep, spend};
use super::host_path::{HostPath, PATH_MAX};
use super::object::{self, Spec, WindowsOptions};
use super::text::LenientStr;

/// One container of any of the three lists.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    pub(crate) raw: &'a object::Container<'a>,
    /// Position in `Pod::containers`.
    pub(crate) index: usize,
    /// Which of the lists, and where in it.
    pub(super) list: &'static str,
    pub(super) position: usize,
    mounts: OnceCell<HashMap<String, usize>>,
}

/// So many variables, volumes or mounts are looked through one by one; an index of them would cost
/// more.
pub(crate) const FEW: usize = 32;

impl<'a> Container<'a> {
    /// The view of `raw`, which stands in one of the lists at a position, and among all containers
    /// at an index.
    pub(super) fn new(
        raw: &'a object::Container<'a>,
        (list, position, index): (&'static str, usize, usize),
    ) -> Self {
        Self {
            raw,
            index,
            list,
            position,
            mounts: OnceCell::new(),
        }
    }

    /// The container's name.
    pub(crate) fn name(&self) -> &'a str {
        self.raw.name.as_str()
    }

    /// The position of the mount at the longest directory above `path`, or at `path`, and that
    /// directory. Where two mounts have the same place in two spellings (`/run` and `/var/run`), it
    /// depends on the image which of them is seen; then it is the one that `is_of_host`.
    pub(crate) fn mount_at<'p>(
        &self,
        path: &'p HostPath,
        is_of_host: impl Fn(usize) -> bool,
    ) -> Option<(usize, &'p str)> {
        let mounts = self.mounts.get_or_init(|| {
            let mut mounts = HashMap::new();
            for (position, mount) in self.raw.volume_mounts.iter().enumerate() {
                if mount.mount_path.is_empty() {
                    continue;
                }
                if !keep(MOUNT_BYTES + mount.mount_path.len()) {
                    break;
                }
                let path = HostPath::new(&mount.mount_path).as_str().to_owned();
                match mounts.entry(path) {
                    Entry::Occupied(known) if is_of_host(*known.get()) => {}
                    entry => {
                        entry.insert_entry(position);
                    }
                }
            }
            mounts
        });
        let mut at = path.as_str();
        if mounts.is_empty() || at.len() > PATH_MAX {
            return None;
        }
        loop {
            if !spend(HASH_STEPS + at.len() / HASHED_AT_ONCE) {
                return None;
            }
            if let Some(&position) = mounts.get(at) {
                return Some((position, at));
            }
            at = match at.rfind('/')? {
                0 if at.len() == 1 => return None,
                0 => "/",
                end => &at[..end],
            };
        }
    }

    /// True for a container that sees the processes of others in its Pod: all share theirs, or it
    /// was added to look at one.
    pub(crate) fn sees_processes(&self, spec: &Spec<'_>) -> bool {
        spec.share_process_namespace.0 || self.is_ephemeral()
    }

    /// True for a container that is added to a Pod that runs.
    pub(crate) fn is_ephemeral(&self) -> bool {
        self.list == "ephemeralContainers"
    }

    /// True for `securityContext.privileged`.
    pub(crate) fn is_privileged(&self) -> bool {
        self.raw
            .security_context
            .as_ref()
            .is_some_and(|context| context.privileged.0)
    }

    /// True for a container that is a process of a Windows node.
    pub(crate) fn is_host_process(&self, spec: &Spec<'_>) -> bool {
        let own = self.raw.security_context.as_ref();
        let own = own.and_then(|context| context.windows_options.as_ref());
        let shared = spec.security_context.as_ref();
        let shared = shared.and_then(|context| context.windows_options.as_ref());
        let is_said = |options: Option<&WindowsOptions>| options?.host_process;
        let host_process = is_said(own).or_else(|| is_said(shared));
        host_process.is_some_and(|host_process| host_process.0)
    }

    /// True if the object says that the container does not run as root; the container's word counts
    /// before the Pod's.
    pub(crate) fn runs_without_root(&self, spec: &Spec<'_>) -> bool {
        let own = self.raw.security_context.as_ref();
        let shared = spec.security_context.as_ref();
        let user = own
            .and_then(|context| context.run_as_user)
            .or(shared.and_then(|context| context.run_as_user));
        let non_root = own
            .and_then(|context| context.run_as_non_root)
            .or(shared.and_then(|context| context.run_as_non_root));
        match user.and_then(|user| user.0) {
            Some(user) => user != 0,
            None => non_root.is_some_and(|flag| flag.0),
        }
    }

    /// True for a capability in `capabilities.add`.
    pub(crate) fn adds_capability(&self, name: &str) -> bool {
        let mut added = self.capabilities().into_iter().flat_map(|c| c.add.iter());
        added.any(|added| is_capability(added, name))
    }

    /// True if `capabilities.drop` takes a capability and `add` does not give it back.
    pub(crate) fn drops_capability(&self, name: &str) -> bool {
        let mut dropped = self.capabilities().into_iter().flat_map(|c| c.drop.iter());
        dropped.any(|dropped| is_capability(dropped, name)) && !self.adds_capability(name)
    }

    fn capabilities(&self) -> Option<&'a object::Capabilities<'a>> {
        self.raw.security_context.as_ref()?.capabilities.as_ref()
    }

    /// The container's script, where its kind gives it one for a shell, with its field.
    pub(crate) fn script(&self) -> Option<(TextField, &'a LenientStr<'a>)> {
        let raw = self.raw;
        let script = [
            (TextField::Script, &raw.script),
            (TextField::Source, &raw.source),
        ];
        let (field, text) = script.into_iter().find(|(_, text)| !text.is_empty())?;
        let is_shell = |word: &str| word.trim_end().ends_with("sh");
        let interpreter = text
            .strip_prefix("#!")
            .and_then(|rest| rest.lines().next())
            .map(|line| line.split(" -").next().unwrap_or_default());
        let runs_in_shell = match interpreter {
            Some(interpreter) => is_shell(interpreter),
            None => raw.command.first().is_none_or(|word| is_shell(word)),
        };
        runs_in_shell.then_some((field, text))
    }

    /// The environment variable `name` as the object sets it; the last one where it is repeated, as
    /// in kubelet.
    pub(crate) fn env(&self, name: &str) -> Option<&'a object::EnvVar<'a>> {
        self.raw.env.iter().rev().find(|var| *var.name == *name)
    }

    /// `env DOCKER_HOST` or `argument`, as messages call the place of a text.
    pub(crate) fn describe(&self, field: TextField) -> String {
        match field {
            TextField::Env(i) => format!("env {}", self.raw.env[i].name),
            TextField::Command(_) => "command".to_owned(),
            TextField::Hook(place, _) => place.rsplit('.').next().unwrap_or_default().to_owned(),
            TextField::Args(_) => "argument".to_owned(),
            TextField::Script | TextField::Source => "script".to_owned(),
        }
    }

    /// All texts as the object has them.
    pub(crate) fn raw_texts(&self) -> impl Iterator<Item = (TextField, &'a LenientStr<'a>)> {
        let raw = self.raw;
        let command = raw
            .command
            .iter()
            .enumerate()
            .map(|(i, text)| (TextField::Command(i), text));
        let args = raw
            .args
            .iter()
            .enumerate()
            .map(|(i, text)| (TextField::Args(i), text));
        let env = raw
            .env
            .iter()
            .enumerate()
            .map(|(i, var)| (TextField::Env(i), &var.value));
        let hooks = self.raw.hooks().flat_map(|(place, words)| {
            words
                .iter()
                .enumerate()
                .map(move |(i, text)| (TextField::Hook(place, i), text))
        });
        command
            .chain(args)
            .chain(env)
            .chain(self.script())
            .chain(hooks)
    }
}

/// What a mount takes in an index, without its text.
pub(super) const MOUNT_BYTES: usize = 96;

/// What looking something up costs, and the bytes that one more step pays for.
const HASH_STEPS: usize = 4;
const HASHED_AT_ONCE: usize = 8;

/// One of the texts of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextField {
    /// `command[i]`
    Command(usize),
    /// `args[i]`
    Args(usize),
    /// `env[i].value`
    Env(usize),
    /// `exec.command[i]` of a lifecycle hook or a probe, which stands at the field.
    Hook(&'static str, usize),
    /// `script`
    Script,
    /// `source`
    Source,
}

impl TextField {
    /// True for a word of a lifecycle hook or a probe.
    pub(crate) fn is_hook(self) -> bool {
        matches!(self, Self::Hook(..))
    }

    /// The field path below the container.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Command(i) => format!("command[{i}]"),
            Self::Args(i) => format!("args[{i}]"),
            Self::Env(i) => format!("env[{i}].value"),
            Self::Hook(place, i) => format!("{place}.exec.command[{i}]"),
            Self::Script => "script".to_owned(),
            Self::Source => "source".to_owned(),
        }
    }
}

/// True if `written` means the capability `name`, alone or with all others. Runtimes take them in
/// any case, and CRI-O also as the kernel calls them.
fn is_capability(written: &str, name: &str) -> bool {
    let written = match written.split_at_checked(4) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("CAP_") => rest,
        _ => written,
    };
    written.eq_ignore_ascii_case(name) || written.eq_ignore_ascii_case("ALL")
}
