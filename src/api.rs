//! The client of the Kubernetes API that every part of undock shares: connecting, requests, lists
//! and watches.
//!
//! Users of a cluster decide how large its objects are, so nothing here holds more than one object
//! of a list at a time, and no object larger than [`MAX_OBJECT`]. A larger one is passed over and
//! reported by name.

pub mod connect;
mod items;
pub mod list;
pub mod path;
pub mod request;
pub mod watch;

pub use request::ApiError;

/// Bytes of JSON of the largest object that is read. The API server stores at most 3 MiB, of which
/// each byte can take six in JSON (`<` becomes `\u003c`).
pub const MAX_OBJECT: usize = 20 << 20;
