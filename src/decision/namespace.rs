//! What a Namespace says about its workloads: mode, exemptions, and whether workloads may exempt themselves.

use super::Mode;
use super::exemption::{Exemption, Scope};

/// The label that sets the mode.
pub const MODE_LABEL: &str = "undock.dev/mode";
/// The label that lets workloads exempt themselves.
pub const WORKLOAD_EXEMPTIONS_LABEL: &str = "undock.dev/workload-exemptions";

/// Labels and annotations of a Namespace, read.
#[derive(Clone, Debug, Default)]
pub struct NamespaceSettings {
    /// The mode that it asks for.
    pub mode: Option<Mode>,
    /// True if exemptions on workloads count.
    pub allows_workload_exemptions: bool,
    /// Exemptions of the whole namespace.
    pub exemptions: Vec<Exemption>,
    /// Labels whose value does not exist; the default applies instead.
    pub problems: Vec<LabelProblem>,
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
    /// Reads labels and annotations; others are left alone.
    pub fn read<'s>(labels: impl Iterator<Item = (&'s str, &'s str)>, annotations: impl Iterator<Item = (&'s str, &'s str)>) -> Self {
        let mut settings = Self::default();
        for (label, value) in labels {
            match label {
                MODE_LABEL => match Mode::parse(value) {
                    Some(mode) => settings.mode = Some(mode),
                    None => settings.problem(MODE_LABEL, value, "enforce, warn, audit or off"),
                },
                WORKLOAD_EXEMPTIONS_LABEL => match value {
                    "allow" => settings.allows_workload_exemptions = true,
                    "deny" => {}
                    _ => settings.problem(WORKLOAD_EXEMPTIONS_LABEL, value, "allow or deny"),
                },
                _ => {}
            }
        }
        settings.exemptions = annotations.filter_map(|(key, value)| Exemption::from_annotation(key, value, Scope::Namespace)).collect();
        settings
    }

    fn problem(&mut self, label: &'static str, value: &str, choices: &'static str) {
        self.problems.push(LabelProblem { label, value: value.to_owned(), choices });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(labels: &[(&str, &str)]) -> NamespaceSettings {
        let annotation = [("exempt.undock.dev/DKR101", "until=2026-12-31; reason=x"), ("other", "y")];
        NamespaceSettings::read(labels.iter().copied(), annotation.into_iter())
    }

    #[test]
    fn labels_are_read_and_mistakes_named() {
        let settings = read(&[("undock.dev/mode", "enforce"), ("undock.dev/workload-exemptions", "allow"), ("team", "x")]);
        assert_eq!((settings.mode, settings.allows_workload_exemptions), (Some(Mode::Enforce), true));
        assert_eq!((settings.exemptions.len(), settings.problems.len()), (1, 0));
        let settings = read(&[("undock.dev/mode", "loud"), ("undock.dev/workload-exemptions", "yes")]);
        assert_eq!((settings.mode, settings.allows_workload_exemptions, settings.problems.len()), (None, false, 2));
        assert_eq!(settings.problems[0].to_string(), "label undock.dev/mode is \"loud\"; write enforce, warn, audit or off");
    }
}
