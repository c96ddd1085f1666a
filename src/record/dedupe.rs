//! Folds repeats: a controller that retries a refused Pod every few seconds gives one record and a count.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::Record;

/// Repeats within this time are counted, not written.
const WINDOW: Duration = Duration::from_secs(600);
/// Different reviews that are remembered.
const MAX_KEYS: usize = 10_000;

/// What was written lately. Keys are hashes; a collision would fold two different reviews, at 2^-64 a pair.
#[derive(Debug, Default)]
pub(super) struct Dedupe {
    seen: HashMap<u64, Seen>,
}

#[derive(Debug)]
struct Seen {
    since: Instant,
    first_seen: String,
    suppressed: u32,
    last: Option<Box<Record>>,
}

impl Dedupe {
    /// The records to write now that `record` came in: itself, nothing, or rollups of what it pushed out.
    pub(super) fn pass(&mut self, record: Record, now: Instant) -> Vec<Record> {
        // People and CI always get their denial on record; only controllers retry by themselves.
        if record.dry_run || (record.decision == "deny" && record.user_kind == "user") {
            return vec![record];
        }
        let mut out = Vec::new();
        if self.seen.len() >= MAX_KEYS {
            out = self.expire(now);
            if self.seen.len() >= MAX_KEYS {
                out.extend(self.flush());
            }
        }
        match self.seen.get_mut(&key(&record)) {
            Some(seen) if now.duration_since(seen.since) < WINDOW => {
                seen.suppressed += 1;
                seen.last = Some(Box::new(record));
            }
            Some(seen) => {
                let before = std::mem::replace(seen, Seen { since: now, first_seen: record.timestamp.clone(), suppressed: 0, last: None });
                out.push(if before.suppressed > 0 { rollup(record, &before) } else { record });
            }
            None => {
                let seen = Seen { since: now, first_seen: record.timestamp.clone(), suppressed: 0, last: None };
                self.seen.insert(key(&record), seen);
                out.push(record);
            }
        }
        out
    }

    /// Forgets what is older than the window; the rollups of what was counted.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Record> {
        let old = self.seen.extract_if(|_, seen| now.duration_since(seen.since) >= WINDOW);
        sorted(old.filter_map(|(_, seen)| take_rollup(seen)))
    }

    /// Forgets everything; the rollups of what was counted.
    pub(super) fn flush(&mut self) -> Vec<Record> {
        sorted(self.seen.drain().filter_map(|(_, seen)| take_rollup(seen)))
    }
}

fn take_rollup(mut seen: Seen) -> Option<Record> {
    let last = seen.last.take()?;
    Some(rollup(*last, &seen))
}

fn rollup(mut record: Record, seen: &Seen) -> Record {
    record.event = "undock.review.rollup".to_owned();
    record.suppressed = seen.suppressed;
    record.first_seen = Some(seen.first_seen.clone());
    record
}

fn sorted(records: impl Iterator<Item = Record>) -> Vec<Record> {
    let mut records: Vec<_> = records.collect();
    records.sort_by(|a, b| (&a.timestamp, &a.review_uid).cmp(&(&b.timestamp, &b.review_uid)));
    records
}

fn key(record: &Record) -> u64 {
    let mut fingerprints: Vec<&str> = record.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
    fingerprints.sort_unstable();
    let mut hasher = DefaultHasher::new();
    (fingerprints, &record.decision, &record.user, &record.error).hash(&mut hasher);
    // Without findings (errors) the object is the identity.
    if record.findings.is_empty() {
        (&record.namespace, &record.object.kind, &record.object.name).hash(&mut hasher);
    }
    hasher.finish()
}
