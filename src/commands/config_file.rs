//! The configuration file: read at the start, and by a running process again when its content
//! changes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::config::{Config, ConfigError};

/// The configuration in the file at `path`; the default without a file.
pub(super) fn read(path: Option<&Path>) -> Result<Config, ConfigError> {
    path.map_or_else(|| Ok(Config::default()), Config::read)
}

/// How often the file is read.
const POLL: Duration = Duration::from_secs(2);

/// Gives every changed content of the file at `path` to `take`, until it is dropped.
pub(super) async fn watch(path: &Path, take: impl Fn(Result<Config, ConfigError>)) {
    let mut last = fs::read(path).unwrap_or_default();
    loop {
        tokio::time::sleep(POLL).await;
        let Ok(now) = fs::read(path) else { continue };
        if now == last {
            continue;
        }
        let read = Config::parse(&String::from_utf8_lossy(&now), path);
        match &read {
            Ok(_) => tracing::info!(path = %path.display(), "reloaded configuration"),
            Err(error) => tracing::warn!(%error, "keeping the old configuration"),
        }
        take(read);
        last = now;
    }
}

/// Logs that a new name of the cluster has to wait.
pub(super) fn tell_new_name(now: &str, wanted: &str) {
    if now != wanted {
        tracing::warn!(
            cluster = now,
            "the cluster's new name is taken at the next start"
        );
    }
}
