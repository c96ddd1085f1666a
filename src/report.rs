//! The migration report: records, audit logs and scans in, what is open, fixed and missed out, and
//! which namespaces can be switched.
//!
//! The clock of a report is the newest moment in its inputs, so the same inputs give the same
//! bytes, in any order and split.

mod assign_cluster;
mod audit;
mod build;
mod burndown;
mod coverage;
pub mod csv;
mod csv_layout;
mod decode;
pub mod diff;
mod disappearance;
mod document;
mod evidence;
mod evidence_store;
mod exemptions;
mod fields;
mod filter;
mod findings;
mod generated_names;
pub mod html;
mod ingest;
mod input;
mod interner;
mod join;
pub mod json;
pub mod markdown;
pub mod model;
mod modes;
mod moved;
mod name_pattern;
mod namespaces;
mod notices;
mod packing;
mod place;
mod reach;
mod renumber;
mod resolution;
mod schedule;
mod selection;
mod summary;
pub mod table;
mod unit;
mod verdict;
mod work;

pub(crate) use resolution::STALE_DAYS;
pub use selection::Selection;

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::decision::Policy;
use crate::finding::text::count;
use decode::Input;
use evidence::DAY;
use evidence_store::EvidenceStore;
use filter::Filter;
use ingest::{Gatherer, Horizon};
use join::Joiner;
use unit::Unit;

/// What a report is asked for.
#[derive(Debug)]
pub struct Options {
    /// The cluster of inputs that name none. Without it, they are of the only cluster that the
    /// others name.
    pub cluster: String,
    /// Target date for the burn-down.
    pub deadline: Option<Date>,
    /// What ended earlier is left out, and would-deny counts from here.
    pub since: Option<Since>,
    /// What is later is left out.
    pub as_of: Option<Timestamp>,
    /// The present, if nothing can be later: what is dated a day after it is an error.
    pub present: Option<Timestamp>,
    /// Days that inputs must cover for a namespace to be READY.
    pub window_days: u32,
    /// Evaluates logged objects by this policy.
    pub replay: Option<Policy>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cluster: String::new(),
            deadline: None,
            since: None,
            as_of: None,
            present: None,
            window_days: 14,
            replay: None,
        }
    }
}

/// A start: a day, or a number of days before the report's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// A day in UTC.
    Date(Date),
    /// Days before the newest moment in the inputs.
    Days(u32),
}

impl Since {
    fn from(self, now: i64) -> i64 {
        match self {
            Self::Date(date) => date
                .to_zoned(TimeZone::UTC)
                .map_or(0, |start| start.timestamp().as_millisecond()),
            Self::Days(days) => now - i64::from(days) * DAY,
        }
    }
}

/// RFC 3339 in UTC, to the second.
fn moment(time: i64) -> String {
    Timestamp::from_millisecond(time)
        .map(|time| format!("{time:.0}"))
        .unwrap_or_default()
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        match (days, text.parse()) {
            (Some(days), _) => Ok(Self::Days(days)),
            (None, Ok(date)) => Ok(Self::Date(date)),
            (None, Err(_)) => {
                Err("write a day as YYYY-MM-DD, or a number of days as 14d".to_owned())
            }
        }
    }
}

/// Different messages about one input that are kept.
const MAX_MESSAGES: usize = 100;

/// Reads inputs and makes the report of them.
#[derive(Debug)]
pub struct Reporter {
    options: Options,
    gatherer: Gatherer,
    /// An earlier report, with its name.
    history: Option<(String, model::Report)>,
}

impl Reporter {
    /// A reporter that has read nothing.
    pub fn new(mut options: Options) -> Self {
        let gatherer = Gatherer {
            store: EvidenceStore::default(),
            cluster: options.cluster.clone(),
            horizon: match (options.as_of, options.present) {
                (Some(last), _) => Horizon::AsOf(last.as_millisecond()),
                (None, Some(present)) => Horizon::Now(present.as_millisecond() + DAY),
                (None, None) => Horizon::None,
            },
            replay: options.replay.take(),
        };
        Self {
            options,
            gatherer,
            history: None,
        }
    }

    /// Reads all of `input`, which errors call `file`.
    ///
    /// What cannot be read is counted and kept for the report; so is an input that holds nothing.
    pub fn read(&mut self, file: &str, input: impl Read) {
        let cluster = self.options.cluster.clone();
        self.read_of(file, input, &cluster);
    }

    /// Reads all of `input` of `cluster`, unless it names another one.
    pub fn read_of(&mut self, file: &str, input: impl Read, cluster: &str) {
        cluster.clone_into(&mut self.gatherer.cluster);
        let filter = Filter::new();
        let mut reading = Reading {
            gatherer: &mut self.gatherer,
            failures: BTreeMap::new(),
            useful: 0,
            early: 0,
            foreign: 0,
            last_foreign: None,
        };
        let mut passed = Passed::default();
        let mut joiner = Joiner::default();
        let mut last_line = 0;
        let result = input::read(input, &mut |unit| {
            last_line = unit.line;
            let bytes = match unit.bytes {
                Ok(bytes) => bytes,
                Err(error) => return reading.fail(unit.line, error.to_owned()),
            };
            joiner.feed(bytes, &mut |line| {
                if reading.gatherer.replay.is_none() && !filter.wants(line) {
                    passed.take(filter.time(line));
                } else {
                    reading.decode(line, unit);
                }
            });
        });
        joiner.finish(&mut |rest| reading.decode(rest, Unit::new(last_line, Ok(&[]))));
        for time in passed.moments() {
            reading.log_time(time);
        }
        match result {
            Ok(None) if last_line == 0 => reading.fail(0, "the input is empty".to_owned()),
            Ok(None) => {}
            Ok(Some(what)) => reading.fail(0, format!("unsupported input, {what}")),
            Err(error) => reading.fail(0, format!("cannot read file: {error}")),
        }
        reading.finish(file);
    }

