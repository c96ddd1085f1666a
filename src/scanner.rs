//! The elected scanner: one replica scans the cluster at the start, when something changes and every hour, and tells people in it.
//!
//! It has a thread and a connection of its own, so that no review ever waits behind it. It calls the same [`scan`] as the
//! command line. Whatever fails is counted and said once; the next scan tries again.

pub mod changes;
mod events;
pub mod lease;
pub mod reports;
mod told;
mod trouble;
mod write;

use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use jiff::Timestamp;
use kube::Client;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cluster;
use crate::decision::{Mode, Policy};
use crate::metrics::ScanMetrics;
use crate::scan::{Scanned, Scope, groups, json, scan};
use crate::server::SharedApp;
use events::Memory;
use lease::Election;
use reports::FLAVOURS;
use trouble::{NOT_INSTALLED, Said, Trouble};

/// Between two scans when nothing changes.
const INTERVAL: Duration = Duration::from_secs(3600);
/// The same after a scan that could not read or write everything, for a reason that may pass.
const RETRY: Duration = Duration::from_secs(300);
/// From a change to the scan: what follows it closely is seen by the same one.
const SETTLE: Duration = Duration::from_secs(3);
/// Scans for changes take at most a sixth of the time.
const REST: u32 = 5;
/// For giving the Lease back at the end.
const RELEASE: Duration = Duration::from_secs(2);

/// What the scanner writes, and where it reads.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Kubeconfig; the Pod's service account without one.
    pub kubeconfig: Option<PathBuf>,
    /// Events on owners.
    pub events: bool,
    /// Report objects.
    pub reports: bool,
}

/// The running scanner.
#[derive(Debug)]
pub struct Scanner {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Scanner {
    /// Takes part in the election. `changed` is told by whoever learns of a change.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(app: SharedApp, options: Options, changed: Arc<Notify>) -> io::Result<Self> {
        let (stop, stopping) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let work = move || {
            let scans =
                AssertUnwindSafe(|| runtime.block_on(run(&app, options, &changed, stopping)));
            if catch_unwind(scans).is_err() {
                forget(&app);
                tracing::error!(
                    "a defect of undock ended the scans of this replica, reviews go on; please report it"
                );
            }
        };
        let thread = thread::Builder::new()
            .name("scanner".to_owned())
            .spawn(work)?;
        Ok(Self { stop, thread })
    }

    /// Asks it to stop, and to let another replica take over.
    pub fn stop(&self) {
        // Nobody listens if it has ended by itself.
        let _ = self.stop.send(true);
    }

    /// Waits until it has stopped.
    pub fn join(self) {
        self.stop();
        // It lets no panic through.
        let _ = self.thread.join();
    }
}

async fn run(
    app: &SharedApp,
    options: Options,
    changed: &Notify,
    mut stopping: watch::Receiver<bool>,
) {
    let client = match cluster::connect(options.kubeconfig.as_deref()).await {
        Ok(Some(client)) => client,
        Ok(None) => return tracing::error!("there is no cluster to scan"),
        Err(error) => return tracing::error!(%error, "there are no scans"),
    };
    let holder = lease::identity();
    let election = Election::new(client.clone(), holder.clone());
    let mut said = Said::default();
    let stop = async {
        // An error means that whoever would ask is gone.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let failures = Failures {
        app,
        said: Default::default(),
    };
    let scan = async {
        loop {
            election.win(|error| failures.note(error)).await;
            failures.said.set(false);
            tracing::info!(holder, "this replica scans the cluster");
            app.metrics.scan.leads.set(1);
            let pen = Pen {
                election: &election,
                metrics: &app.metrics.scan,
                holder: &holder,
            };
            tokio::select! {
                () = election.keep(|error| failures.note(error)) => tracing::info!("the Lease is lost, so this replica does not scan"),
                () = changes::watch(&client, changed, &app.metrics.watch_errors) => {}
                () = scan_on(app, &client, &options, changed, &pen, &mut said) => {}
            }
            forget(app);
        }
    };
    tokio::select! {
        () = scan => {}
        () = stop => {}
    }
    forget(app);
    match timeout(RELEASE, election.release()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "the Lease could not be given back; it runs out by itself")
        }
        Err(_) => {
            tracing::warn!("the Lease could not be given back in time; it runs out by itself")
        }
    }
}

/// What this replica knew as the scanner is no longer its to tell.
fn forget(app: &SharedApp) {
    app.last_scan.store(None);
    app.metrics.scan.forget();
}

