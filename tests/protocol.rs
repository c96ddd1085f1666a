//! The protocol as the API server speaks it, over a real TLS socket: reviews, failures, and clients that misbehave.

#![allow(clippy::unwrap_used, reason = "a test that fails is a test that panics")]
#![allow(clippy::print_stdout, reason = "what is skipped is said")]

#[path = "protocol/answers.rs"]
mod answers;
#[path = "protocol/captures.rs"]
mod captures;
#[path = "protocol/connections.rs"]
mod connections;
#[path = "protocol/failures.rs"]
mod failures;
#[path = "protocol/hostile.rs"]
mod hostile;
#[path = "protocol/http.rs"]
mod http;
#[path = "protocol/limits.rs"]
mod limits;
#[path = "protocol/report_page.rs"]
mod report_page;
#[path = "protocol/support.rs"]
mod support;
#[path = "protocol/tls.rs"]
mod tls;
