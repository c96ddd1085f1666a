//! Reads a request's body within a size and a time: whatever happens, what has arrived is kept.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

/// Largest body. The API server's own limit is 3 MiB for an object; an update carries two, and the user's attributes.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// A body, or as much of it as there is.
#[derive(Debug)]
pub struct Body {
    /// The bytes, at most [`MAX_BODY`].
    pub bytes: Bytes,
    /// How the reading ended.
    pub end: End,
}

/// How the reading of a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All of it is there.
    Whole,
    /// There is more than [`MAX_BODY`].
    TooLarge,
    /// The deadline came first.
    Deadline,
    /// The connection broke.
    Broken,
}

/// Reads `body`, which says it holds `length` bytes, until `deadline`.
pub async fn read<B>(mut body: B, length: Option<usize>, deadline: Instant) -> Body
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let mut collected = BytesMut::new();
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Body { bytes: collected.freeze(), end: End::Deadline },
            Ok(None) => return Body { bytes: collected.freeze(), end: End::Whole },
            Ok(Some(Err(_))) => return Body { bytes: collected.freeze(), end: End::Broken },
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        if collected.is_empty() && length == Some(data.len()) {
            return Body { bytes: data, end: End::Whole };
        }
        if collected.len() + data.len() > MAX_BODY {
            let room = MAX_BODY - collected.len();
            collected.extend_from_slice(&data[..room]);
            drain(body, deadline).await;
            return Body { bytes: collected.freeze(), end: End::TooLarge };
        }
        if collected.is_empty() {
            collected.reserve(length.unwrap_or(0).min(MAX_BODY));
        }
        collected.extend_from_slice(&data);
    }
}

/// Reads on without keeping, so that the caller can finish writing and will read the answer; bounded in size and time.
async fn drain<B>(mut body: B, deadline: Instant)
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let mut left = 4 * MAX_BODY;
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > left {
            return;
        }
        left -= length;
    }
}
