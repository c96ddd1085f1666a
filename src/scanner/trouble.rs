//! What went wrong in a scan, said when it begins and not again while it lasts.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::text::{clip, escape_controls};
use crate::scan::ScanError;

/// Why reports are not written where there is no API for them.
pub(super) const NOT_INSTALLED: &str = "not-installed";

/// Something that could not be read or written.
pub(super) struct Trouble {
    /// What: a part of the scan, `report`, `event`.
    pub(super) what: String,
    /// One word.
    pub(super) reason: &'static str,
    message: String,
}

/// Bytes of a message, in which others' words are.
const MAX_MESSAGE: usize = 500;

impl Trouble {
    pub(super) fn new(what: &str, reason: &'static str, message: String) -> Self {
        Self {
            what: what.to_owned(),
            reason,
            message: clip(&escape_controls(&message), MAX_MESSAGE),
        }
    }

    /// True if only somebody else can mend it.
    pub(super) fn lasts(&self) -> bool {
        matches!(self.reason, "forbidden" | "not-found" | NOT_INSTALLED)
    }
}

impl From<&ScanError> for Trouble {
    fn from(error: &ScanError) -> Self {
        Self::new(&error.part, error.reason, error.message.clone())
    }
}

/// What was logged already: a trouble that lasts is said when it begins.
#[derive(Default)]
pub(super) struct Said(BTreeSet<(String, &'static str)>);

impl Said {
    pub(super) fn say(&mut self, troubles: Vec<Trouble>) {
        let mut now: BTreeMap<(String, &'static str), (String, usize)> = BTreeMap::new();
        for Trouble {
            what,
            reason,
            message,
        } in troubles
        {
            now.entry((what, reason)).or_insert((message, 0)).1 += 1;
        }
        for ((what, reason), (message, times)) in &now {
            if !self.0.contains(&(what.clone(), *reason)) {
                tracing::warn!(what, reason, times, message, "a part of the scan failed");
            }
        }
        self.0 = now.into_keys().collect();
    }
}
