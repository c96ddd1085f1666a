//! An earlier check to compare with: what it found already does not count.

use std::collections::HashSet;

use serde::Deserialize;

use super::{Checked, SCHEMA};

/// The fingerprints of an earlier check.
#[derive(Debug)]
pub struct Baseline {
    fingerprints: HashSet<String>,
}

/// What a comparison counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Findings that the baseline has.
    pub known: usize,
    /// Fingerprints of the baseline that are not found any more.
    pub gone: usize,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON of the expected form.
    #[error("not the output of `undock check -o json`: {0}")]
    Json(#[from] serde_json::Error),
    /// It is the output of something else.
    #[error("schema is {found:?}, expected {SCHEMA:?}, the output of `undock check -o json`")]
    Schema {
        /// The schema that the file names.
        found: String,
    },
}

#[derive(Deserialize)]
struct Report {
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    fingerprint: String,
}

impl Baseline {
    /// Reads the JSON of an earlier check.
    ///
    /// # Errors
    /// See [`BaselineError`].
    pub fn parse(json: &[u8]) -> Result<Self, BaselineError> {
        // The schema first: another document of undock has other fields.
        let report: serde_json::Value = serde_json::from_slice(json)?;
        let found = report["schema"].as_str().unwrap_or_default();
        if found != SCHEMA {
            return Err(BaselineError::Schema {
                found: found.to_owned(),
            });
        }
        let report: Report = serde_json::from_value(report)?;
        let findings = report
            .objects
            .into_iter()
            .flat_map(|object| object.findings);
        Ok(Self {
            fingerprints: findings.map(|finding| finding.fingerprint).collect(),
        })
    }
}

impl Checked {
    /// Marks what `baseline` has as known.
    pub fn compare(&mut self, baseline: &Baseline) {
        let mut found = HashSet::new();
        let mut known = 0;
        let findings = self
            .objects
            .iter_mut()
            .flat_map(|object| &mut object.findings);
        for placed in findings {
            let fingerprint = &placed.judged.fingerprint;
            if baseline.fingerprints.contains(fingerprint) {
                found.insert(fingerprint.clone());
                placed.judged.preexisting = true;
                known += 1;
            }
        }
        self.compared = Some(Compared {
            known,
            gone: baseline.fingerprints.len() - found.len(),
        });
    }
}
