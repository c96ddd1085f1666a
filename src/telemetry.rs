//! Operational logs, on stderr: stdout carries nothing but records and results.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `UNDOCK_LOG` takes the filters of tracing-subscriber; JSON unless a person is
/// looking.
pub fn start() {
    // kube logs every request that fails; what that means is said once, by whoever asked.
    let filter = EnvFilter::try_from_env("UNDOCK_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,kube_client=off"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.compact().init();
    } else {
        builder.json().flatten_event(true).init();
    }
}
