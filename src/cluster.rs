//! The cluster that the webhook runs in: what it watches, and what it asks when a mode becomes stricter.
//!
//! Reviews never wait for it, with one exception: a Namespace whose mode becomes stricter is answered with what its
//! workloads would meet, within half of the time that the API server gives.

pub mod rehearsal;
pub mod watch;
