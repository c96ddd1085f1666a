//! What the tests of the wire share: an HTTP client that can misbehave, a server in this process, and the
//! check that every answer has to pass.

#![allow(
    dead_code,
    reason = "three test programs share this, and each needs a part of it"
)]

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod dear;
pub(crate) mod fake_api;
pub(crate) mod json_schema;
pub(crate) mod process;
pub(crate) mod reviews;
pub(crate) mod server;
pub(crate) mod store;

use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again until `probe` has an answer.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
