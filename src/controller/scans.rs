//! Scans while this replica leads, and what follows from each.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use jiff::Timestamp;
use kube::Client;
use tokio::time::{Instant, sleep, sleep_until};

use super::events::{self, EventState};
use super::failure_log::FailureLog;
use super::reports::{self, FLAVOURS};
use super::{Controller, Failure, LeaderGuard, NOT_INSTALLED, Options, namespaces, notices};
use crate::decision::{Mode, Policy};
use crate::output::scan_json;
use crate::scan::{Scanned, Scope, groups, scan};

/// Between two scans when nothing changes.
const INTERVAL: Duration = Duration::from_secs(3600);
/// The same after a scan that could not read or write everything, for a reason that may pass.
const RETRY: Duration = Duration::from_secs(300);
/// From a change to the scan: what follows it closely is seen by the same one.
const SETTLE: Duration = Duration::from_secs(3);
/// Scans for changes take at most a sixth of the time.
const REST: u32 = 5;

/// Scans until it is dropped.
pub(super) async fn run(
    controller: &Controller,
    client: &Client,
    options: Options,
    guard: &LeaderGuard<'_>,
) {
    let mut state = EventState::default();
    let mut log = FailureLog::default();
    loop {
        // What changed until now is in the scan that begins.
        let _ = controller.changed.notified().now_or_never();
        let (failures, took) = scan_once(controller, client, options, guard, &mut state).await;
        let pause = if failures.iter().all(Failure::lasts) {
            INTERVAL
        } else {
            RETRY
        };
        log.log(failures);
        let rested = Instant::now() + took * REST;
        let change = async {
            controller.changed.notified().await;
            sleep_until(rested.max(Instant::now() + SETTLE)).await;
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = change => {}
        }
    }
}

/// Scans, and makes the cluster's reports and Events say what was found. The time is that of the
/// scan; Events go at a slow pace.
async fn scan_once(
    controller: &Controller,
    client: &Client,
    options: Options,
    guard: &LeaderGuard<'_>,
    state: &mut EventState,
) -> (Vec<Failure>, Duration) {
    let metrics = &controller.metrics;
    let own: Arc<Policy> = controller.policy.load_full();
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
            let message = format!("cannot scan: {error}");
            let failure = Failure::new("scan", error.reason(), message);
            return (vec![failure], began.elapsed());
        }
    };
    let took = began.elapsed();
    metrics.take(&scanned, time, took);
    let mut bytes = Vec::new();
    let about = scan_json::About {
        cluster: &controller.cluster,
        time: time.to_string(),
        scope: &scope,
    };
    if scan_json::write(&mut bytes, &scanned, &policy, &about).is_ok() {
        controller
            .last_scan
            .store(Some(Arc::new(Bytes::from(bytes))));
    }
    let mut failures: Vec<Failure> = scanned.errors.iter().map(Failure::from).collect();
    failures
        .iter()
        .for_each(|failure| metrics.count_error(failure.reason));
    tracing::info!(
        owners = scanned.owners.len(),
        flagged = scanned.flagged(),
        pods = scanned.pods,
        errors = scanned.errors.len(),
        seconds = took.as_secs_f64(),
        "scanned the cluster"
    );
    // Without them neither modes nor exemptions are known, and everything that would be said could
    // be wrong.
    if scanned
        .parts
        .iter()
        .any(|read| read.part == "namespaces" && !read.complete)
    {
        return (failures, took);
    }
    failures.extend(publish(&scanned, own.mode, client, options, guard, state).await);
    (failures, took)
}

async fn publish(
    scanned: &Scanned,
    default: Mode,
    client: &Client,
    options: Options,
    guard: &LeaderGuard<'_>,
    state: &mut EventState,
) -> Vec<Failure> {
    let owners = notices::collect(scanned, default);
    let is_whole = scanned.errors.is_empty();
    let mut failures = Vec::new();
    let lost = match namespaces::compare(client, scanned, default, guard).await {
        Ok(lost) => lost,
        Err(failure) => {
            failures.push(failure);
            Vec::new()
        }
    };
    for lost in &lost {
        tracing::warn!(namespace = lost.namespace, "{}", lost.note());
    }
    if options.reports {
        match groups(client).await {
            Ok(groups) => match FLAVOURS
                .iter()
                .find(|flavour| groups.contains_key(flavour.group))
            {
                Some(flavour) => {
                    let series = scanned.owners.iter().filter(|owner| owner.is_series);
                    let seen = series.map(|owner| &*owner.uid).collect();
                    let published =
                        reports::publish(client, flavour, &owners, &seen, is_whole, guard);
                    failures.extend(published.await);
                }
                None => {
                    guard.count("report", NOT_INSTALLED);
                    let message = "neither openreports.io nor wgpolicyk8s.io is installed, so no \
                        reports are written";
                    failures.push(Failure::new("report", NOT_INSTALLED, message.to_owned()));
                }
            },
            Err(error) => {
                failures.push(Failure::new("report", error.reason(), error.to_string()));
            }
        }
    }
    // Whoever set the mode relied on it, whatever is told about workloads.
    let mut notices = events::lost_modes(&lost);
    if options.events {
        let today = crate::decision::today();
        notices.extend(state.notices(scanned, &owners, is_whole, today));
    }
    failures.extend(events::publish(client, notices, guard).await);
    failures
}
