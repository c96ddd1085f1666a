//! What failed in a scan: logged when it begins, and not again while it lasts.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::text::{clip, escape_controls};
use crate::scan::ScanError;

/// Why reports are not written where there is no API for them.
pub(super) const NOT_INSTALLED: &str = "not-installed";

/// Something that could not be read or written.
pub(super) struct Failure {
    /// What: a part of the scan, `report`, `event`.
    pub(super) what: String,
    /// One word.
    pub(super) reason: &'static str,
    message: String,
}

/// Bytes of a message, in which others' words are.
const MAX_MESSAGE: usize = 500;

impl Failure {
    pub(super) fn new(what: &str, reason: &'static str, message: String) -> Self {
        Self {
            what: what.to_owned(),
            reason,
            message: clip(&escape_controls(&message), MAX_MESSAGE),
        }
    }

    /// True if only somebody else can fix it.
    pub(super) fn lasts(&self) -> bool {
        matches!(self.reason, "forbidden" | "not-found" | NOT_INSTALLED)
    }
}

impl From<&ScanError> for Failure {
    fn from(error: &ScanError) -> Self {
        Self::new(&error.part, error.reason, error.message.clone())
    }
}

/// What was logged already: a failure that lasts is logged when it begins.
#[derive(Default)]
pub(super) struct FailureLog(BTreeSet<(String, &'static str)>);

impl FailureLog {
    pub(super) fn log(&mut self, failures: Vec<Failure>) {
        let mut now: BTreeMap<(String, &'static str), (String, usize)> = BTreeMap::new();
        for Failure {
            what,
            reason,
            message,
        } in failures
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
