//! The configuration file: read at the start, and by a running process again when its content
//! changes.

use std::path::Path;

use crate::config::{Config, ConfigError};
use crate::server::file_watch;

/// The configuration in the file at `path`; the default without a file.
pub(super) fn read(path: Option<&Path>) -> Result<Config, ConfigError> {
    path.map_or_else(|| Ok(Config::default()), Config::read)
}

/// Gives every changed content of the file at `path` to `take`, until it is dropped.
pub(super) async fn watch(path: &Path, take: impl Fn(Result<Config, ConfigError>)) {
    file_watch::watch(path, |content| {
        let read = Config::parse(&String::from_utf8_lossy(content), path);
        match &read {
            Ok(_) => tracing::info!(path = %path.display(), "reloaded configuration"),
            Err(error) => tracing::warn!(%error, "keeping the old configuration"),
        }
        take(read);
    })
    .await;
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
