//! The protocol as the API server speaks it, over a real TLS socket: reviews, failures, and clients that misbehave.

#![allow(
    clippy::unwrap_used,
    reason = "a test that fails is a test that panics"
)]

mod admin_access;
mod answers;
mod callers;
mod captures;
mod connections;
mod failures;
mod hostile;
mod http;
mod limits;
mod tls;