/// Scans until it is dropped.
async fn scan_on(
    app: &SharedApp,
    client: &Client,
    options: &Options,
    changed: &Notify,
    pen: &Pen<'_>,
    said: &mut Said,
) {
    let mut memory = Memory::default();
    loop {
        // What changed until now is in the scan that begins.
        let _ = changed.notified().now_or_never();
        let (troubles, took) = scan_once(app, client, options, pen, &mut memory).await;
        let pause = if troubles.iter().all(Trouble::lasts) {
            INTERVAL
        } else {
            RETRY
        };
        said.say(troubles);
        let rested = Instant::now() + took * REST;
        let change = async {
            changed.notified().await;
            sleep_until(rested.max(Instant::now() + SETTLE)).await;
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = change => {}
        }
    }
}

/// Scans, and makes the cluster's reports and Events say what was found. The time is that of the scan; Events go at a slow pace.
async fn scan_once(
    app: &SharedApp,
    client: &Client,
    options: &Options,
    pen: &Pen<'_>,
    memory: &mut Memory,
) -> (Vec<Trouble>, Duration) {
    let metrics = &app.metrics.scan;
    let own: Arc<Policy> = app.policy.load_full();
    // As on the command line, the question is what enforce would refuse.
    let policy = Policy {
        mode: Mode::Enforce,
        ..(*own).clone()
    };
    let scope = Scope::default();
    let (time, began) = (Timestamp::now(), Instant::now());
    let scanned = match scan(client, &scope, &policy, &mut |_| ()).await {
        Ok(scanned) => scanned,
        Err(error) => {
            metrics.count_error(error.reason());
            return (
                vec![Trouble::new(
                    "scan",
                    error.reason(),
                    format!("cannot scan: {error}"),
                )],
                began.elapsed(),
            );
        }
    };
    let took = began.elapsed();
    metrics.take(&scanned, time, took);
    let mut bytes = Vec::new();
    let about = json::About {
        cluster: &app.cluster,
        time: time.to_string(),
        scope: &scope,
    };
    if json::write(&mut bytes, &scanned, &policy, &about).is_ok() {
        app.last_scan.store(Some(Arc::new(Bytes::from(bytes))));
    }
    let mut troubles: Vec<Trouble> = scanned.errors.iter().map(Trouble::from).collect();
    troubles
        .iter()
        .for_each(|trouble| metrics.count_error(trouble.reason));
    tracing::info!(
        owners = scanned.owners.len(),
        flagged = scanned.flagged(),
        pods = scanned.pods,
        errors = scanned.errors.len(),
        seconds = took.as_secs_f64(),
        "scanned the cluster"
    );
    // Without them neither modes nor exemptions are known, and everything that would be said could be wrong.
    if scanned
        .parts
        .iter()
        .any(|read| read.part == "namespaces" && !read.complete)
    {
        return (troubles, took);
    }
    troubles.extend(publish(&scanned, own.mode, client, options, pen, memory).await);
    (troubles, took)
}

async fn publish(
    scanned: &Scanned,
    default: Mode,
    client: &Client,
    options: &Options,
    pen: &Pen<'_>,
    memory: &mut Memory,
) -> Vec<Trouble> {
    let told = told::told(scanned, default);
    let is_whole = scanned.errors.is_empty();
    let mut troubles = Vec::new();
    if options.reports {
        match groups(client).await {
            Ok(groups) => match FLAVOURS
                .iter()
                .find(|flavour| groups.contains_key(flavour.group))
            {
                Some(flavour) => {
                    troubles.extend(reports::publish(client, flavour, &told, is_whole, pen).await)
                }
                None => {
                    pen.count("report", NOT_INSTALLED);
                    let message = "neither openreports.io nor wgpolicyk8s.io is installed, so no reports are written";
                    troubles.push(Trouble::new("report", NOT_INSTALLED, message.to_owned()));
                }
            },
            Err(error) => troubles.push(Trouble::new("report", error.reason(), error.to_string())),
        }
    }
    if options.events {
        troubles.extend(events::publish(client, memory, scanned, &told, is_whole, pen).await);
    }
    troubles
}

/// The right to write, which ends with the Lease, and the count of what was written.
struct Pen<'p> {
    election: &'p Election,
    metrics: &'p ScanMetrics,
    holder: &'p str,
}

impl Pen<'_> {
    fn is_held(&self) -> bool {
        self.election.is_held()
    }

    fn count(&self, object: &'static str, outcome: &'static str) {
        self.metrics.count_write(object, outcome);
    }
}

/// Failures of the election, said once.
struct Failures<'f> {
    app: &'f SharedApp,
    said: std::cell::Cell<bool>,
}

impl Failures<'_> {
    fn note(&self, error: &dyn Display) {
        self.app.metrics.scan.count_write("lease", "failed");
        if !self.said.replace(true) {
            tracing::warn!(%error, lease = lease::NAME, "the Lease cannot be read or written; until it can, this replica does not scan");
        }
    }
}
