//! A scan as evidence: what it read whole at its time, and what it saw there.
//!
//! What a whole scan does not show is not there: a finding that its owner lacks is fixed, an owner
//! that it lacks is removed. What it could not read, or was told to leave out, proves nothing.

use std::collections::HashSet;

use super::model::{Exemption, ExemptionStatus};
use crate::kinds::{self, Handling, KINDS, Kind};
use crate::scan::document::{ExemptionEntry, PartEntry, ScanDocument};
use crate::workload::text::LenientStr;

/// How far a scan reached, and whom it saw.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) time: i64,
    pub(super) cluster: String,
    namespaces: Vec<String>,
    is_selective: bool,
    parts: Vec<PartEntry>,
    errors: Vec<PartFailure>,
    /// Numbers of the owners that it lists.
    pub(super) owners: HashSet<u32>,
    /// Namespaces that it lists.
    pub(super) listed: HashSet<String>,
    /// Exemptions that it lists.
    pub(super) exemptions: Vec<Exemption>,
}

/// A part that could not be read, whole or in one namespace.
#[derive(Debug)]
struct PartFailure {
    part: String,
    /// Empty for all of them.
    namespace: String,
}

impl Reach {
    /// That of `scan`, of which no owner is known yet.
    pub(super) fn new(scan: &ScanDocument<'_>, time: i64, cluster: String) -> Self {
        Self {
            time,
            cluster,
            namespaces: scan.scope.namespaces.clone(),
            is_selective: !scan.scope.selector.is_empty(),
            parts: scan.parts.clone(),
            errors: scan
                .errors
                .iter()
                .map(|error| PartFailure {
                    part: error.part.to_string(),
                    namespace: error.namespace.to_string(),
                })
                .collect(),
            owners: HashSet::new(),
            listed: scan
                .namespaces
                .iter()
                .map(|namespace| namespace.name.to_string())
                .collect(),
            exemptions: scan.exemptions.iter().map(listed).collect(),
        }
    }

    /// What tells one scan from another.
    pub(super) fn identity(&self) -> String {
        let Self {
            time,
            cluster,
            namespaces,
            is_selective,
            parts,
            errors,
            ..
        } = self;
        format!("{time} {cluster} {namespaces:?} {is_selective} {parts:?} {errors:?}")
    }

    /// True if the scan would have shown every owner of `kind` in `namespace` with everything that
    /// is to be found in it.
    pub(super) fn covers(&self, kind: &str, namespace: &str) -> bool {
        let own = kinds::find(kind);
        let is_workload =
            own.is_none_or(|kind| matches!(kind.handling, Handling::Template | Handling::Pod));
        self.is_in_scope(namespace)
            && own.is_none_or(|kind| self.has_read(&kind.resource(), namespace))
            && (!is_workload || self.behind_workloads(namespace).next().is_none())
    }

    /// The parts that the scan would have had to read for a whole picture of the workloads of
    /// `namespace`, and did not. For the cluster itself, which has no name: of its volumes.
    pub(super) fn missing(&self, namespace: &str) -> Vec<String> {
        if namespace.is_empty() {
            return Some("persistentvolumes".to_owned())
                .filter(|part| !self.has_read(part, ""))
                .into_iter()
                .collect();
        }
        let has_templates = |kind: &&Kind| {
            kind.handling == Handling::Template
                && (kind.is_built_in() || self.lists(&kind.resource()))
        };
        let templates = KINDS
            .iter()
            .filter(has_templates)
            .map(Kind::resource)
            .filter(|part| !self.has_read(part, namespace));
        let mut missing: Vec<String> = templates.chain(self.behind_workloads(namespace)).collect();
        missing.sort();
        missing.dedup();
        missing
    }

    /// True if the scan looked at `namespace` and left nothing out by labels.
    pub(super) fn is_in_scope(&self, namespace: &str) -> bool {
        let is_named = |name: &String| name == namespace;
        !self.is_selective
            && (namespace.is_empty()
                || self.namespaces.is_empty()
                || self.namespaces.iter().any(is_named))
    }

    /// True if the scan would list `namespace` if it were there.
    pub(super) fn knows_namespace(&self, namespace: &str) -> bool {
        self.is_in_scope(namespace) && self.has_read("namespaces", namespace)
    }

    /// Lists in which findings of any workload can come to light: Pods and what makes them, volumes
    /// behind claims.
    fn behind_workloads<'r>(&'r self, namespace: &'r str) -> impl Iterator<Item = String> + 'r {
        let is_behind = |kind: &&Kind| {
            kind.is_made || matches!(kind.handling, Handling::Volume | Handling::Claim)
        };
        KINDS
            .iter()
            .filter(is_behind)
            .map(Kind::resource)
            .filter(|part| !self.has_read(part, namespace))
    }

    fn lists(&self, part: &str) -> bool {
        self.parts.iter().any(|read| read.part == part)
    }

    /// True if all of `part` in `namespace` was read.
    pub(super) fn has_read(&self, part: &str, namespace: &str) -> bool {
        let Some(read) = self.parts.iter().find(|read| read.part == part) else {
            return false;
        };
        let mut errors = self
            .errors
            .iter()
            .filter(|error| error.part == part)
            .peekable();
        // One that is incomplete without an error that says where is so everywhere.
        (read.complete || errors.peek().is_some())
            && errors.all(|error| !error.namespace.is_empty() && error.namespace != namespace)
    }
}

/// An exemption as a scan lists it, of a cluster that is known later, before anything is known to
/// use it.
fn listed(entry: &ExemptionEntry<'_>) -> Exemption {
    let text = |text: &Option<LenientStr<'_>>| text.as_ref().map(LenientStr::to_string);
    let error = text(&entry.error).unwrap_or_default();
    Exemption {
        namespace: entry.namespace.to_string(),
        holder: entry.holder.to_string(),
        scope: entry.scope.to_string(),
        rules: entry.rules.to_string(),
        status: match entry.status.as_str() {
            _ if !error.is_empty() => ExemptionStatus::Malformed,
            "not-allowed" => ExemptionStatus::NotAllowed,
            _ => ExemptionStatus::Unused,
        },
        until: text(&entry.until).unwrap_or_default(),
        reason: text(&entry.reason).unwrap_or_default(),
        reference: text(&entry.reference).unwrap_or_default(),
        error,
        ..Exemption::default()
    }
}
