//! Findings, mode and configuration in; what happens to the write out. The findings themselves never change.

pub mod exemption;
pub mod facts;
pub mod message;
pub mod namespace;

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use exemption::{Exemption, Granted, Period, Scope};
use facts::{ClusterFacts, Known};
use jiff::civil::Date;
use namespace::{NamespaceSettings, Refusal};

use crate::finding::{Action, Certainty, Context, Finding};
use crate::rules;
use crate::workload::text::Text;
use crate::workload::{Knowledge, Workload};

/// The most that may happen in a namespace.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Deserialize,
    Serialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing is said or recorded.
    Off,
    /// Findings are recorded.
    Audit,
    /// The writer is warned.
    #[default]
    Warn,
    /// The write is refused.
    Enforce,
}

impl Mode {
    /// The strongest action under this mode.
    pub fn limit(self) -> Action {
        match self {
            Self::Off => Action::Off,
            Self::Audit => Action::Record,
            Self::Warn => Action::Warn,
            Self::Enforce => Action::Deny,
        }
    }

    /// The mode of that name, in lower case as labels have it.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Audit, Self::Warn, Self::Enforce]
            .into_iter()
            .find(|mode| mode.as_str() == word)
    }

    /// The word used in labels, records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }
}

/// What was decided about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing was found.
    Clean,
    /// Findings are recorded.
    Record,
    /// What would be told or refused is exempt.
    Exempt,
    /// The writer is warned.
    Warn,
    /// The write is refused.
    Deny,
    /// The object could not be evaluated; the mode decided.
    Error,
}

impl Outcome {
    /// The word used in annotations, records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Record => "record",
            Self::Exempt => "exempt",
            Self::Warn => "warn",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }
}

/// What the operator set: how findings become actions.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The mode in force.
    pub mode: Mode,
    /// What rules may know.
    pub context: Context,
    /// `breaks` findings of at least this certainty are denied.
    pub deny_at: Certainty,
    /// Actions by code, which replace the rules' own.
    pub actions: BTreeMap<String, Action>,
    /// Additions to the built-in tables.
    pub knowledge: Arc<Knowledge>,
    /// What is known of the cluster.
    pub facts: Arc<ClusterFacts>,
    /// Exemptions of the configuration file.
    pub exemptions: Vec<ConfiguredExemption>,
    /// Who may lower a mode or add an exemption; empty for everybody that may write the Namespace.
    pub weakening_groups: Vec<String>,
    /// Days from today within which an exemption must end; any day if there is no limit.
    pub max_exemption_days: Option<NonZeroU16>,
    /// Today, in UTC; a function, so that nothing is asked where nothing is exempt.
    pub today: fn() -> Date,
}

/// An exemption of the configuration file, with whom it is for. An empty list is for everybody.
#[derive(Clone, Debug)]
pub struct ConfiguredExemption {
    /// What is exempt, and its terms.
    pub exemption: Exemption,
    /// Namespaces, as patterns with `*`.
    pub namespaces: Vec<String>,
    /// Owners as `KIND/NAME`, as patterns.
    pub owners: Vec<String>,
    /// User names, as patterns.
    pub users: Vec<String>,
    /// Groups, as patterns.
    pub groups: Vec<String>,
    /// Images, as patterns; all images of the object must match one.
    pub images: Vec<String>,
}

/// Who writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Writer<'a> {
    /// User name; empty where nobody is writing (a manifest, a scan).
    pub user: &'a str,
    /// Groups.
    pub groups: &'a [Text<'a>],
}

/// Today in UTC, by the machine's clock.
pub fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}

impl Policy {
    /// The days on which exemptions may hold.
    pub fn period(&self) -> Period {
        Period {
            today: (self.today)(),
            max_days: self.max_exemption_days,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            context: Context::default(),
            deny_at: Certainty::Likely,
            actions: BTreeMap::new(),
            knowledge: Arc::default(),
            facts: Arc::default(),
            exemptions: Vec::new(),
            weakening_groups: Vec::new(),
            max_exemption_days: None,
            today,
        }
    }
}

impl Policy {
    /// The action of `finding` before the mode limits it.
    fn action(&self, finding: &Finding) -> Action {
        match self.actions.get(finding.rule.code) {
            Some(action) => *action,
            None => finding.default_action(self.deny_at),
        }
    }
}

