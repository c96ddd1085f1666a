//! What a rule is: one declaration from which messages, metrics and reports are made.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Action, Certainty, Findings, Impact};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;

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
    /// True if only Docker's absence does the harm, so that nothing breaks where cri-dockerd keeps Docker.
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
    /// Where the rule finds something, if it does.
    pub(crate) reads: Reads,
    /// Adds the findings of the rule. Cannot fail, does no I/O.
    pub(crate) check: fn(&Workload<'_>, &mut Findings),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// What a rule reads. It is not called where there is none of it: most objects have little that could hold a finding, and
/// code that runs once in each review costs more than its instructions (`docs/performance.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Host paths that the object mounts or offers.
    HostPaths,
    /// Texts in which one of the words of `workload::mentions` stands: of containers, of annotations, of what a Pod asks of its node.
    Words,
    /// All texts of an object that has no pod spec.
    ObjectTexts,
    /// Anything else, or more than one of these.
    Object,
}

/// Which host paths a rule is about.
pub struct HostPathRule {
    /// What stands there.
    pub thing: Thing,
    /// True for a path that the rule is about.
    pub(crate) matches: fn(&HostPath) -> bool,
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
