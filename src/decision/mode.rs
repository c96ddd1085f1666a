//! The modes of namespaces, and what can become of a write.

use serde::{Deserialize, Serialize};

use crate::finding::Action;

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
    /// What is new is refused; what exists keeps running, and the Pods that controllers make for it start.
    Freeze,
    /// The write is refused.
    Enforce,
}

impl Mode {
    /// All modes, the strictest last.
    pub const ALL: [Self; 5] = [
        Self::Off,
        Self::Audit,
        Self::Warn,
        Self::Freeze,
        Self::Enforce,
    ];

    /// The strongest action under this mode.
    pub fn limit(self) -> Action {
        match self {
            Self::Off => Action::Off,
            Self::Audit => Action::Record,
            Self::Warn => Action::Warn,
            Self::Freeze | Self::Enforce => Action::Deny,
        }
    }

    /// The mode of that name, in lower case as labels have it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

    /// The word used in labels, records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Freeze => "freeze",
            Self::Enforce => "enforce",
        }
    }
}

/// What was decided about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The object was not evaluated: its namespace is off, or it is being deleted. Says nothing about what is in it.
    Skipped,
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
            Self::Skipped => "skipped",
            Self::Clean => "clean",
            Self::Record => "record",
            Self::Exempt => "exempt",
            Self::Warn => "warn",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_in_the_order_of_strictness() {
        let words = ["off", "audit", "warn", "freeze", "enforce"];
        assert!(Mode::ALL.is_sorted() && Mode::ALL.map(Mode::as_str) == words);
        for mode in Mode::ALL {
            assert_eq!(Mode::parse(mode.as_str()), Some(mode));
        }
        // So that lowering the mode to freeze is reserved to the groups that may weaken.
        assert!(Mode::Freeze < Mode::Enforce && Mode::Warn < Mode::Freeze);
    }
}
