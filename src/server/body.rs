//! Reads a request's body within a size and a time: whatever happens, what has arrived is kept.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Frame;
use memmap2::{MmapMut, MmapOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// Largest body. kube-apiserver takes objects of up to 3 MiB, writes six bytes for each `<`, `>`
/// and `&` of them into a review, and an update carries two, besides the user's attributes.
pub const MAX_BODY: usize = 40 * 1024 * 1024;

/// Bodies up to this size are read at once; almost all are. Larger ones need a share of [`Room`].
pub(super) const SMALL: usize = 64 * 1024;

/// Up to this size large bodies of strangers do not wait for larger ones.
const MEDIUM: usize = 1024 * 1024;

/// Bodies from this size on lie in huge pages, where the system has them: to get the 9,000 ordinary
/// pages of the largest body takes a third of the time of its review.
const HUGE: usize = 8 * 1024 * 1024;

/// A body that holds a share of [`Room`] may be this long behind the slowest one, which brings
/// [`PACE`] bytes in a second. After that it stays only as long as nobody waits for its share.
const HEAD_START: Duration = Duration::from_millis(500);

/// What the slowest way to an API server carries in a second: a tunnel to another network does.
const PACE: usize = 4 * 1024 * 1024;

/// Memory for the large bodies of several connections together: without a limit, a few hundred
/// clients that send slowly would hold gigabytes. A body that finds no room is left in the socket
/// until there is some.
#[derive(Debug)]
pub(super) struct Room {
    bytes: usize,
    free: Arc<Semaphore>,
}

impl Room {
    fn new(bytes: usize) -> Self {
        Self {
            bytes,
            free: Arc::new(Semaphore::new(bytes)),
        }
    }

    /// How much is taken.
    fn taken(&self) -> usize {
        self.bytes - self.free.available_permits()
    }

    /// True if somebody may be waiting: who does holds whatever is left already.
    fn is_full(&self) -> bool {
        self.free.available_permits() == 0
    }

    async fn take(&self, length: usize) -> Option<OwnedSemaphorePermit> {
        let room = Arc::clone(&self.free);
        room.acquire_many_owned(u32::try_from(length).ok()?)
            .await
            .ok()
    }
}

/// The rooms for large bodies. Strangers have their own, and the larger of them another one than
/// the smaller: who stalls keeps only his like waiting. Together they are a third of the memory
/// limit of `manifests/base`.
#[derive(Debug)]
pub(super) struct Rooms {
    reviewers: Room,
    strangers: Room,
    small_of_strangers: Room,
}

impl Rooms {
    /// The room for a body of `length` bytes, on a connection that has shown nothing yet or not.
    pub(super) fn of(&self, is_from_stranger: bool, length: Option<usize>) -> &Room {
        match length {
            _ if !is_from_stranger => &self.reviewers,
            Some(..=MEDIUM) => &self.small_of_strangers,
            _ => &self.strangers,
        }
    }

    /// How much is taken of all of them.
    pub(super) fn taken(&self) -> usize {
        self.reviewers.taken() + self.strangers.taken() + self.small_of_strangers.taken()
    }
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            reviewers: Room::new(MAX_BODY),
            strangers: Room::new(MAX_BODY),
            small_of_strangers: Room::new(8 * MEDIUM),
        }
    }
}

/// A body, or as much of it as there is.
#[derive(Debug)]
pub struct Body {
    /// The bytes, at most [`MAX_BODY`].
    pub bytes: Bytes,
    /// How the reading ended.
    pub end: End,
    /// Given back when the body is no longer needed.
    pub(super) room: Option<OwnedSemaphorePermit>,
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
    /// Others waited for the memory that it held for too long.
    TooSlow,
    /// The connection broke.
    Broken,
}

/// Reads `body`, which says it holds `length` bytes, until `deadline`.
pub(super) async fn read<B>(
    mut body: B,
    length: Option<usize>,
    deadline: Instant,
    room: &Room,
) -> Body
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let mut collected = Collected::Heap(BytesMut::new());
    let mut share = None;
    // Of a body that says it is too large, only the beginning is needed, to answer it.
    let limit = if length.is_some_and(|length| length > MAX_BODY) {
        SMALL
    } else {
        MAX_BODY
    };
    // Since when it holds its share, and until when it does, whoever waits.
    let mut since = Instant::now();
    let mut undisturbed = deadline;
    let end = loop {
        let data = match next(&mut body, undisturbed.min(deadline)).await {
            Err(_) if Instant::now() >= deadline => break End::Deadline,
            Err(_) if room.is_full() => break End::TooSlow,
            Err(_) => {
                undisturbed = Instant::now() + HEAD_START;
                continue;
            }
            Ok(None) => break End::Whole,
            Ok(Some(Err(_))) => break End::Broken,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => data,
                Err(_) => continue,
            },
        };
        if collected.len() == 0 && length == Some(data.len()) {
            return Body {
                bytes: data,
                end: End::Whole,
                room: None,
            };
        }
        if collected.len() + data.len() > limit {
            let left = limit - collected.len();
            collected.extend(&data[..left]);
            drain(body, deadline).await;
            break End::TooLarge;
        }
        // Who announces a large body and sends nothing takes neither room nor memory.
        if share.is_none() && collected.len() + data.len() >= SMALL {
            let announced = length.unwrap_or(MAX_BODY).min(MAX_BODY);
            share = timeout_at(deadline, room.take(announced))
                .await
                .ok()
                .flatten();
            if share.is_none() {
                collected.extend(&data);
                break End::Deadline;
            }
            collected = collected.with_capacity(announced);
            since = Instant::now();
        } else if collected.len() == 0 {
            let needed = length.unwrap_or(data.len());
            collected = collected.with_capacity(needed.min(2 * SMALL));
        }
        collected.extend(&data);
        if share.is_some() {
            let ordinary = Duration::from_secs_f64(collected.len() as f64 / PACE as f64);
            undisturbed = since + HEAD_START + ordinary;
        }
    };
    Body {
        bytes: collected.freeze(),
        end,
        room: share,
    }
}

