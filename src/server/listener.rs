//! The accept loop of the TLS port: every connection gets its own task, a handshake deadline and a place under the cap.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::SharedApp;
use super::header_deadline::{HeaderDeadline, Serving};
use super::routes::router;

/// Open connections, handshakes included; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 1024;
/// A handshake takes a millisecond; a client that stalls must not hold a place for long.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);
/// From the first byte of a request to the end of its headers.
const HEADER_DEADLINE: Duration = Duration::from_secs(5);
/// Idle connections are closed after this; longer than the 90 s for which Go clients keep them, so that
/// the server never closes one that a request is just being written to.
const IDLE_DEADLINE: Duration = Duration::from_secs(120);
/// How long requests in flight may take at the end; the longest `timeoutSeconds` is 30 s, the usual 5 to 10.
const DRAIN_DEADLINE: Duration = Duration::from_secs(15);

/// Accepts until `stop` turns true, then ends the open connections after their current requests.
pub async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, app: SharedApp, mut stop: watch::Receiver<bool>) {
    let acceptor = TlsAcceptor::from(tls);
    let service = router(Arc::clone(&app));
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
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
        let (acceptor, service, app, watcher) = (acceptor.clone(), service.clone(), Arc::clone(&app), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            // The answer is one small write; waiting to merge it with another would only delay it.
            let _ = stream.set_nodelay(true);
            match tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    app.metrics.connections.inc();
                    talk(stream, service, watcher).await;
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
    if tokio::time::timeout(DRAIN_DEADLINE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open after {DRAIN_DEADLINE:?}");
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// Speaks HTTP on one connection until it ends.
async fn talk(stream: tokio_rustls::server::TlsStream<TcpStream>, router: Router, watcher: hyper_util::server::graceful::Watcher) {
    let serving = Serving::default();
    let stream = HeaderDeadline::new(stream, serving.clone(), HEADER_DEADLINE);
    let service = service_fn(move |request: Request<Incoming>| respond(router.clone(), serving.clone(), request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE_DEADLINE).max_headers(64);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(100).keep_alive_interval(IDLE_DEADLINE).max_header_list_size(16 * 1024);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is the client's business; what it asked has been answered or cannot be.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended");
    }
}

fn respond(
    mut router: Router,
    serving: Serving,
    request: Request<Incoming>,
) -> Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>> {
    serving.begin();
    // HTTP/2 has many requests on one connection: after the first, its own limits watch over headers.
    let is_http1 = request.version() < Version::HTTP_2;
    Box::pin(async move {
        let response = router.call(request).await;
        if is_http1 {
            serving.end();
        }
        response
    })
}
