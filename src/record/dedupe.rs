//! Folds repeats: a controller that retries a refused Pod every few seconds gives one record and a
//! count.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::Record;

/// Repeats within this time are counted, not written.
const WINDOW: Duration = Duration::from_secs(600);
/// Different reviews that are remembered.
const MAX_KEYS: usize = 10_000;

/// What was written lately. Keys are hashes; a collision would fold two different reviews, at 2^-64
/// a pair.
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
    /// The records to write now that `record` came in: itself, nothing, or rollups of what it
    /// pushed out.
    pub(super) fn pass(&mut self, record: Record, now: Instant) -> Vec<Record> {
        // People and pipelines always get their denial on record; only the cluster's own parts
        // retry by themselves.
        let is_denial_of_somebody =
            record.decision == "deny" && matches!(&*record.user_kind, "user" | "serviceaccount");
        if record.dry_run || is_denial_of_somebody {
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
                let before = std::mem::replace(
                    seen,
                    Seen {
                        since: now,
                        first_seen: record.timestamp.clone(),
                        suppressed: 0,
                        last: None,
                    },
                );
                out.push(if before.suppressed > 0 {
                    rollup(record, &before)
                } else {
                    record
                });
            }
            None => {
                let seen = Seen {
                    since: now,
                    first_seen: record.timestamp.clone(),
                    suppressed: 0,
                    last: None,
                };
                self.seen.insert(key(&record), seen);
                out.push(record);
            }
        }
        out
    }

    /// Forgets what is older than the window; the rollups of what was counted.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Record> {
        let old = self
            .seen
            .extract_if(|_, seen| now.duration_since(seen.since) >= WINDOW);
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
    record.event = "undock.review.rollup".into();
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
    let mut fingerprints: Vec<&str> = record
        .findings
        .iter()
        .map(|finding| finding.fingerprint.as_str())
        .collect();
    fingerprints.sort_unstable();
    let mut hasher = DefaultHasher::new();
    // A record holds only the first findings; their number stands for the rest.
    (
        fingerprints,
        record.findings_count,
        &record.decision,
        &record.user,
        &record.error,
    )
        .hash(&mut hasher);
    // Without findings (errors) the object is the identity.
    if record.findings.is_empty() {
        (&record.namespace, &record.object.kind, &record.object.name).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fingerprint: &str, second: u64) -> Record {
        let text = format!(
            r#"{{"@timestamp":"2026-11-23T00:00:{second:02}.000Z","log.level":"warn",
            "message":"m","event.name":"undock.review.flagged","schema.version":"1",
            "service.name":"undock","service.version":"0","review.uid":"u{second}",
            "review.operation":"CREATE","review.dry_run":false,"review.duration_us":1,
            "mode":"warn","decision":"warn","would_deny":true,"k8s.namespace.name":"ci",
            "k8s.object.group":"","k8s.object.version":"v1","k8s.object.kind":"Pod",
            "owner.group":"","owner.kind":"Pod","owner.name":"p","owner.source":"self",
            "user.name":"a","user.kind":"user","findings.count":1,"findings":[{{
            "rule.id":"DKR101","rule.name":"n","severity":"breaks","certainty":"certain",
            "action":"warn","field":"f","evidence":"e","fingerprint":"{fingerprint}",
            "status":"open"}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_window_ends_and_the_next_one_tells_what_it_held() {
        let (mut dedupe, start) = (Dedupe::default(), Instant::now());
        assert_eq!(dedupe.pass(record("a", 0), start).len(), 1);
        for second in 1..=3 {
            assert!(
                dedupe
                    .pass(record("a", second), start + Duration::from_secs(second))
                    .is_empty()
            );
        }
        assert!(
            dedupe
                .expire(start + WINDOW - Duration::from_secs(1))
                .is_empty()
        );
        let out = dedupe.pass(record("a", 9), start + WINDOW);
        assert_eq!(
            (
                &*out[0].event,
                out[0].suppressed,
                out[0].review_uid.as_str()
            ),
            ("undock.review.rollup", 3, "u9")
        );
        assert_eq!(
            out[0].first_seen.as_deref(),
            Some("2026-11-23T00:00:00.000Z")
        );
        assert!(
            dedupe.pass(record("a", 10), start + WINDOW).is_empty(),
            "a new window has begun"
        );
    }

    #[test]
    fn what_nobody_follows_up_is_told_once() {
        let (mut dedupe, start) = (Dedupe::default(), Instant::now());
        dedupe.pass(record("a", 0), start);
        dedupe.pass(record("a", 1), start);
        dedupe.pass(record("b", 2), start);
        let out = dedupe.expire(start + WINDOW);
        assert_eq!(
            out.iter()
                .map(|record| record.review_uid.as_str())
                .collect::<Vec<_>>(),
            ["u1"]
        );
        assert!(dedupe.expire(start + WINDOW * 2).is_empty() && dedupe.flush().is_empty());
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_lost_at_the_bound() {
        let (mut dedupe, now) = (Dedupe::default(), Instant::now());
        let mut told: u32 = 0;
        let keys = MAX_KEYS + 10;
        for round in 0..2 {
            for at in 0..keys {
                told += dedupe
                    .pass(record(&at.to_string(), round), now)
                    .iter()
                    .map(|record| 1 + record.suppressed)
                    .sum::<u32>();
                assert!(dedupe.seen.len() <= MAX_KEYS);
            }
        }
        told += dedupe
            .flush()
            .iter()
            .map(|record| record.suppressed)
            .sum::<u32>();
        assert!(told as usize >= 2 * keys, "{told}");
    }
}
