//! A container as rules see it: its image, texts, variables, commands and the endpoint of its
//! Docker client.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::budget::{keep, spend};
use super::catalog::ImageRole;
use super::commands::{self, Command};
use super::endpoint::Endpoint;
use super::host_path::HostPath;
use super::image::ImageReference;
use super::object::{self, Spec};
use super::overrides::Overrides;
use super::pod::Pod;
use super::prefilter::Prefilter;
use super::text::LenientStr;
use super::variables::{self, Expanded, Identity, Variables};

/// One container of any of the three lists.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    pub(crate) raw: &'a object::Container<'a>,
    /// Position in `Pod::containers`.
    pub(crate) index: usize,
    /// Which of the lists, and where in it.
    pub(super) list: &'static str,
    pub(super) position: usize,
    commands: OnceCell<Vec<Command>>,
    prefilter: OnceCell<Prefilter>,
    telling: OnceCell<Vec<(TextField, Prefilter)>>,
    image: OnceCell<ImageReference<'a>>,
    image_role: OnceCell<Option<ImageRole>>,
    source: Source<'a>,
    variables: OnceCell<Variables<'a>>,
    written_variables: OnceCell<Variables<'a>>,
    program_variables: OnceCell<bool>,
    expanded: OnceCell<HashMap<TextField, String>>,
    endpoint: OnceCell<Endpoint>,
    mounts: OnceCell<HashMap<String, usize>>,
    pub(crate) sees_cri_socket: OnceCell<bool>,
    pub(crate) sees_other_data: OnceCell<bool>,
    pub(crate) docker_use: OnceCell<DockerUse>,
}

/// The signs of Docker in a container, as rules find them.
#[derive(Debug, Default)]
pub(crate) struct DockerUse {
    /// One that counts wherever the socket is.
    pub(crate) by_itself: Option<String>,
    /// Sockets that the container names, by what names them; each lies in a mount of the node's.
    pub(crate) paths: Vec<(String, HostPath)>,
}

/// What a container takes from its Pod.
#[derive(Clone, Debug)]
pub(super) struct Source<'a> {
    pub(super) overrides: &'a Overrides,
    pub(super) spec: &'a Spec<'a>,
    pub(super) identity: Identity<'a>,
    /// Bytes that variables and texts of the Pod may still grow by.
    pub(super) room: Rc<Cell<usize>>,
}

/// So many variables, volumes or mounts are looked through one by one; an index of them would cost
/// more.
pub(super) const FEW: usize = 32;

/// What it costs to fill in and to keep a text with references, and what it takes, without its
/// length.
const EXPANSION_STEPS: usize = 64;
const EXPANSION_BYTES: usize = 96;

/// What it costs a rule to go on to the next text.
const TEXT_STEPS: usize = 4;

impl<'a> Container<'a> {
    /// The view of `raw`, which stands in one of the lists at a position, and among all containers
    /// at an index.
    pub(super) fn new(
        raw: &'a object::Container<'a>,
        (list, position, index): (&'static str, usize, usize),
        source: Source<'a>,
    ) -> Self {
        Self {
            raw,
            index,
            list,
            position,
            source,
            commands: OnceCell::new(),
            prefilter: OnceCell::new(),
            telling: OnceCell::new(),
            image: OnceCell::new(),
            image_role: OnceCell::new(),
            variables: OnceCell::new(),
            written_variables: OnceCell::new(),
            program_variables: OnceCell::new(),
            expanded: OnceCell::new(),
            endpoint: OnceCell::new(),
            mounts: OnceCell::new(),
            sees_cri_socket: OnceCell::new(),
            sees_other_data: OnceCell::new(),
            docker_use: OnceCell::new(),
        }
    }

    /// The container's name.
    pub(crate) fn name(&self) -> &'a str {
        self.raw.name.as_str()
    }

