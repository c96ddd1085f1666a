//! What the verbs that run until they are stopped share: the runtime, ports and signals.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, Failure, failed};
use crate::telemetry;

/// Exit codes, for `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 stopped by a signal, 2 wrong usage or configuration, 4 could not run";

/// Runs `work` on this thread, and what it spawns on `worker_threads` others.
pub(super) fn run(
    worker_threads: usize,
    work: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    telemetry::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads)
        .enable_all()
        .build()
        .map_err(|error| failed(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// Listens on `address`, which `flag` chooses.
///
/// # Errors
/// See [`cannot_listen`].
pub(super) async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| cannot_listen(address, &error, flag))
}

/// Says in one line why `address` cannot be had, and what to do.
pub(super) fn cannot_listen(address: SocketAddr, error: &std::io::Error, flag: &str) -> Failure {
    let cure = match error.kind() {
        std::io::ErrorKind::AddrInUse => "another process has this port; stop it or choose another",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose another",
        _ => "choose an address of this machine",
    };
    failed(format!(
        "cannot listen on {address}: {error}; {cure} with {flag}"
    ))
}

/// The signals that ask for an end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// A terminal that is closed.
    hang_up: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Failure> {
        let wait_for = |kind| {
            signal(kind).map_err(|error| failed(format!("cannot wait for signals: {error}")))
        };
        Ok(Self {
            terminate: wait_for(SignalKind::terminate())?,
            interrupt: wait_for(SignalKind::interrupt())?,
            hang_up: wait_for(SignalKind::hangup())?,
        })
    }

    /// Waits for one: true for SIGTERM, which comes from kubelet, false for Ctrl-C and a closed
    /// terminal.
    pub(super) async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => false,
            _ = self.hang_up.recv() => false,
        }
    }
}
