//! What a rule is: one declaration from which messages, metrics and reports are made.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Action, Certainty, Finding, Findings, Impact, default_action};
use crate::analysis::prefilter::Prefilter;
use crate::analysis::scripts::Script;
use crate::analysis::settings::Settings;
use crate::analysis::{Container, Pod, Workload};
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;
use crate::workload::string_fields::StringField;

/// One way to depend on Docker. Codes and names are permanent.
pub struct Rule {
    /// `DKRnnn`.
    pub code: &'static str,
    /// Kebab name; the file, the fixtures and the page carry it too.
    pub name: &'static str,
    /// The release that brought the rule.
    pub since: &'static str,
    /// The usual certainty; a finding may differ.
    pub certainty: Certainty,
    /// The usual impact; a finding may differ.
    pub impact: Impact,
    /// The action, where the contract fixes it; otherwise impact and certainty decide.
    pub action: Option<Action>,
    /// True if only Docker's absence does the harm, so that nothing breaks where cri-dockerd keeps
    /// Docker. Its findings are signs that the container uses Docker, which the notes DKR111 and
    /// DKR113 say nothing beside.
    pub needs_docker_absent: bool,
    /// What it flags, in one line without a full stop.
    pub summary: &'static str,
    /// Why that fails, in a few words, for the warning; `{nodes}` stands for the target's nodes.
    pub reason: &'static str,
    /// What will happen, in full; `{nodes}` as above.
    pub consequence: &'static str,
    /// What to do, in a few words, for the warning.
    pub short_fix: &'static str,
    /// The text of `docs/rules/<name>.md`.
    pub page: &'static str,
    /// What the rule is about, if it is about host paths alone.
    pub host_path: Option<HostPathRule>,
    /// Set if the rule is about one runtime that a cluster may move to.
    pub target: Option<Target>,
    /// What the rule looks at, and how. Cannot fail, does no I/O.
    pub(crate) check: Check,
}

impl Rule {
    /// What holds of a rule that does not say otherwise: `..Rule::BASE`. Every rule has texts of
    /// its own.
    pub(crate) const BASE: Self = Self {
        code: "",
        name: "",
        since: "",
        certainty: Certainty::Possible,
        impact: Impact::Advisory,
        action: None,
        needs_docker_absent: true,
        summary: "",
        reason: "",
        consequence: "",
        short_fix: "",
        page: "",
        host_path: None,
        target: None,
        check: Check::MatchingPath,
    };

    /// What its findings usually do, where findings are denied from certainty `deny_at`.
    pub fn default_action(&self, deny_at: Certainty) -> Action {
        default_action(self.action, self.impact, self.certainty, deny_at)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// What a rule looks at. The evaluator goes through what there is of it and calls the function for
/// each, so that objects without any cost nothing.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// Each host path that the object mounts or offers. One finding is kept for a volume and path,
    /// however many containers mount it.
    HostPath(fn(&Workload<'_>, &HostMount<'_>) -> Option<Finding>),
    /// Each host path that the rule's `host_path` matches; all such rules share the finding.
    MatchingPath,
    /// Each container: init, sidecar, ordinary, ephemeral.
    Container(fn(&Pod<'_>, &Container<'_>, &mut Findings)),
    /// Each container whose texts mention what the first function asks for.
    Mentioning(
        fn(Prefilter) -> bool,
        fn(&Pod<'_>, &Container<'_>, &mut Findings),
    ),
    /// Each container whose texts mention Docker; of an object without a pod spec, each
    /// script.
    Commands(
        fn(&Pod<'_>, &Container<'_>, &mut Findings),
        fn(&Workload<'_>, &Script<'_>, &mut Findings),
    ),
    /// The pod spec as a whole.
    Pod(fn(&Pod<'_>, &mut Findings)),
    /// Each text of an object of one of these kinds, none of which has a pod spec.
    Text(
        &'static [&'static str],
        fn(&Workload<'_>, &StringField) -> Option<Finding>,
    ),
    /// Each document with settings: the object itself, where it is no workload, and the documents
    /// in its strings.
    Settings(fn(&Settings<'_>, &mut Findings)),
    /// The texts, documents and scripts of an object that is judged by them: a ConfigMap, a custom
    /// resource, no Pod of a review.
    Texts(fn(&Workload<'_>, &mut Findings)),
    /// A Node.
    Node(fn(&Workload<'_>) -> Option<Finding>),
    /// The object, where none of these fits or more than one does.
    Object(fn(&Workload<'_>, &mut Findings)),
}

/// Which host paths a rule is about: what stands there, and which paths.
pub struct HostPathRule(pub Thing, pub(crate) fn(&HostPath) -> bool);

impl HostPathRule {
    /// True for a path that the rule is about.
    pub(crate) fn matches(&self, path: &HostPath) -> bool {
        self.1(path)
    }
}

/// What stands at a path today, which decides how its absence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A Unix socket or a named pipe.
    Socket,
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// The runtime that the cluster moves to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// containerd.
    #[default]
    Containerd,
    /// CRI-O.
    CriO,
    /// Docker Engine behind cri-dockerd: Docker stays, dockershim goes.
    CriDockerd,
}

impl Target {
    /// How messages call the nodes.
    pub(super) fn nodes(self) -> &'static str {
        match self {
            Self::Containerd => "containerd nodes",
            Self::CriO => "CRI-O nodes",
            Self::CriDockerd => "cri-dockerd nodes",
        }
    }
}

/// What rules may know besides the object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// The runtime that the cluster moves to.
    pub target: Target,
}