/// The bytes of a body as they arrive.
enum Collected {
    Heap(BytesMut),
    /// A mapping of its own, and how much of it is filled.
    Mapping(MmapMut, usize),
}

impl Collected {
    /// The same with room for `capacity` bytes; a mapping does not grow.
    fn with_capacity(self, capacity: usize) -> Self {
        let mut bytes = match self {
            Self::Heap(bytes) => bytes,
            mapping @ Self::Mapping(..) => return mapping,
        };
        if capacity >= HUGE
            && let Ok(mapping) = MmapOptions::new().len(capacity).map_anon()
        {
            // Where there are none, ordinary pages do.
            #[cfg(target_os = "linux")]
            let _ = mapping.advise(memmap2::Advice::HugePage);
            let mut large = Self::Mapping(mapping, 0);
            large.extend(&bytes);
            return large;
        }
        bytes.reserve(capacity.saturating_sub(bytes.len()));
        Self::Heap(bytes)
    }

    fn len(&self) -> usize {
        match self {
            Self::Heap(bytes) => bytes.len(),
            Self::Mapping(_, filled) => *filled,
        }
    }

    fn extend(&mut self, data: &[u8]) {
        match self {
            Self::Heap(bytes) => bytes.extend_from_slice(data),
            Self::Mapping(mapping, filled) => {
                let end = *filled + data.len();
                if let Some(place) = mapping.get_mut(*filled..end) {
                    place.copy_from_slice(data);
                    *filled = end;
                } else {
                    // More than was announced, which HTTP does not allow.
                    let mut bytes = BytesMut::from(&mapping[..*filled]);
                    bytes.extend_from_slice(data);
                    *self = Self::Heap(bytes);
                }
            }
        }
    }

    fn freeze(self) -> Bytes {
        match self {
            Self::Heap(bytes) => bytes.freeze(),
            Self::Mapping(mapping, filled) => Bytes::from_owner(mapping).slice(..filled),
        }
    }
}

/// The next frame of `body`, if it comes before `deadline`.
///
/// A timer takes a lock and wakes the thread that waits for the earliest one, twice for each frame.
/// What has arrived already, hyper hands over when it is asked again, so only who asks for the
/// third time needs one.
async fn next<B>(
    body: &mut B,
    deadline: Instant,
) -> Result<Option<Result<Frame<Bytes>, B::Error>>, Elapsed>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let mut frame = body.frame();
    let mut asked_again = false;
    let at_once = poll_fn(|context| match Pin::new(&mut frame).poll(context) {
        Poll::Ready(frame) => Poll::Ready(Some(frame)),
        Poll::Pending if asked_again => Poll::Ready(None),
        Poll::Pending => {
            asked_again = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match at_once.await {
        Some(frame) => Ok(frame),
        None => timeout_at(deadline, frame).await,
    }
}

/// Reads on without keeping, so that the caller can finish writing and will read the answer;
/// bounded in size and time.
async fn drain<B>(mut body: B, deadline: Instant)
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let mut left = MAX_BODY;
    while let Ok(Some(Ok(frame))) = next(&mut body, deadline).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > left {
            return;
        }
        left -= length;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;
    use http_body_util::StreamBody;

    use super::*;

    async fn read_frames(sent: &[u8], announced: Option<usize>) -> Body {
        let frames = sent.chunks(16 * 1024).map(|data| {
            let data = Bytes::copy_from_slice(data);
            Ok::<_, Infallible>(Frame::data(data))
        });
        let body = StreamBody::new(stream::iter(frames));
        let deadline = Instant::now() + Duration::from_secs(60);
        read(body, announced, deadline, &Room::new(MAX_BODY)).await
    }

    #[tokio::test]
    async fn a_body_of_any_size_arrives_whole() {
        for size in [0, 10, SMALL, SMALL + 1, HUGE - 1, HUGE, HUGE + 1, MAX_BODY] {
            let sent: Vec<u8> = (0..size).map(|at| (at / 7) as u8).collect();
            // What HTTP lets nobody do, to announce less, loses nothing either.
            for announced in [Some(size), None, Some(size / 2)] {
                let body = read_frames(&sent, announced).await;
                assert_eq!(body.end, End::Whole, "{size} {announced:?}");
                assert!(body.bytes == sent, "{size} {announced:?}");
            }
        }
    }
}
