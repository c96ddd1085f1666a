//! What a Namespace says about its workloads: mode, exemptions, and whether workloads may exempt
//! themselves.

use super::exemption::{self, Exemption, Period, Scope};
use super::{Mode, Policy, Requester};
use crate::finding::text::clip;
use crate::workload::Workload;

/// The label that sets the mode.
pub const MODE_LABEL: &str = "undock.dev/mode";
/// The label that lets workloads exempt themselves.
pub const WORKLOAD_EXEMPTIONS_LABEL: &str = "undock.dev/workload-exemptions";

/// What labels of undock begin with.
const LABEL_PREFIX: &str = "undock.dev/";

/// Unknown labels that are told; an object may have any number.
const MOST_UNKNOWN: usize = 16;

/// Labels and annotations of a Namespace, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceSettings {
    /// The mode that it asks for.
    pub mode: Option<Mode>,
    /// True if exemptions on workloads count.
    pub allows_workload_exemptions: bool,
    /// Exemptions of the whole namespace.
    pub exemptions: Vec<Exemption>,
    /// Labels whose value does not exist; the default applies instead.
    pub problems: Vec<LabelProblem>,
    /// Labels that look like ours and say nothing.
    pub unknown_labels: Vec<String>,
}

/// A label with a value that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label {label} is {value:?}; write {choices}")]
pub struct LabelProblem {
    /// The label.
    pub label: &'static str,
    /// Its value.
    pub value: String,
    /// The values that exist.
    pub choices: &'static str,
}

impl NamespaceSettings {
    /// The settings of `namespace`, an object of kind Namespace.
    pub fn of(namespace: &Workload<'_>) -> Self {
        Self::read(
            namespace.labels().iter(),
            namespace
                .annotations()
                .flat_map(|(_, annotations)| annotations.iter()),
        )
    }

    /// Reads labels and annotations; others are left alone.
    pub fn read<'s>(
        labels: impl Iterator<Item = (&'s str, &'s str)>,
        annotations: impl Iterator<Item = (&'s str, &'s str)>,
    ) -> Self {
        let mut settings = Self::default();
        for (label, value) in labels {
            match label {
                MODE_LABEL => match Mode::parse(value) {
                    Some(mode) => settings.mode = Some(mode),
                    None => {
                        settings.problem(MODE_LABEL, value, "enforce, freeze, warn, audit or off")
                    }
                },
                WORKLOAD_EXEMPTIONS_LABEL => match value {
                    "allow" => settings.allows_workload_exemptions = true,
                    "deny" => {}
                    _ => settings.problem(WORKLOAD_EXEMPTIONS_LABEL, value, "allow or deny"),
                },
                _ if label.starts_with(LABEL_PREFIX)
                    && settings.unknown_labels.len() < MOST_UNKNOWN =>
                {
                    settings.unknown_labels.push(label.to_owned());
                }
                _ => {}
            }
        }
        settings.exemptions = Exemption::of(annotations, Scope::Namespace);
        settings
    }

    /// The same without the mode: where another mode is asked about, that is the question's. What
    /// the Namespace exempts is part of the answer.
    pub fn without_mode(self) -> Self {
        Self { mode: None, ..self }
    }

    /// What is written and has no effect: labels without meaning, exemptions that do not hold.
    pub fn flaws(&self, period: Period) -> Vec<String> {
        let exemptions = self
            .exemptions
            .iter()
            .filter_map(|exemption| exemption.flaw(period));
        let cut = (self.exemptions.len() == exemption::MOST).then(|| {
            let most = exemption::MOST;
            format!("only the first {most} exemptions are read: remove those that are not needed")
        });
        let labels = self.label_flaws().into_iter();
        labels.chain(cut).chain(exemptions).collect()
    }

    /// Labels without meaning.
    pub fn label_flaws(&self) -> Vec<String> {
        let unknown = self.unknown_labels.iter().map(|label| {
            let label = clip(label, 40);
            format!("no label {label} is known: write {MODE_LABEL} or {WORKLOAD_EXEMPTIONS_LABEL}")
        });
        let problems = self.problems.iter().map(ToString::to_string);
        problems.chain(unknown).collect()
    }

    fn problem(&mut self, label: &'static str, value: &str, choices: &'static str) {
        self.problems.push(LabelProblem {
            label,
            value: value.to_owned(),
            choices,
        });
    }
}

