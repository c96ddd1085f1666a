//! The controller: scans the cluster at the start, when something changes and every hour, and
//! writes what it found into reports, Events and the ConfigMaps that the webhook reads.
//!
//! It is a process of its own, so that nothing that users put into a cluster costs the webhook
//! memory or time. One replica leads. It calls the same [`scan`](crate::scan::scan) as the command
//! line. Failures are counted and logged once; the next scan tries again.

pub mod admin;
pub mod changes;
mod config_maps;
mod events;
mod failure_log;
mod leader;
mod lease;
mod namespaces;
mod nodes;
mod notices;
mod page;
pub mod reports;
mod scans;

use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use kube::Client;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::api::ApiError;
use crate::decision::Policy;
use crate::metrics::ControllerMetrics;
use crate::registration::CONTROLLER;
use failure_log::{Failure, NOT_INSTALLED};
use leader::LeaderGuard;
use lease::Election;

/// For giving the Lease back at the end.
const RELEASE: Duration = Duration::from_secs(2);

/// What the controller writes besides the ConfigMaps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Events on owners. One about a namespace that lost its mode is always written.
    pub events: bool,
    /// Report objects.
    pub reports: bool,
}

/// The state of the controller, which its admin port shows.
pub struct Controller {
    /// How findings become actions; replaced as a whole when the configuration file changes.
    pub policy: ArcSwap<Policy>,
    /// The last scan, as `undock scan -o json` writes it; only the replica that leads has one.
    pub last_scan: ArcSwapOption<Bytes>,
    /// Name of the cluster in scans.
    pub cluster: String,
    /// Counters.
    pub metrics: ControllerMetrics,
    /// Told of whatever makes a new scan worth while.
    pub changed: Notify,
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

impl Controller {
    /// A controller that has not scanned yet.
    pub fn new(policy: Policy, cluster: String) -> Self {
        Self {
            policy: ArcSwap::from_pointee(policy),
            last_scan: ArcSwapOption::empty(),
            cluster,
            metrics: ControllerMetrics::default(),
            changed: Notify::new(),
        }
    }

    /// Takes part in the election and scans while this replica leads, until `stop` ends. Then
    /// another replica may take over.
    pub async fn run(
        self: Arc<Self>,
        client: &Client,
        options: Options,
        stop: impl Future<Output = ()>,
    ) {
        let holder = lease::identity();
        let election = Arc::new(Election::new(client.clone(), holder.clone()));
        tokio::select! {
            () = self.take_part(client, options, &election, &holder) => {}
            () = stop => {}
        }
        self.forget();
        match timeout(RELEASE, election.release()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot release the Lease; it expires by itself");
            }
            Err(_) => tracing::warn!("cannot release the Lease in time; it expires by itself"),
        }
    }

    async fn take_part(
        self: &Arc<Self>,
        client: &Client,
        options: Options,
        election: &Arc<Election>,
        holder: &str,
    ) {
        loop {
            let is_logged = AtomicBool::new(false);
            election.win(|error| self.note(error, &is_logged)).await;
            tracing::info!(holder, "this replica leads");
            self.metrics.leads.set(1);
            let guard = LeaderGuard::new(election, &self.metrics, holder);
            // A task of its own: however busy the others are, the Lease is renewed in time. It ends
            // with the set.
            let mut keeping = JoinSet::new();
            let (controller, kept) = (Arc::clone(self), Arc::clone(election));
            keeping.spawn(async move {
                let is_logged = AtomicBool::new(false);
                kept.keep(|error| controller.note(error, &is_logged)).await;
            });
            tokio::select! {
                _ = keeping.join_next() => tracing::info!("the Lease is lost; this replica does \
                    not scan"),
                () = changes::watch(client, &self.changed, &self.metrics.watch_errors) => {}
                () = nodes::publish(client, &self.metrics.watch_errors, &guard) => {}
                () = scans::run(self, client, options, &guard) => {}
            }
            self.forget();
        }
    }

    /// Counts a failure of the election, and logs the first.
    fn note(&self, error: &dyn Display, is_logged: &AtomicBool) {
        self.metrics.count_write("lease", "failed");
        if !is_logged.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, lease = CONTROLLER,
                "cannot read or write the Lease; this replica does not scan");
        }
    }

    /// What this replica knew as the leader is no longer its to tell.
    fn forget(&self) {
        self.last_scan.store(None);
        self.metrics.forget();
    }
}

/// The word for a failed write in metrics.
fn write_outcome(error: &ApiError) -> &'static str {
    match error {
        ApiError::Forbidden(_) | ApiError::Unauthorized(_) => "forbidden",
        ApiError::Conflict(_) => "conflict",
        ApiError::Terminating | ApiError::NotFound(_) => "gone",
        _ => "failed",
    }
}
