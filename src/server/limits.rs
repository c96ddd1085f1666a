//! How many connections there may be, and how long each may take.

use std::time::Duration;

/// What clients are allowed. The defaults are those of the product; tests choose shorter ones.
///
/// A connection can make the process hold 64 KiB that hyper has read, a body of 64 KiB, and on
/// HTTP/2 as much again in streams that wait; larger bodies share the 88 MiB of `body::Rooms`. So
/// all connections together hold about 152 MiB at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections, handshakes included. An API server keeps at most 25 idle ones. When all
    /// places are taken, the oldest idle connection is closed. Well below the usual soft limit of
    /// 1024 open files.
    pub connections: usize,
    /// A handshake takes a millisecond; a client that stalls must not hold a place for long.
    pub handshake: Duration,
    /// From the end of the handshake to the first byte of a request, and from there to the end of
    /// its headers.
    pub headers: Duration,
    /// Idle connections are closed after this; longer than the 90 s for which Go clients keep them,
    /// so that the server never closes one that a request is just being written to.
    pub idle: Duration,
    /// How long a stream of an HTTP/2 connection waits for those before it; no API server waits
    /// longer for a webhook.
    pub turn: Duration,
    /// How long requests in flight may take at the end; the longest `timeoutSeconds` is 30 s, the
    /// usual 5 to 10.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            handshake: Duration::from_secs(5),
            headers: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            turn: Duration::from_secs(30),
            drain: Duration::from_secs(15),
        }
    }
}
