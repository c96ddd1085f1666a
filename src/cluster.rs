//! The cluster that the webhook runs in: what it watches, what it asks when a mode becomes stricter, and the exemptions of owners.
//!
//! Reviews do not wait for it, with two exceptions. A Namespace whose mode becomes stricter is answered with what its
//! workloads would meet, and what a controller makes, and would be warned about or refused, with the exemptions of its owner,
//! where its namespace lets workloads exempt themselves. Both take half of the time that the API server gives at most.

pub mod owner;
pub mod rehearsal;
pub mod watch;
