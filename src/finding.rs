//! A finding: one rule, at one field of one object, with the words that tell people about it.

mod builder;
mod missing_path;
mod page;
mod rule;
pub(crate) mod text;

use std::borrow::Cow;
use std::fmt;

pub(crate) use missing_path::missing_path;
pub(crate) use rule::Check;
pub use rule::{Context, HostPathRule, Rule, Target, Thing};
use serde::Serialize;
use sha2::{Digest, Sha256};
use text::{escape_controls, is_plain};

use crate::workload::budget::{keep, spend};

/// How sure it is that the *node's* Docker is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// A hint, worth a note.
    Possible,
    /// The usual reading; an exception is known and named.
    Likely,
    /// No other reading.
    Certain,
}

/// What happens when Docker leaves the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Check by hand.
    Advisory,
    /// No migration effect, but control of the node.
    Security,
    /// Starts, but loses data, metrics or a feature.
    Degrades,
    /// Stops working or never starts.
    Breaks,
}

/// What a finding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing.
    Off,
    /// Goes into the records only.
    Record,
    /// Shows a warning.
    Warn,
    /// Refuses the write.
    Deny,
}

macro_rules! display_lowercase {
    ($($kind:ident { $($variant:ident => $text:literal),+ })+) => {$(
        impl $kind {
            /// The word used in every output.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

display_lowercase! {
    Certainty { Possible => "possible", Likely => "likely", Certain => "certain" }
    Impact { Advisory => "advisory", Security => "security", Degrades => "degrades",
        Breaks => "breaks" }
    Action { Off => "off", Record => "record", Warn => "warn", Deny => "deny" }
}

/// One rule at one field of one object.
///
/// The texts are parts of one sentence: `NOUN "NAME" WHAT: REASON; FIX`. They hold text of the
/// object, so every output escapes them for its own medium.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// May differ from the rule's usual certainty.
    pub certainty: Certainty,
    /// May differ from the rule's usual impact.
    pub impact: Impact,
    /// Set where the contract fixes the action; otherwise certainty and impact decide.
    pub action: Option<Action>,
    /// The container, where the finding lies in one.
    pub container: Option<String>,
    /// Field path from the object's root, such as `spec.volumes[0].hostPath.path`.
    pub field: String,
    /// Where in the text of that field the evidence stands, in bytes; `None` for the whole field.
    pub offset: Option<usize>,
    /// The matched token: a path, an image, `NAME=scheme://…`. Never a whole command line.
    pub evidence: String,
    /// What the evidence is reduced to in the fingerprint: no tag, no alias, no spelling.
    pub identity: String,
    /// `volume`, `container`, `PV` and the like.
    pub noun: &'static str,
    /// Its name.
    pub name: String,
    /// What it does: `mounts /var/run/docker.sock`.
    pub what: String,
    /// Why that fails, in a few words, for the one-line warning.
    pub reason: Cow<'static, str>,
    /// What to do, in a few words, for the one-line warning.
    pub short_fix: &'static str,
    /// What will happen, in full; may repeat the reason's topic but not its words.
    pub consequence: Cow<'static, str>,
    /// How many containers it stands for: one finding tells of a host path that several mount, and
    /// 0 are meant by a volume that nobody mounts.
    pub uses: usize,
}

impl Finding {
    /// What does what and why that fails: `volume "sock" mounts /var/run/docker.sock: absent on
    /// containerd nodes`.
    pub fn headline(&self) -> String {
        format!(
            "{} \"{}\" {}: {}",
            self.noun, self.name, self.what, self.reason
        )
    }

    /// The sentence without the fix: the headline, and what will happen.
    pub fn message(&self) -> String {
        let mut message = self.headline();
        if !self.consequence.is_empty() {
            message.push_str("; ");
            message.push_str(&self.consequence);
        }
        message
    }

    /// What to do instead, in one sentence.
    pub fn fix(&self) -> String {
        self.rule.fix()
    }

    /// The action under no mode at all.
    pub fn default_action(&self, deny_at: Certainty) -> Action {
        default_action(self.action, self.impact, self.certainty, deny_at)
    }

    /// The identity of the finding across log, audit log, report and SARIF: 16 hex digits.
    ///
    /// SHA-256 over `v1`, namespace, owner kind, owner name, container or volume, rule and
    /// normalised evidence, separated by `|`.
    pub fn fingerprint(&self, namespace: &str, owner_kind: &str, owner_name: &str) -> String {
        let place = self.container.as_deref().unwrap_or(&self.name);
        let text = [
            "v1",
            namespace,
            owner_kind,
            owner_name,
            place,
            self.rule.code,
            &self.identity,
        ]
        .join("|");
        short_digest(&text)
    }
}

/// The first 16 hex digits of the SHA-256 of `text`: no two texts of a cluster have the same ones.
pub(crate) fn short_digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    let number = digest[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}

/// The action that the contract fixes, else the one that impact and certainty give.
fn default_action(
    fixed: Option<Action>,
    impact: Impact,
    certainty: Certainty,
    deny_at: Certainty,
) -> Action {
    fixed.unwrap_or(match impact {
        Impact::Breaks if certainty >= deny_at => Action::Deny,
        Impact::Breaks | Impact::Degrades | Impact::Security => Action::Warn,
        Impact::Advisory => Action::Record,
    })
}

/// Collects findings while rules run.
#[derive(Debug)]
pub struct Findings {
    target: Target,
    found: Vec<Finding>,
}

/// What a finding takes with its texts until the review is answered.
const FINDING_BYTES: usize = 1024;
/// So many are taken in any case: what exceeds the budget does not hide the mounts, which come
/// first.
const FIRST_FINDINGS: usize = 64;
/// What its texts and its fingerprint cost.
const FINDING_STEPS: usize = 512;

impl Findings {
    /// An empty collection for a cluster that moves to `target`.
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            found: Vec::new(),
        }
    }

    /// The runtime that the cluster moves to.
    pub(crate) fn target(&self) -> Target {
        self.target
    }

    /// What was found.
    pub(crate) fn into_inner(self) -> Vec<Finding> {
        self.found
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Notes that the finding with this number stands for one container more.
    pub(crate) fn add_use(&mut self, number: usize) {
        if let Some(finding) = self.found.get_mut(number) {
            finding.uses += 1;
        }
    }

    /// Takes all of `findings`.
    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// Takes `finding`, with the texts of the target filled in, unless its rule is about another
    /// target. Where the budget does not suffice for another one, it is left out.
    pub(crate) fn push(&mut self, mut finding: Finding) {
        if finding
            .rule
            .target
            .is_some_and(|target| target != self.target)
        {
            return;
        }
        let length = finding.identity.len() + finding.what.len();
        let is_affordable = spend(FINDING_STEPS + length) && keep(FINDING_BYTES + 2 * length);
        if !is_affordable && self.found.len() >= FIRST_FINDINGS {
            return;
        }
        if self.target == Target::CriDockerd && finding.rule.needs_docker_absent {
            finding.impact = Impact::Security.min(finding.impact);
            finding.action = finding.action.map(|action| action.min(Action::Warn));
            finding.reason = "works only while cri-dockerd keeps Docker".into();
            finding.consequence = "".into();
        }
        for text in [&mut finding.reason, &mut finding.consequence] {
            name_nodes(text, self.target.nodes());
        }
        for text in [&mut finding.evidence, &mut finding.name, &mut finding.what] {
            if !is_plain(text) {
                *text = escape_controls(text);
            }
        }
        if !is_plain(&finding.consequence) {
            finding.consequence = escape_controls(&finding.consequence).into();
        }
        self.found.push(finding);
    }
}

/// Puts `nodes` where `text` says `{nodes}`.
fn name_nodes(text: &mut Cow<'static, str>, nodes: &str) {
    const PLACE: &str = "{nodes}";
    let mut from = 0;
    while let Some(brace) = text[from..].find('{') {
        let at = from + brace;
        if text[at..].starts_with(PLACE) {
            text.to_mut().replace_range(at..at + PLACE.len(), nodes);
        }
        from = at + 1;
    }
}
