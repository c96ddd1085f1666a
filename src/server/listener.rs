//! The accept loop of the TLS port: each connection has a task, a handshake deadline and a place in
//! the table.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower_service::Service;

use super::SharedApp;
use super::access::unauthorized;
use super::connections::{Connections, Slot, Trust};
use super::header_deadline::{HeaderDeadline, Serving};
pub use super::limits::Limits;
use super::routes::router;

/// Most streams of one HTTP/2 connection.
const STREAMS: u32 = 8;
/// What each stream may send before it is its turn.
const STREAM_WINDOW: u32 = 8 * 1024;
/// Longest headers of one HTTP/2 request; those of an API server, with a token, take two or three.
const HEADER_LIST: u32 = 8 * 1024;
/// What is read from a socket at once: the largest TLS record, and an ordinary review is one.
/// rustls asks for 4 KiB at a time.
const SOCKET_READ: usize = 17 * 1024;
/// What HTTP/1.1 reads ahead.
const READ_AHEAD: usize = 64 * 1024;

/// Listens on `address`. The kernel keeps at most 128 KiB (it doubles what is asked for) of what
/// each connection has sent and undock has not read yet: that memory counts towards the limit of
/// the Pod, too.
///
/// # Errors
/// As the system says: the port is taken, the address is not of this machine.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(64 * 1024)?;
    socket.bind(address)?;
    socket.listen(1024)
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
    let connections = Connections::new(limits.connections);
    let graceful = GracefulShutdown::new();
    let stopped = async move {
        // An error means that the sender is gone, which is a stop too.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            () = &mut stopped => break,
            accepted = accept(&listener, &connections, &app) => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let connection = Connection {
            place: Arc::new(place),
            router: service.clone(),
            app: Arc::clone(&app),
            limits,
        };
        let (acceptor, watcher) = (acceptor.clone(), graceful.watcher());
        tokio::spawn(async move {
            let place = Arc::clone(&connection.place);
            tokio::select! {
                () = connection.run(stream, acceptor, watcher) => {}
                () = place.evicted() => {}
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
    connections: &Arc<Connections>,
    app: &SharedApp,
) -> io::Result<(TcpStream, Slot)> {
    let (stream, _) = listener.accept().await?;
    let (place, was_full) = connections.place().await;
    if was_full {
        app.metrics.evicted_connections.inc();
    }
    Ok((stream, place))
}

/// One connection, from its handshake to its end.
struct Connection {
    place: Arc<Slot>,
    router: Router,
    app: SharedApp,
    limits: Limits,
}

impl Connection {
    async fn run(self, stream: TcpStream, acceptor: TlsAcceptor, watcher: Watcher) {
        // The answer is one small write; waiting to merge it with another would only delay it.
        let _ = stream.set_nodelay(true);
        let app = Arc::clone(&self.app);
        let stream = BufReader::with_capacity(SOCKET_READ, stream);
        match tokio::time::timeout(self.limits.handshake, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                if app.callers.certificates {
                    self.place.trust(Trust::ApiServer);
                }
                app.metrics.connections.inc();
                let _open = OnDrop(|| {
                    app.metrics.connections.dec();
                });
                self.talk(stream, watcher).await;
            }
            Ok(Err(error)) if is_gone(&error) => {}
            Ok(Err(error)) => {
                app.metrics.handshake_failures.inc();
                tracing::debug!(%error, "TLS handshake failed");
            }
            Err(_) => {
                app.metrics.handshake_failures.inc();
            }
        }
    }

    /// Speaks HTTP until the connection ends.
    async fn talk(self, stream: TlsStream<BufReader<TcpStream>>, watcher: Watcher) {
        let limits = self.limits;
        let serving = Serving::default();
        let stream = HeaderDeadline::new(stream, serving.clone(), limits);
        let exchange = Arc::new(Exchange {
            connection: self,
            serving,
            turn: Semaphore::new(1),
        });
        let service = service_fn(move |request: Request<Incoming>| {
            let exchange = Arc::clone(&exchange);
            exchange.serving.begin();
            async move { Ok::<_, Infallible>(exchange.respond(request).await) }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.idle)
            .max_headers(64)
            .max_buf_size(READ_AHEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(STREAMS * STREAM_WINDOW)
            .max_send_buf_size(READ_AHEAD)
            .keep_alive_interval(limits.idle)
            .max_header_list_size(HEADER_LIST);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        // A connection that breaks is the client's business; what it asked has been answered or
        // cannot be.
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "connection ended");
        }
    }
}

/// What the requests of one connection share.
struct Exchange {
    connection: Connection,
    serving: Serving,
    /// HTTP/2 has many requests on one connection. They are answered one after the other, so that
    /// such a connection holds no more memory than one of HTTP/1.1, which is what API servers
    /// speak.
    turn: Semaphore,
}

impl Exchange {
    async fn respond(&self, mut request: Request<Incoming>) -> Response {
        let Connection {
            place, app, limits, ..
        } = &self.connection;
        // HTTP/2 has several requests at a time: after the first, its own limits watch over
        // headers.
        let is_http1 = request.version() < Version::HTTP_2;
        place.begin();
        let _answered = OnDrop(|| {
            place.end();
            if is_http1 {
                self.serving.end();
            }
        });
        if let Some(tokens) = &app.callers.tokens {
            if !tokens.admit(request.headers()) {
                app.metrics.refuse(StatusCode::UNAUTHORIZED.as_u16());
                return unauthorized(
                    "undock answers the API server only: send the token of --client-token-file\n",
                );
            }
            place.trust(Trust::ApiServer);
        }
        let turn = (!is_http1).then(|| tokio::time::timeout(limits.turn, self.turn.acquire()));
        let _turn = match turn {
            None => None,
            Some(turn) => match turn.await {
                Ok(turn) => Some(turn),
                Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
            },
        };
        place.mark(&mut request);
        let mut router = self.connection.router.clone();
        let Ok(mut response) = router.call(request).await;
        if response.status() == StatusCode::OK {
            place.trust(Trust::Reviewer);
        }
        if is_http1 && app.state.is_draining() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }
}

/// Health checks, undock's own among them, connect and go away again; that is no failure.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// Does something at the end of its scope, also where a connection is closed in the middle of a
/// request.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
