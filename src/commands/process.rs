//! What the verbs that run until they are stopped share: the runtime, ports and signals.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, fail};
use crate::telemetry;

/// Exit codes, for `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 stopped by a signal, 2 wrong usage or configuration, 4 could not run";

/// Runs `work` on this thread, and what it spawns on `worker_threads` others.
pub(super) fn run(
    worker_threads: usize,
    work: impl Future<Output = Result<Exit, (Exit, String)>>,
) -> Exit {
    telemetry::start();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(Exit::Failed, &format!("cannot start: {error}")),
    };
    let exit = runtime
        .block_on(work)
        .unwrap_or_else(|(exit, message)| fail(exit, &message));
    runtime.shutdown_timeout(Duration::from_secs(1));
    exit
}

/// Listens on `address`, which `flag` chooses.
///
/// # Errors
/// See [`cannot_listen`].
pub(super) async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, (Exit, String)> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| cannot_listen(address, &error, flag))
}

/// Says in one line why `address` cannot be had, and what to do.
pub(super) fn cannot_listen(
    address: SocketAddr,
    error: &std::io::Error,
    flag: &str,
) -> (Exit, String) {
    let cure = match error.kind() {
        std::io::ErrorKind::AddrInUse => "another process has this port; stop it or choose another",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose another",
        _ => "choose an address of this machine",
    };
    (
        Exit::Failed,
        format!("cannot listen on {address}: {error}; {cure} with {flag}"),
    )
}

/// The signals that ask for an end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// A terminal that is closed.
    hang_up: Signal,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
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
