//! The way from a review to its line on stdout: a bounded queue and a thread. A full queue or a
//! slow pipe costs records, which are counted, and never time.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::Record;
use super::dedupe::Dedupe;

/// Records that may wait; at 1.5 kB each a few MiB at most.
const CAPACITY: usize = 1024;
/// How long the thread lets records gather: a burst then costs one write, and wakes the thread
/// once.
const GATHER: Duration = Duration::from_millis(5);
/// Most records of one write.
const MAX_BATCH: usize = 256;
/// How often repeats that nobody followed up are written.
const SWEEP: Duration = Duration::from_secs(60);
/// How long a stop waits for a reader that no longer reads.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// What became of the records so far. Clones share the counters.
#[derive(Clone, Debug)]
pub struct Counts {
    /// All three, by outcome, as one metric.
    pub by_outcome: Family<[(&'static str, &'static str); 1], Counter>,
    /// Lines on stdout.
    pub written: Counter,
    /// Repeats that only a rollup counts.
    pub suppressed: Counter,
    /// Lost: the queue was full, or the line could not be written.
    pub dropped: Counter,
}

impl Default for Counts {
    fn default() -> Self {
        let by_outcome = Family::<[(&'static str, &'static str); 1], Counter>::default();
        let of = |outcome| by_outcome.get_or_create(&[("outcome", outcome)]).clone();
        Self {
            written: of("written"),
            suppressed: of("suppressed"),
            dropped: of("dropped"),
            by_outcome,
        }
    }
}

/// The entry of the queue. Clones share it.
#[derive(Clone, Debug)]
pub struct Queue {
    sender: SyncSender<Item>,
    counts: Counts,
}

/// The writing end; [`Writer::stop`] flushes it.
#[derive(Debug)]
pub struct Writer {
    sender: SyncSender<Item>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Item {
    /// In a box: records themselves would make the queue a ring of a megabyte, which displaces what
    /// the next review needs from the processor's caches.
    Record(Box<Record>),
    Stop,
}

impl Queue {
    /// A queue whose records are written to `out` by a thread of its own.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<(Self, Writer)> {
        let (sender, receiver) = sync_channel(CAPACITY);
        let counts = Counts::default();
        let shared = counts.clone();
        let thread = std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || write_all(&receiver, out, &shared))?;
        let writer = Writer {
            sender: sender.clone(),
            thread,
        };
        Ok((Self { sender, counts }, writer))
    }

    /// Adds a record, or counts its loss. Never waits.
    pub fn push(&self, record: Box<Record>) {
        if self.sender.try_send(Item::Record(record)).is_err() {
            self.counts.dropped.inc();
        }
    }

    /// What became of the records so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Writer {
    /// Writes what is in the queue and the rollups, then ends; gives up on a reader that does not
    /// read. A [`Queue`] may still be held, by a connection that does not end: what it adds later
    /// is lost, and counted.
    pub fn stop(self) {
        let deadline = Instant::now() + STOP_DEADLINE;
        let mut is_told = false;
        while !self.thread.is_finished() {
            is_told =
                is_told || !matches!(self.sender.try_send(Item::Stop), Err(TrySendError::Full(_)));
            if Instant::now() >= deadline {
                tracing::warn!("stdout is not being read: the last records are lost");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn write_all(receiver: &Receiver<Item>, mut out: impl Write, counts: &Counts) {
    let mut dedupe = Dedupe::default();
    let mut next_sweep = Instant::now() + SWEEP;
    let mut is_told_to_stop = false;
    while !is_told_to_stop {
        let wait = next_sweep.saturating_duration_since(Instant::now());
        let mut records = Vec::new();
        match receiver.recv_timeout(wait) {
            Ok(first) => {
                if matches!(first, Item::Record(_)) {
                    std::thread::sleep(GATHER);
                }
                for item in std::iter::once(first)
                    .chain(receiver.try_iter())
                    .take(MAX_BATCH)
                {
                    let Item::Record(record) = item else {
                        is_told_to_stop = true;
                        break;
                    };
                    let passed = dedupe.pass(*record, Instant::now());
                    if passed.is_empty() {
                        counts.suppressed.inc();
                    }
                    records.extend(passed);
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                next_sweep = Instant::now() + SWEEP;
                records = dedupe.expire(Instant::now());
            }
            Err(RecvTimeoutError::Disconnected) => is_told_to_stop = true,
        }
        if is_told_to_stop {
            records.extend(dedupe.flush());
        }
        write(&mut out, &mut records, counts);
    }
}

fn write(out: &mut impl Write, records: &mut [Record], counts: &Counts) {
    for batch in records.chunks_mut(MAX_BATCH) {
        let lines = batch
            .iter_mut()
            .map(Record::line)
            .collect::<Vec<_>>()
            .concat();
        let outcome = match out.write_all(&lines).and_then(|()| out.flush()) {
            Ok(()) => &counts.written,
            Err(error) => {
                tracing::error!(%error, lost = batch.len(), "records cannot be written to stdout");
                &counts.dropped
            }
        };
        outcome.inc_by(batch.len() as u64);
    }
}