/// A part of a write that is refused whatever the mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Field path.
    pub field: String,
    /// Why, and what to do.
    pub message: String,
}

/// What a write of a Namespace changes for its workloads.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What may not be.
    pub refusals: Vec<Refusal>,
    /// The new mode, where it is stricter than the old one: existing workloads are worth a look.
    pub stricter: Option<Mode>,
    /// What is written and exempts nothing.
    pub notes: Vec<String>,
}

/// Judges a write of a Namespace. `old` is `None` for a new one.
///
/// Labels with a value that does not exist are refused, unless they were there before: an old
/// mistake must not keep a Namespace from being changed otherwise. Weakening is lowering the mode,
/// allowing workloads to exempt themselves, and adding or changing an exemption; with
/// `weakening.groups` in the configuration it is for members of these groups alone.
pub fn judge_change(
    old: Option<&NamespaceSettings>,
    new: &NamespaceSettings,
    policy: &Policy,
    requester: Requester<'_>,
) -> Change {
    let none = NamespaceSettings::default();
    let old = old.unwrap_or(&none);
    let mut refusals: Vec<Refusal> = (new
        .problems
        .iter()
        .filter(|problem| !old.problems.contains(problem)))
    .map(|problem| Refusal {
        field: format!("metadata.labels['{}']", problem.label),
        message: problem.to_string(),
    })
    .collect();
    let (before, after) = (
        old.mode.unwrap_or(policy.mode),
        new.mode.unwrap_or(policy.mode),
    );
    let may_weaken = policy.weakening_groups.is_empty()
        || requester.groups.iter().any(|group| {
            policy
                .weakening_groups
                .iter()
                .any(|allowed| *allowed == **group)
        });
    if !may_weaken {
        let who = policy.weakening_groups.join(", ");
        let mut refuse = |field: String, what: String| {
            refusals.push(Refusal {
                field,
                message: format!("{what} is for members of {who}; ask one of them"),
            });
        };
        if after < before {
            refuse(
                format!("metadata.labels['{MODE_LABEL}']"),
                format!(
                    "lowering the mode from {} to {}",
                    before.as_str(),
                    after.as_str()
                ),
            );
        }
        if new.allows_workload_exemptions && !old.allows_workload_exemptions {
            refuse(
                format!("metadata.labels['{WORKLOAD_EXEMPTIONS_LABEL}']"),
                "allowing workloads to exempt themselves".to_owned(),
            );
        }
        let is_new =
            |exemption: &&Exemption| !old.exemptions.iter().any(|known| known == *exemption);
        for exemption in new.exemptions.iter().filter(is_new) {
            let key = format!("{}{}", exemption::ANNOTATION_PREFIX, exemption.rules);
            refuse(
                format!("metadata.annotations['{key}']"),
                format!("adding or changing the exemption {}", exemption.rules),
            );
        }
    }
    let is_refused = |flaw: &String| refusals.iter().any(|refusal| refusal.message == *flaw);
    let notes = new
        .flaws(policy.period())
        .into_iter()
        .filter(|flaw| !is_refused(flaw))
        .collect();
    Change {
        refusals,
        stricter: (after > before).then_some(after),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(labels: &[(&str, &str)]) -> NamespaceSettings {
        let annotation = [
            ("exempt.undock.dev/DKR101", "until=2026-12-31; reason=x"),
            ("other", "y"),
        ];
        NamespaceSettings::read(labels.iter().copied(), annotation.into_iter())
    }

    #[test]
    fn labels_are_read_and_mistakes_named() {
        let settings = read(&[
            ("undock.dev/mode", "enforce"),
            ("undock.dev/workload-exemptions", "allow"),
            ("team", "x"),
        ]);
        assert_eq!(
            (settings.mode, settings.allows_workload_exemptions),
            (Some(Mode::Enforce), true)
        );
        assert_eq!((settings.exemptions.len(), settings.problems.len()), (1, 0));
        let settings = read(&[
            ("undock.dev/mode", "loud"),
            ("undock.dev/workload-exemptions", "yes"),
        ]);
        assert_eq!(
            (
                settings.mode,
                settings.allows_workload_exemptions,
                settings.problems.len()
            ),
            (None, false, 2)
        );
        assert_eq!(
            settings.problems[0].to_string(),
            "label undock.dev/mode is \"loud\"; write enforce, freeze, warn, audit or off"
        );
    }

    #[test]
    fn any_number_of_exemptions_and_labels_is_cheap() {
        let keys: Vec<String> = (0..100_000)
            .map(|number| format!("exempt.undock.dev/x{number}"))
            .collect();
        let labels: Vec<String> = keys.iter().map(|key| key.replace("exempt.", "")).collect();
        let settings = NamespaceSettings::read(
            labels.iter().map(|label| (label.as_str(), "")),
            keys.iter().map(|key| (key.as_str(), "until")),
        );
        assert_eq!(settings.exemptions.len(), exemption::MOST);
        assert_eq!(settings.unknown_labels.len(), MOST_UNKNOWN);
        let notes = judge_change(None, &settings, &Policy::default(), Requester::default()).notes;
        assert!(
            notes.iter().any(|note| note.contains("only the first 256")),
            "{notes:?}"
        );
    }

    #[test]
    fn weakening_is_for_the_groups_that_may() {
        let policy = Policy {
            mode: Mode::Warn,
            weakening_groups: vec!["platform".to_owned()],
            ..Policy::default()
        };
        let settings = |labels: &[(&str, &str)]| {
            NamespaceSettings::read(labels.iter().copied(), std::iter::empty())
        };
        let groups = ["platform".into(), "others".into()];
        let (platform, others) = (
            Requester {
                user: "a",
                groups: &groups[..1],
                owner: None,
            },
            Requester {
                user: "b",
                groups: &groups[1..],
                owner: None,
            },
        );
        let enforce = settings(&[(MODE_LABEL, "enforce")]);
        let judge = |old: Option<&NamespaceSettings>, new: &NamespaceSettings, requester| {
            judge_change(old, new, &policy, requester)
        };
        let lowered = judge(Some(&enforce), &settings(&[]), others);
        assert_eq!(lowered.refusals.len(), 1);
        assert!(
            lowered.refusals[0]
                .message
                .contains("from enforce to warn is for members of platform"),
            "{lowered:?}"
        );
        assert!(
            judge(Some(&enforce), &settings(&[]), platform)
                .refusals
                .is_empty()
        );
        assert_eq!(
            judge(Some(&settings(&[])), &enforce, others).stricter,
            Some(Mode::Enforce)
        );
        assert!(judge(None, &enforce, others).refusals.is_empty());
        assert_eq!(
            judge(None, &settings(&[(MODE_LABEL, "off")]), others)
                .refusals
                .len(),
            1
        );
        let exempt = NamespaceSettings::read(
            std::iter::empty(),
            [("exempt.undock.dev/all", "until=2026-12-31; reason=x")].into_iter(),
        );
        assert_eq!(
            judge(None, &exempt, others).refusals[0].field,
            "metadata.annotations['exempt.undock.dev/all']"
        );
        assert!(
            judge(Some(&exempt), &exempt, others).refusals.is_empty(),
            "what was there stays"
        );
        let bad = settings(&[(MODE_LABEL, "loud")]);
        assert_eq!(judge(None, &bad, platform).refusals.len(), 1);
        assert!(
            judge(Some(&bad), &bad, platform).refusals.is_empty(),
            "an old mistake keeps nobody from other changes"
        );
    }
}