    /// Keeps what an earlier report says: first moments, ends, days of the burn-down.
    pub fn keep_history(&mut self, file: &str, report: model::Report) {
        self.history = Some((file.to_owned(), report));
    }

    /// Notes an input that could not be read at all.
    pub fn fail(&mut self, file: &str, error: &str) {
        self.gatherer.store.fail(file, 0, error.to_owned(), 1);
    }

    /// The report of all that was read.
    pub fn finish(mut self) -> model::Report {
        if let Some((file, report)) = self.history.take() {
            self.gatherer.cluster.clone_from(&self.options.cluster);
            if let Err(error) = self.gatherer.history(&report) {
                self.fail(&file, &error);
            }
        }
        self.gatherer.store.unite_sets();
        self.gatherer.store.assign_cluster();
        self.gatherer.store.join_generated_names();
        build::build(self.gatherer.store, &self.options)
    }
}

/// One input while it is read.
struct Reading<'r> {
    gatherer: &'r mut Gatherer,
    /// Messages with the first of their lines, and how many lines have them.
    failures: BTreeMap<String, (usize, u64)>,
    /// Records, events and scans.
    useful: u64,
    /// Audit events of stages before the answer.
    early: u64,
    /// Lines of other programs.
    foreign: u64,
    /// Why the last of them is none of ours.
    last_foreign: Option<(usize, String)>,
}

impl Reading<'_> {
    fn decode(&mut self, line: &[u8], unit: Unit<'_>) {
        let cluster = decode::from_log_group(unit.log_group).unwrap_or_default();
        let (gatherer, useful, early) = (&mut *self.gatherer, &mut self.useful, &mut self.early);
        let result = decode::unit(line, &cluster, &mut |input| {
            if matches!(&input, Input::Event(event) if !event.is_complete) {
                *early += 1;
                return Ok(());
            }
            *useful += 1;
            gatherer.take(input)
        });
        match result {
            Ok(()) => {}
            Err(error) if decode::is_foreign(line) => {
                self.foreign += 1;
                self.last_foreign = Some((unit.line, error));
            }
            Err(error) => self.fail(unit.line, error),
        }
    }

    /// Notes that an audit log has a line of this time, which says nothing else.
    fn log_time(&mut self, time: &str) {
        self.useful += 1;
        let cluster = self.gatherer.cluster("");
        match self.gatherer.moment(time, "audit event") {
            Ok(Some(time)) => self.gatherer.store.see(&cluster, time).has_audit = true,
            Ok(None) => {}
            Err(error) => self.fail(0, error),
        }
    }

    fn fail(&mut self, line: usize, message: String) {
        // A log of nothing but errors has as many messages as lines only if somebody plays with it.
        if self.failures.len() < MAX_MESSAGES || self.failures.contains_key(&message) {
            self.failures.entry(message).or_insert((line, 0)).1 += 1;
        }
    }

    fn finish(mut self, file: &str) {
        if self.useful == 0 && self.failures.is_empty() {
            // A single text that breaks off is more likely a part of what was meant than something
            // else.
            let (line, message) = match self.last_foreign.take() {
                Some((line, error)) if self.foreign == 1 && error.contains("ends before") => {
                    (line, error)
                }
                _ if self.early > 0 => (0, no_answers(self.early)),
                _ => (
                    0,
                    "unsupported input; expected records, audit logs or scans".to_owned(),
                ),
            };
            self.fail(line, message);
        }
        self.gatherer.store.foreign += self.foreign;
        for (message, (line, count)) in self.failures {
            let message = match count {
                1 => message,
                count => format!("{message} ({count} lines)"),
            };
            self.gatherer.store.fail(file, line, message, count);
        }
    }
}

fn no_answers(events: u64) -> String {
    format!(
        "{} without an answer: let the audit policy keep the stage ResponseComplete (omitStages)",
        count(events, "audit event")
    )
}

/// Moments of lines that are not read, as text: the oldest and the newest of each day. Those of one
/// log sort as times do.
#[derive(Default)]
struct Passed(BTreeMap<[u8; 10], (Moment, Moment)>);

/// `2026-11-22T20:31:07.412345Z`
type Moment = [u8; 27];

impl Passed {
    /// Ten years of days; beyond them somebody plays with the log.
    const MAX_DAYS: usize = 3_660;

    fn take(&mut self, time: Option<&[u8]>) {
        let time = time.and_then(|time| Some((*time.first_chunk()?, Moment::try_from(time).ok()?)));
        let Some((day, time)) =
            time.filter(|(day, _)| self.0.len() < Self::MAX_DAYS || self.0.contains_key(day))
        else {
            return;
        };
        let (oldest, newest) = self.0.entry(day).or_insert((time, time));
        *oldest = time.min(*oldest);
        *newest = time.max(*newest);
    }

    fn moments(&self) -> impl Iterator<Item = &str> {
        let times = self
            .0
            .values()
            .flat_map(|(oldest, newest)| [oldest, newest]);
        times.filter_map(|time| std::str::from_utf8(time).ok())
    }
}
