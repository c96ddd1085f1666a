//! The open connections of the TLS port: how many there may be, and which one makes room for a new
//! one.
//!
//! Anybody in the cluster can open connections, and only the API server matters. So when all places
//! are taken, the least trusted connection that has been quiet for the longest time is closed.
//! Connections that proved to be the API server's, or at least have sent reviews, are closed only
//! when no stranger is left.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::Request;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A connection is left alone for this long after it was opened or used: a burst of API servers
/// must not push itself out before it has sent anything.
const GRACE: Duration = Duration::from_millis(250);

/// A request of a trusted connection protects it for this long. A body that takes longer is not an
/// API server's.
const BUSY_GRACE: Duration = Duration::from_secs(5);

/// How often a full table is looked at again.
const RETRY: Duration = Duration::from_millis(25);

/// What a connection has shown of itself, the least trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// Nothing yet.
    Stranger,
    /// It has sent an AdmissionReview, which anybody can.
    Reviewer,
    /// It has shown the certificate or the token of the API server.
    ApiServer,
}

/// All connections of one listener.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    start: Instant,
    open: Mutex<Vec<Arc<Entry>>>,
    closed: Notify,
}

/// What is known of one connection; changed without the lock.
#[derive(Debug)]
struct Entry {
    trust: AtomicU8,
    /// Requests that are being answered.
    requests: AtomicU32,
    /// When it was opened, or a request last began or ended: milliseconds since the start of the
    /// table.
    used: AtomicU64,
    evicted: Notify,
}

/// A connection's place in the table; dropping it frees the place.
#[derive(Debug)]
pub(super) struct Slot {
    entry: Arc<Entry>,
    connections: Arc<Connections>,
}

impl Connections {
    /// A table with room for `most` connections.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            start: Instant::now(),
            open: Mutex::default(),
            closed: Notify::new(),
        })
    }

    /// A place for a new connection, and whether another one was closed for it. Waits only while
    /// every connection is within its grace.
    pub(super) async fn place(self: &Arc<Self>) -> (Slot, bool) {
        loop {
            if let Some(placed) = self.try_place(self.now()) {
                return placed;
            }
            // Either a connection ends, or one becomes old enough to be closed.
            let _ = tokio::time::timeout(RETRY, self.closed.notified()).await;
        }
    }

    fn try_place(self: &Arc<Self>, now: u64) -> Option<(Slot, bool)> {
        let mut open = self.lock();
        let is_full = open.len() >= self.most;
        if is_full {
            // Trusted connections stay as long as there is a stranger, even one that is new.
            let least = open.iter().map(|entry| entry.trust()).min()?;
            let victim = (0..open.len())
                .filter(|at| open[*at].trust() == least && open[*at].may_be_evicted(now))
                .min_by_key(|at| open[*at].rank())?;
            open.swap_remove(victim).evicted.notify_one();
        }
        let entry = Arc::new(Entry {
            trust: AtomicU8::new(Trust::Stranger as u8),
            requests: AtomicU32::new(0),
            used: AtomicU64::new(now),
            evicted: Notify::new(),
        });
        open.push(Arc::clone(&entry));
        let place = Slot {
            entry,
            connections: Arc::clone(self),
        };
        Some((place, is_full))
    }

    /// The list is whole after each statement, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Entry {
    fn trust(&self) -> u8 {
        self.trust.load(Ordering::Relaxed)
    }

    fn is_busy(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    fn may_be_evicted(&self, now: u64) -> bool {
        let grace = if self.trust() > Trust::Stranger as u8 && self.is_busy() {
            BUSY_GRACE
        } else {
            GRACE
        };
        let quiet = now.saturating_sub(self.used.load(Ordering::Relaxed));
        u128::from(quiet) >= grace.as_millis()
    }

    /// Of equally trusted connections the least is closed first: idle before busy, then the one
    /// unused for longest.
    fn rank(&self) -> (bool, u64) {
        (self.is_busy(), self.used.load(Ordering::Relaxed))
    }
}

impl Slot {
    /// Ends when this connection has to make room.
    pub(super) async fn evicted(&self) {
        self.entry.evicted.notified().await;
    }

    /// The connection has shown this; what it has shown before stays.
    pub(super) fn trust(&self, trust: Trust) {
        self.entry.trust.fetch_max(trust as u8, Ordering::Relaxed);
    }