    /// The image, taken apart.
    pub(crate) fn image(&self) -> &ImageReference<'a> {
        self.image
            .get_or_init(|| self.source.overrides.parse_image(self.raw.image.as_str()))
    }

    /// What the image has to do with Docker, if anything.
    pub(crate) fn image_role(&self) -> Option<ImageRole> {
        *self
            .image_role
            .get_or_init(|| self.source.overrides.image_role(self.image()))
    }

    /// True if a command, an argument, a variable or a hook names Docker at all; if not, no rule
    /// needs to read them.
    pub(crate) fn mentions_docker(&self) -> bool {
        self.prefilter().docker
    }

    /// What its commands, arguments, variables and hooks mention.
    pub(crate) fn prefilter(&self) -> Prefilter {
        *self.prefilter.get_or_init(|| {
            let mut found = Prefilter::default();
            self.raw_texts().for_each(|(_, text)| found.add(text));
            if found.reference {
                let values = self.variables().values();
                values.for_each(|value| found.add(&value.text));
                let expanded = self.expanded.get_or_init(|| self.expand_texts());
                expanded.values().for_each(|text| found.add(text));
            }
            found
        })
    }

    /// The position of the mount at the longest directory above `path`, or at `path`, and that
    /// directory.
    pub(super) fn mount_at<'p>(&self, path: &'p HostPath) -> Option<(usize, &'p str)> {
        let mounts = self.mounts.get_or_init(|| {
            let mounts = self
                .raw
                .volume_mounts
                .iter()
                .enumerate()
                .filter(|(_, mount)| !mount.mount_path.is_empty());
            mounts
                .take_while(|(_, mount)| keep(MOUNT_BYTES + mount.mount_path.len()))
                .map(|(position, mount)| {
                    let path = HostPath::new(&mount.mount_path);
                    (path.as_str().to_owned(), position)
                })
                .collect()
        });
        let mut at = path.as_str();
        if mounts.is_empty() || at.len() > MAX_PATH {
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

    /// True for `securityContext.privileged`.
    pub(crate) fn is_privileged(&self) -> bool {
        self.raw
            .security_context
            .as_ref()
            .is_some_and(|context| context.privileged.0)
    }

    /// True for a privileged container among the processes of the node: what it runs can enter the
    /// node's namespaces.
    pub(super) fn shares_node(&self) -> bool {
        self.source.spec.host_pid.0 && self.is_privileged()
    }

    /// True if the object says that the container does not run as root; the container's word counts
    /// before the Pod's.
    pub(crate) fn runs_without_root(&self, pod: &Pod<'_>) -> bool {
        let own = self.raw.security_context.as_ref();
        let shared = pod.spec.security_context.as_ref();
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
        let capabilities = self
            .raw
            .security_context
            .as_ref()
            .and_then(|context| context.capabilities.as_ref());
        capabilities.is_some_and(|capabilities| {
            capabilities
                .add
                .iter()
                .any(|added| **added == *name || **added == *"ALL")
        })
    }

    /// True if `capabilities.drop` takes a capability and `add` does not give it back.
    pub(crate) fn drops_capability(&self, name: &str) -> bool {
        let capabilities = self
            .raw
            .security_context
            .as_ref()
            .and_then(|context| context.capabilities.as_ref());
        let is_dropped = capabilities.is_some_and(|c| {
            c.drop
                .iter()
                .any(|dropped| **dropped == *name || **dropped == *"ALL")
        });
        is_dropped && !self.adds_capability(name)
    }

    /// The programs that the container runs, as far as the object shows them.
    ///
    /// Only texts that name Docker are read: everything else cannot hold a finding.
    pub(crate) fn commands(&self) -> &[Command] {
        if !self.mentions_docker() {
            return &[];
        }
        self.commands.get_or_init(|| commands::read(self))
    }

    /// Where a Docker client in this container finds its daemon.
    pub(crate) fn endpoint(&self, pod: &Pod<'_>) -> &Endpoint {
        self.endpoint
            .get_or_init(|| super::endpoint::of_container(pod, self))
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

    /// The variable `name` as the container sees it, if the object sets it.
    pub(crate) fn variable(&self, name: &str) -> Option<&Expanded<'a>> {
        // Of a few it is quicker to look than to fill them all in.
        if self.raw.env.len() <= FEW {
            self.env(name)?;
        }
        self.variables().get(name)
    }

    /// True if a variable calls Docker or leads onto the node.
    pub(super) fn has_program_variables(&self) -> bool {
        *self.program_variables.get_or_init(|| {
            let mut values = self.variables().values();
            values.any(|value| commands::names_program(&value.text))
        })
    }

    fn variables(&self) -> &Variables<'a> {
        self.variables.get_or_init(|| {
            let Source {
                spec,
                identity,
                room,
                ..
            } = &self.source;
            Variables::of(self.raw, spec, *identity, room)
        })
    }

    /// All texts in which a path or an address can stand, with their field below the container:
    /// command, args, env values. References to variables are filled in as kubelet does.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (TextField, &str)> {
        self.all_texts().filter(|(field, _)| !field.is_hook())
    }

    /// The same, and the words of lifecycle hooks and probes.
    pub(crate) fn all_texts(&self) -> impl Iterator<Item = (TextField, &str)> {
        self.raw_texts()
            .take_while(|_| spend(TEXT_STEPS))
            .map(|(field, text)| (field, self.expanded_text(field, text)))
    }

    /// Those of [`Self::all_texts`] that mention what `is_meant` asks for: what Docker is called,
    /// its ports or its bridge. Each text is looked at once for all rules.
    pub(crate) fn texts_with(
        &self,
        is_meant: impl Fn(Prefilter) -> bool,
    ) -> impl Iterator<Item = (TextField, &str)> {
        let telling = self.telling.get_or_init(|| {
            let texts = self.all_texts().map(|(field, text)| {
                let mut found = Prefilter::default();
                found.add(text);
                (field, found)
            });
            texts
                .filter(|(_, found)| found.docker | found.docker_port | found.bridge)
                .take_while(|telling| keep(size_of_val(telling)))
                .collect()
        });
        telling
            .iter()
            .filter(move |(_, found)| is_meant(*found))
            .filter_map(|(field, _)| Some((*field, self.text_at(*field)?)))
    }

    /// The text at `field`, with its references to variables filled in.
    pub(crate) fn text_at(&self, field: TextField) -> Option<&str> {
        let raw = self.raw;
        let text = match field {
            TextField::Command(i) => raw.command.get(i),
            TextField::Args(i) => raw.args.get(i),
            TextField::Env(i) => raw.env.get(i).map(|variable| &variable.value),
            TextField::Hook(place, i) => {
                let mut hooks = raw.hooks();
                hooks.find(|(of, _)| *of == place)?.1.get(i)
            }
            TextField::Script => Some(&raw.script),
            TextField::Source => Some(&raw.source),
        };
        text.map(|text| self.expanded_text(field, text))
    }

    /// `text`, which stands at `field`, with its references to variables filled in.
    pub(crate) fn expanded_text<'t>(&'t self, field: TextField, text: &'t str) -> &'t str {
        if !self.prefilter().reference {
            return text;
        }
        if let TextField::Env(index) = field {
            return (self.variables().at(index)).map_or(text, |value| &value.text);
        }
        let expanded = self.expanded.get_or_init(|| self.expand_texts());
        expanded.get(&field).map_or(text, String::as_str)
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

    /// The words that references to variables change.
    fn expand_texts(&self) -> HashMap<TextField, String> {
        let mut found = HashMap::new();
        let is_word = |field: &TextField| !matches!(field, TextField::Env(_));
        let texts = (self.raw_texts()).filter(|(field, text)| is_word(field) && text.contains('$'));
        let texts = texts.take_while(|_| spend(EXPANSION_STEPS) && keep(EXPANSION_BYTES));
        for (field, text) in texts {
            let expanded = match field {
                TextField::Command(_) | TextField::Args(_) => self.expand(text),
                // Probes get the values as they are written, lifecycle hooks none
                // (ExpandContainerCommandOnlyStatic).
                TextField::Hook(place, _) if !place.starts_with("lifecycle") => {
                    self.expand_static(text)
                }
                _ => None,
            };
            if let Some(expanded) = expanded.filter(|expanded| *expanded.text != **text) {
                found.insert(field, expanded.text.into_owned());
            }
        }
        found
    }

    /// `text` with `$(NAME)` replaced as kubelet does in commands, arguments and `subPathExpr`;
    /// `None` if that is too long.
    pub(super) fn expand<'t>(&self, text: &'t str) -> Option<Expanded<'t>> {
        variables::expand(text, |name| self.variables().get(name), &self.source.room)
    }

    /// The same with the values as they are written.
    fn expand_static<'t>(&self, text: &'t str) -> Option<Expanded<'t>> {
        let values = self
            .written_variables
            .get_or_init(|| Variables::as_written(self.raw));
        variables::expand(text, |name| values.get(name), &self.source.room)
    }
}

/// What a mount takes in an index, without its text.
pub(super) const MOUNT_BYTES: usize = 96;

/// What looking something up costs, and the bytes that one more step pays for.
const HASH_STEPS: usize = 4;
const HASHED_AT_ONCE: usize = 8;

/// Longest path that Linux opens.
const MAX_PATH: usize = 4096;

/// Longest text that a shell's variables are filled into; a few of them can ask for more than there
/// is memory.
pub(crate) const MAX_FILLED: usize = 16 * 1024;

/// One of the texts of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextField {
    /// `command[i]`
    Command(usize),
    /// `args[i]`
    Args(usize),
    /// `env[i].value`
    Env(usize),
    /// `exec.command[i]` of a lifecycle hook or a probe.
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
            Self::Hook(place, i) => format!("{place}[{i}]"),
            Self::Script => "script".to_owned(),
            Self::Source => "source".to_owned(),
        }
    }
}
