//! The accept loop of the TLS port: every connection gets its own task, a handshake deadline and a place under the cap.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower_service::Service;

use super::SharedApp;
use super::header_deadline::{HeaderDeadline, Serving};
use super::routes::router;

/// What clients are allowed. The defaults are those of the product; tests choose shorter ones.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections, handshakes included; more wait in the kernel's queue. Below the usual soft limit of
    /// 1024 open files, so that the admin port and the certificate's files can still be opened.
    pub connections: usize,
    /// A handshake takes a millisecond; a client that stalls must not hold a place for long.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its headers.
    pub headers: Duration,
    /// Idle connections are closed after this; longer than the 90 s for which Go clients keep them, so that
    /// the server never closes one that a request is just being written to.
    pub idle: Duration,
    /// How long requests in flight may take at the end; the longest `timeoutSeconds` is 30 s, the usual 5 to 10.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 768,
            handshake: Duration::from_secs(5),
            headers: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            drain: Duration::from_secs(15),
        }
    }
}

/// Accepts until `stop` turns true, then ends the open connections after their current requests.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    app: SharedApp,
    stop: watch::Receiver<bool>,
) {
    serve_within(Limits::default(), listener, tls, app, stop).await;
}

/// As [`serve`], within other limits.
pub async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    app: SharedApp,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let service = router(Arc::clone(&app));
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let stopped = async move {
        // An error means that the sender is gone, which is a stop too.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            () = &mut stopped => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, service, app, watcher) = (
            acceptor.clone(),
            service.clone(),
            Arc::clone(&app),
            graceful.watcher(),
        );
        tokio::spawn(async move {
            let _place = place;
            // The answer is one small write; waiting to merge it with another would only delay it.
            let _ = stream.set_nodelay(true);
            match tokio::time::timeout(limits.handshake, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    app.metrics.connections.inc();
                    talk(stream, service, Arc::clone(&app), watcher, limits).await;
                    app.metrics.connections.dec();
                }
                Ok(Err(error)) => {
                    app.metrics.handshake_failures.inc();
                    tracing::debug!(%error, "TLS handshake failed");
                }
                Err(_) => {
                    app.metrics.handshake_failures.inc();
                }
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still open after {:?}", limits.drain);
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// Speaks HTTP on one connection until it ends.
async fn talk(
    stream: TlsStream<TcpStream>,
    router: Router,
    app: SharedApp,
    watcher: Watcher,
    limits: Limits,
) {
    let serving = Serving::default();
    let stream = HeaderDeadline::new(stream, serving.clone(), limits);
    let service = service_fn(move |request: Request<Incoming>| {
        respond(router.clone(), Arc::clone(&app), serving.clone(), request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_headers(64)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .keep_alive_interval(limits.idle)
        .max_header_list_size(16 * 1024);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is the client's business; what it asked has been answered or cannot be.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended");
    }
}

fn respond(
    mut router: Router,
    app: SharedApp,
    serving: Serving,
    request: Request<Incoming>,
) -> Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>> {
    serving.begin();
    // HTTP/2 has many requests on one connection: after the first, its own limits watch over headers.
    let is_http1 = request.version() < Version::HTTP_2;
    Box::pin(async move {
        let mut response = router.call(request).await;
        if is_http1 {
            serving.end();
            if app.state.is_draining()
                && let Ok(response) = &mut response
            {
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        response
    })
}
