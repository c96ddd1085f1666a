//! The webhook server: TLS listener, review endpoint, admin endpoint, and their orderly end.

pub mod access;
pub mod admin;
pub mod body;
pub mod callers;
mod certificate_error;
pub mod certificates;
pub mod client_certificate;
mod connections;
pub mod file_watch;
mod header_deadline;
mod limits;
pub mod listener;
pub mod routes;
pub mod self_check;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::admission::{NotAReview, Reviewed};
use crate::decision::{OwnerExemptions, Policy};
use crate::metrics::Metrics;
use crate::record::queue::Queue;
use crate::workload::budget::Budget;

/// Evaluates a body within a budget, as [`crate::admission::review_within`] does.
pub type Evaluate =
    fn(&[u8], &Policy, Budget, Option<&OwnerExemptions>) -> Result<Reviewed, NotAReview>;

/// What every request sees.
pub struct App {
    /// How findings become actions; replaced as a whole when the configuration file changes.
    pub policy: ArcSwap<Policy>,
    /// The cluster that undock runs in, if it runs in one.
    pub client: Option<kube::Client>,
    /// Name of the cluster in records.
    pub cluster: String,
    /// Where records go.
    pub records: Queue,
    /// Counters.
    pub metrics: Metrics,
    /// Evaluates a body; a field, so that a test can put a defect in its place.
    pub review: Evaluate,
    /// Who is answered.
    pub callers: callers::Callers,
    /// Where the life of the server stands.
    pub state: State,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // kube's client has no debug form, and the rest is large.
        f.debug_struct("App")
            .field("cluster", &self.cluster)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The life of the server, as health checks and responses see it.
#[derive(Debug)]
pub struct State {
    listening: AtomicBool,
    draining: AtomicBool,
    large_bodies: body::Rooms,
    large_reviews: Arc<Semaphore>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            listening: AtomicBool::default(),
            draining: AtomicBool::default(),
            large_bodies: body::Rooms::default(),
            large_reviews: Arc::new(Semaphore::new(routes::LARGE_AT_ONCE)),
        }
    }
}

impl State {
    /// The TLS port answers.
    pub fn set_listening(&self) {
        self.listening.store(true, Ordering::Release);
    }

    /// The end has begun: not ready, and every answer closes its connection.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// The memory that large bodies share.
    fn large_bodies(&self) -> &body::Rooms {
        &self.large_bodies
    }

    /// Bytes that large bodies hold at the moment.
    pub fn large_bodies_taken(&self) -> usize {
        self.large_bodies.taken()
    }

    /// The turns that large requests take to be evaluated.
    pub(crate) fn large_reviews(&self) -> Arc<Semaphore> {
        Arc::clone(&self.large_reviews)
    }

    /// See [`State::set_listening`].
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Acquire)
    }

    /// See [`State::set_draining`].
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// The app as handlers share it.
pub type SharedApp = Arc<App>;
