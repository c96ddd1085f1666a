//! The admin port, plain HTTP: health for everybody, and what only some may read, such as metrics.
//! Nothing on it changes anything. The controller serves its own routes in the same way.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::SharedApp;
use super::access::Access;
use super::certificates::Certificates;
use super::self_check::SelfCheck;

/// Connections that are served at once. The oldest makes room for a new one: a probe must always
/// get through.
const MAX_CONNECTIONS: usize = 64;
/// For the headers of a request, and between two of them.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// What the endpoints look at.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The server.
    pub app: SharedApp,
    /// Its certificate.
    pub certificates: Arc<Certificates>,
    /// Asks its TLS port.
    pub self_check: Arc<SelfCheck>,
}

/// `/livez` and `/readyz`, for kubelet.
pub fn health(admin: Admin) -> Router {
    // Alive means that the runtime answers; nothing that a restart could not fix belongs here.
    let live = || async { "ok\n" };
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .with_state(admin)
}

/// `/metrics`, for those who may read them.
pub fn protected(admin: Admin) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(admin)
}

/// `routes` for those whom `access` lets.
pub fn guarded(routes: Router, access: Arc<Access>) -> Router {
    let check = move |request: Request, next: Next| {
        let access = Arc::clone(&access);
        async move {
            let refusal = access.refuse(request.headers(), request.uri().path()).await;
            match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            }
        }
    };
    routes.route_layer(middleware::from_fn(check))
}

/// Answers on `listener` until it is dropped: `health` to everybody, `protected` to those whom
/// `access` lets, and on the loopback address. Who reaches that is in the Pod already, or may
/// forward its ports.
pub async fn serve(listener: TcpListener, health: Router, protected: Router, access: Access) {
    let for_all = health
        .clone()
        .merge(guarded(protected.clone(), Arc::new(access)));
    let for_loopback = health.merge(protected);
    let mut open: VecDeque<JoinHandle<()>> = VecDeque::with_capacity(MAX_CONNECTIONS);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection on the admin port; \
                    trying again");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if open.len() == MAX_CONNECTIONS
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        let router = match is_loopback(&stream) {
            Ok(true) => &for_loopback,
            Ok(false) => &for_all,
            // It is gone already.
            Err(_) => continue,
        };
        let service = TowerToHyperService::new(router.clone());
        open.push_back(tokio::spawn(async move {
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_DEADLINE)
                .max_buf_size(16 * 1024);
            if let Err(error) = builder
                .serve_connection(TokioIo::new(stream), service)
                .await
            {
                tracing::debug!(%error, "connection of the admin port ended");
            }
        }));
    }
}

/// Both ends: a service mesh's proxy in the Pod connects from a loopback address to the Pod's own
/// one, for strangers.
fn is_loopback(stream: &TcpStream) -> io::Result<bool> {
    let is_loopback = |ip: IpAddr| ip.to_canonical().is_loopback();
    Ok(is_loopback(stream.local_addr()?.ip()) && is_loopback(stream.peer_addr()?.ip()))
}

/// Ready means that a review sent now is answered over a certificate that is still good.
async fn ready(State(admin): State<Admin>) -> Response {
    let now = jiff::Timestamp::now().as_second();
    let problem = if admin.app.state.is_draining() {
        "shutting down"
    } else if !admin.app.state.is_listening() {
        "the TLS port is not open yet"
    } else if !admin.app.policy.load().cluster_state.is_ready() {
        "namespaces and volumes have not been listed yet: is the API server reachable, and may \
         undock list them?"
    } else if admin
        .certificates
        .expiry()
        .is_some_and(|expiry| expiry <= now)
    {
        "the certificate has expired: run certs-script/generate.sh --apply"
    } else if !admin.self_check.answers().await {
        "the TLS port does not answer"
    } else {
        return "ok\n".into_response();
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    open_metrics(admin.app.metrics.encode())
}

/// The answer to `/metrics`.
pub(crate) fn open_metrics(text: String) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], text).into_response()
}