/// A finding and what it does here.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// What it does under the mode.
    pub action: Action,
    /// What it would do under `enforce`.
    pub unlimited: Action,
    /// True if the object had it before this write.
    pub known: bool,
    /// See [`Finding::fingerprint`].
    pub fingerprint: String,
    /// The exemption that lets it through.
    pub exempt: Option<Granted>,
}

/// What happens to the write, and why.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The strongest action.
    pub outcome: Outcome,
    /// The mode that was applied.
    pub mode: Mode,
    /// All findings that are not switched off, in the order of codes, then fields.
    pub findings: Vec<Judged>,
    /// Why the object could not be evaluated.
    pub error: Option<String>,
    /// What may not be, whatever the mode: labels and exemptions of a Namespace.
    pub refusals: Vec<Refusal>,
    /// What the writer should know besides: an exemption that ends soon, or exempts nothing.
    pub notes: Vec<String>,
    /// What undock did not know for sure: a label without meaning, a namespace that was not seen yet. For the audit log.
    pub doubts: Vec<String>,
}

impl Decision {
    /// An object without findings.
    pub fn clean(mode: Mode) -> Self {
        Self {
            outcome: Outcome::Clean,
            mode,
            findings: Vec::new(),
            error: None,
            notes: Vec::new(),
            doubts: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// An object that could not be evaluated. The mode decides whether it passes.
    pub fn error(mode: Mode, error: String) -> Self {
        Self {
            outcome: Outcome::Error,
            mode,
            findings: Vec::new(),
            error: Some(error),
            notes: Vec::new(),
            doubts: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// True if the write is let through.
    pub fn is_allowed(&self) -> bool {
        match self.outcome {
            Outcome::Deny => false,
            Outcome::Error => self.mode != Mode::Enforce,
            _ => true,
        }
    }

    /// True if `enforce` would have refused the write.
    pub fn would_deny(&self) -> bool {
        self.findings.iter().any(|judged| {
            judged.unlimited == Action::Deny && !judged.known && judged.exempt.is_none()
        })
    }
}

/// Decides about a write of a Namespace.
pub fn decide_namespace(change: &namespace::Change, mode: Mode) -> Decision {
    let outcome = if change.refusals.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Deny
    };
    Decision {
        outcome,
        refusals: change.refusals.clone(),
        notes: change.notes.clone(),
        ..Decision::clean(mode)
    }
}

/// Evaluates `workload` and decides. `old` is what the object was before an update: what it already had can warn, not deny.
pub fn decide(
    workload: &Workload<'_>,
    old: Option<&Workload<'_>>,
    policy: &Policy,
    writer: Writer<'_>,
) -> Decision {
    let (mut notes, mut doubts) = (Vec::new(), Vec::new());
    let settings = settings_of(workload.namespace, policy, &mut doubts);
    let mode = settings
        .as_ref()
        .and_then(|settings| settings.mode)
        .unwrap_or(policy.mode);
    if mode == Mode::Off {
        return Decision {
            doubts,
            ..Decision::clean(mode)
        };
    }
    let mut findings = judge(workload, policy, mode);
    if let Some(old) = old.filter(|_| {
        findings
            .iter()
            .any(|judged| judged.unlimited == Action::Deny)
    }) {
        let before = judge(old, policy, mode);
        for judged in &mut findings {
            // What was a mere hint before, a volume that no container mounted, is new when it becomes more.
            if before.iter().any(|other| {
                other.unlimited >= judged.unlimited && other.fingerprint == judged.fingerprint
            }) {
                judged.known = true;
                judged.action = judged.action.min(Action::Warn);
            }
        }
    }
    if findings.iter().any(|judged| judged.action >= Action::Warn) {
        exempt(
            &mut findings,
            workload,
            settings.as_deref(),
            policy,
            writer,
            &mut notes,
        );
    }
    let outcome = match findings.iter().map(|judged| judged.action).max() {
        Some(Action::Deny) => Outcome::Deny,
        Some(Action::Warn) => Outcome::Warn,
        _ if findings.iter().any(|judged| judged.exempt.is_some()) => Outcome::Exempt,
        Some(Action::Record) => Outcome::Record,
        None | Some(Action::Off) => Outcome::Clean,
    };
    Decision {
        notes,
        doubts,
        findings,
        outcome,
        ..Decision::clean(mode)
    }
}

fn settings_of(
    namespace: &str,
    policy: &Policy,
    doubts: &mut Vec<String>,
) -> Option<Arc<NamespaceSettings>> {
    if namespace.is_empty() {
        return None;
    }
    let missing = match policy.facts.namespace(namespace) {
        Known::NotWatching => return None,
        Known::Settings(settings) => {
            doubts.extend(settings.problems.iter().map(ToString::to_string));
            return Some(settings);
        }
        Known::Cold => "the namespaces have not been listed yet",
        Known::Missing => "the namespace has not been seen yet",
    };
    doubts.push(format!(
        "{missing}: the default mode {} applies",
        policy.mode.as_str()
    ));
    None
}

/// Lets findings through that an exemption covers, and notes exemptions that cover nothing any more.
fn exempt(
    findings: &mut [Judged],
    workload: &Workload<'_>,
    settings: Option<&NamespaceSettings>,
    policy: &Policy,
    writer: Writer<'_>,
    notes: &mut Vec<String>,
) {
    let counts_own = settings.is_some_and(|settings| settings.allows_workload_exemptions);
    let annotations = workload
        .annotations()
        .flat_map(|(_, annotations)| annotations.iter());
    let mut own: Vec<Exemption> = annotations
        .filter_map(|(key, value)| Exemption::from_annotation(key, value, Scope::Workload))
        .collect();
    if !counts_own && !own.is_empty() {
        notes.push(format!(
            "exemptions on workloads count only where the namespace has the label {}=allow",
            namespace::WORKLOAD_EXEMPTIONS_LABEL
        ));
        own.clear();
    }
    let configured = policy
        .exemptions
        .iter()
        .filter(|entry| entry.is_for(workload, writer))
        .map(|entry| &entry.exemption);
    let all: Vec<&Exemption> = settings
        .iter()
        .flat_map(|settings| &settings.exemptions)
        .chain(&own)
        .chain(configured)
        .collect();
    if all.is_empty() {
        return;
    }
    let period = policy.period();
    for judged in findings
        .iter_mut()
        .filter(|judged| judged.action >= Action::Warn)
    {
        let code = judged.finding.rule.code;
        judged.exempt = exemption::grant(all.iter().copied(), code, period);
        if let Some(granted) = &judged.exempt {
            judged.action = Action::Record;
            if let Some(days) = granted.terms.ends_soon(period.today) {
                notes.push(format!(
                    "exemption for {code} ends in {days} days ({})",
                    granted.terms.until
                ));
            }
            continue;
        }
        notes.extend(
            all.iter()
                .filter(|exemption| exemption.rules.covers(code))
                .filter_map(|exemption| exemption.flaw(period)),
        );
    }
    notes.sort_unstable();
    notes.dedup();
}

impl ConfiguredExemption {
    fn is_for(&self, workload: &Workload<'_>, writer: Writer<'_>) -> bool {
        let any = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
        };
        let owner = format!("{}/{}", workload.owner.kind, workload.owner.name);
        let in_groups =
            self.groups.is_empty() || writer.groups.iter().any(|group| any(&self.groups, group));
        let has_images =
            self.images.is_empty() || workload.images().all(|image| any(&self.images, image));
        any(&self.namespaces, workload.namespace)
            && any(&self.owners, &owner)
            && any(&self.users, writer.user)
            && in_groups
            && has_images
    }
}

/// True if `text` fits `pattern`, in which `*` stands for any characters. Linear in both.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = pattern.rsplit_once('*').map(|(_, last)| last) else {
        return rest.is_empty();
    };
    let middle: Vec<&str> = parts.collect();
    for part in &middle[..middle.len() - 1] {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn judge(workload: &Workload<'_>, policy: &Policy, mode: Mode) -> Vec<Judged> {
    let owner = &workload.owner;
    let judged = rules::evaluate(workload, policy.context)
        .into_iter()
        .map(|finding| {
            let unlimited = policy.action(&finding);
            let fingerprint = finding.fingerprint(workload.namespace, &owner.kind, &owner.name);
            Judged {
                action: unlimited.min(mode.limit()),
                unlimited,
                known: false,
                fingerprint,
                exempt: None,
                finding,
            }
        });
    judged
        .filter(|judged| judged.action != Action::Off)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("ci", "ci", true),
            ("ci", "cix", false),
            ("ci-*", "ci-a", true),
            ("*", "", true),
            ("*-ci", "a-ci", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("**x**", "x", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
