//! Watches one file by its content.
//!
//! Files are polled: a watch on the file dies when kubelet swaps the `..data` link
//! (kubernetes/kubernetes#111947), and reading a small file costs nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// How often files are read.
pub(super) const POLL: Duration = Duration::from_secs(2);

/// Gives every changed content of the file at `path` to `take`, until it is dropped. A file that
/// cannot be read is left until it can be.
pub async fn watch(path: &Path, take: impl Fn(&[u8])) {
    let mut last = fs::read(path).unwrap_or_default();
    loop {
        tokio::time::sleep(POLL).await;
        let Ok(now) = fs::read(path) else { continue };
        if now != last {
            take(&now);
            last = now;
        }
    }
}
