//! A stream that fails when a request's headers take too long to arrive.
//!
//! hyper's own limit also runs while a kept-alive connection is idle, and must be longer than the API server keeps
//! idle connections (90 s). This one starts at a request's first byte, so a slow sender gets seconds, not minutes.
//! It also ends a connection on which nothing is sent after the handshake, of which hyper takes no notice.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::limits::Limits;

/// Where a connection stands between its requests, as the service knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Serving(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// Requests whose headers are complete.
    begun: AtomicU32,
    /// True while one of them is being answered.
    serving: AtomicBool,
}

impl Serving {
    /// The headers are complete.
    pub(super) fn begin(&self) {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.serving.store(true, Ordering::Release);
    }

    /// The next byte belongs to the next request.
    pub(super) fn end(&self) {
        self.0.serving.store(false, Ordering::Release);
    }
}

/// A stream with a deadline on headers.
#[derive(Debug)]
pub(super) struct HeaderDeadline<S> {
    stream: S,
    serving: Serving,
    limit: Duration,
    /// The value of `begun` at the last reading.
    begun: u32,
    /// True from a request's first byte to the end of its headers.
    in_headers: bool,
    /// When the headers must be complete, or a new connection must have sent its first byte.
    deadline: Option<Instant>,
    /// Made only when there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> HeaderDeadline<S> {
    /// hyper counts idle time from the first request on; until then nobody else would. Whoever finishes a handshake has
    /// something to ask.
    pub(super) fn new(stream: S, serving: Serving, limits: Limits) -> Self {
        let first_byte = Instant::now() + limits.headers;
        Self {
            stream,
            serving,
            limit: limits.headers,
            begun: 0,
            in_headers: false,
            deadline: Some(first_byte),
            timer: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeaderDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        let progress = &*this.serving.0;
        let is_serving = progress.serving.load(Ordering::Acquire);
        let begun = progress.begun.load(Ordering::Relaxed);
        if is_serving || begun != this.begun {
            (this.begun, this.in_headers, this.deadline, this.timer) = (begun, false, None, None);
        }
        if is_serving {
            return polled;
        }
        if !this.in_headers && buffer.filled().len() > before {
            this.in_headers = true;
            (this.deadline, this.timer) = (Some(Instant::now() + this.limit), None);
        }
        if let Some(deadline) = this.deadline.filter(|_| polled.is_pending()) {
            let timer = this
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if timer.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "request headers took too long",
                )));
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeaderDeadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
