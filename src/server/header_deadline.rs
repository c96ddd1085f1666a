//! A stream that fails when a request's headers take too long to arrive.
//!
//! hyper's own limit also runs while a kept-alive connection is idle, and must be longer than the API server keeps
//! idle connections (90 s). This one starts at a request's first byte, so a slow sender gets seconds, not minutes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Set while a request is being served: its headers are complete.
#[derive(Clone, Debug, Default)]
pub(super) struct Serving(Arc<AtomicBool>);

impl Serving {
    /// The headers are complete.
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// The next byte belongs to the next request.
    pub(super) fn end(&self) {
        self.0.store(false, Ordering::Release);
    }

    fn is_serving(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A stream with a deadline on headers.
#[derive(Debug)]
pub(super) struct HeaderDeadline<S> {
    stream: S,
    serving: Serving,
    limit: Duration,
    /// When the first byte of the headers came.
    since: Option<Instant>,
    /// Made only when the rest has to be waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> HeaderDeadline<S> {
    pub(super) fn new(stream: S, serving: Serving, limit: Duration) -> Self {
        Self { stream, serving, limit, since: None, timer: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeaderDeadline<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        if this.serving.is_serving() {
            (this.since, this.timer) = (None, None);
            return polled;
        }
        if this.since.is_none() && buffer.filled().len() > before {
            this.since = Some(Instant::now());
        }
        if let Some(since) = this.since.filter(|_| polled.is_pending()) {
            let limit = this.limit;
            let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(since + limit)));
            if timer.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "request headers took too long")));
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeaderDeadline<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