    /// Notes on `request` that this connection has shown nothing yet, if so: few requests take it.
    pub(super) fn mark<B>(&self, request: &mut Request<B>) {
        if self.entry.trust() == Trust::Stranger as u8 {
            request.extensions_mut().insert(Trust::Stranger);
        }
    }

    /// The headers of a request are complete.
    pub(super) fn begin(&self) {
        self.entry.requests.fetch_add(1, Ordering::Relaxed);
        self.touch();
    }

    /// A request has been answered, or given up.
    pub(super) fn end(&self) {
        self.entry.requests.fetch_sub(1, Ordering::Relaxed);
        self.touch();
    }

    fn touch(&self) {
        let now = self.connections.now();
        self.entry.used.store(now, Ordering::Relaxed);
    }
}

/// True if the connection of `request` had shown nothing of itself before.
pub(super) fn is_from_stranger<B>(request: &Request<B>) -> bool {
    request.extensions().get() == Some(&Trust::Stranger)
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        if let Some(at) = open
            .iter()
            .position(|entry| Arc::ptr_eq(entry, &self.entry))
        {
            open.swap_remove(at);
        }
        drop(open);
        self.connections.closed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table, and a connection of each of `shown`, used at that moment.
    fn table(most: usize, shown: &[(Trust, bool, u64)]) -> (Arc<Connections>, Vec<Slot>) {
        let connections = Connections::new(most);
        let places = shown.iter().map(|(trust, is_busy, used)| {
            let (place, _) = connections.try_place(*used).unwrap();
            place.trust(*trust);
            place
                .entry
                .requests
                .store(u32::from(*is_busy), Ordering::Relaxed);
            place
        });
        let places = places.collect();
        (connections, places)
    }

    fn is_open(connections: &Connections, place: &Slot) -> bool {
        let open = connections.lock();
        open.iter().any(|entry| Arc::ptr_eq(entry, &place.entry))
    }

    /// The order in which connections make room, as positions in `shown`.
    fn order(shown: &[(Trust, bool, u64)], now: u64) -> Vec<usize> {
        let (connections, places) = table(shown.len(), shown);
        let (mut order, mut kept) = (Vec::new(), Vec::new());
        while let Some((new, was_full)) = connections.try_place(now) {
            assert!(was_full);
            let closed = |at: &usize| !order.contains(at) && !is_open(&connections, &places[*at]);
            let next = (0..places.len()).find(closed).unwrap();
            order.push(next);
            // What came for it is of no interest here.
            new.trust(Trust::ApiServer);
            new.entry.used.store(now, Ordering::Relaxed);
            kept.push(new);
        }
        order
    }

    #[test]
    fn strangers_go_before_reviewers_and_idle_before_busy_and_old_before_new() {
        use Trust::{ApiServer, Reviewer, Stranger};
        let shown = [
            (ApiServer, false, 0),
            (Reviewer, false, 1),
            (Stranger, true, 2),
            (Stranger, false, 9),
            (Stranger, false, 4),
            (Reviewer, true, 3),
        ];
        assert_eq!(order(&shown, 60_000), [4, 3, 2, 1, 5, 0]);
    }

    #[test]
    fn what_was_just_used_stays() {
        use Trust::{Reviewer, Stranger};
        let shown = [
            (Stranger, false, 1_000),
            (Stranger, false, 1_200),
            (Reviewer, true, 0),
        ];
        assert_eq!(order(&shown, 1_260), [0]);
        assert_eq!(order(&shown, 4_999), [0, 1]);
        assert_eq!(order(&shown, 5_000), [0, 1, 2]);
    }

    #[test]
    fn a_place_that_is_given_back_is_free_at_once() {
        let (connections, mut places) = table(1, &[(Trust::ApiServer, true, 0)]);
        assert!(connections.try_place(100).is_none());
        places.clear();
        assert!(matches!(connections.try_place(100), Some((_, false))));
    }

    #[test]
    fn a_request_counts_as_use() {
        let (_, places) = table(1, &[(Trust::Stranger, false, 0)]);
        std::thread::sleep(Duration::from_millis(3));
        places[0].begin();
        assert!(places[0].entry.is_busy() && places[0].entry.rank().1 > 0);
        places[0].end();
        assert!(!places[0].entry.is_busy());
    }
}
