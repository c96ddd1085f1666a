//! The admin port, plain HTTP: `/livez`, `/readyz`, `/metrics`. Nothing on it changes anything.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::SharedApp;
use super::certificates::Certificates;

/// What the endpoints look at.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The server.
    pub app: SharedApp,
    /// Its certificate.
    pub certificates: Arc<Certificates>,
}

/// The routes of the admin port.
pub fn router(admin: Admin) -> Router {
    // Alive means that the runtime answers; nothing that a restart could not mend belongs here.
    let live = || async { "ok\n" };
    Router::new().route("/livez", get(live)).route("/readyz", get(ready)).route("/metrics", get(metrics)).with_state(admin)
}

/// Ready means that a review sent now is answered over a certificate that is still good.
async fn ready(State(admin): State<Admin>) -> Response {
    let now = jiff::Timestamp::now().as_second();
    let problem = if admin.app.state.is_draining() {
        "shutting down"
    } else if !admin.app.state.is_listening() {
        "the TLS port is not open yet"
    } else if admin.certificates.expiry().is_some_and(|expiry| expiry <= now) {
        "the certificate has expired: run certs-script/generate.sh --apply"
    } else {
        return "ok\n".into_response();
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], admin.app.metrics.encode()).into_response()
}
