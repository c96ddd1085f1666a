//! The servers that undock is compared with, on the same stack and settings: one that answers a constant (the floor),
//! and one that reads `AdmissionReview<DynamicObject>`, as kube's example does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use kube::core::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use undock::registration;
use undock::server::body::MAX_BODY;
use undock::server::certificates::{Certificates, tls_config};

use super::Outcome;

/// What answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Floor,
    Dynamic,
}

/// Serves until the process is killed; says the address on stdout.
pub(crate) fn run(kind: Kind, arguments: &[&str]) -> Outcome<()> {
    let [certificates] = arguments else {
        return Err("usage: CERTIFICATES".into());
    };
    let folder = Path::new(certificates);
    let (certificates, _) =
        Certificates::from_files(&folder.join("tls.crt"), &folder.join("tls.key"))?;
    let tls = TlsAcceptor::from(Arc::new(tls_config(Arc::new(certificates), None, false)));
    let handler = match kind {
        Kind::Floor => post(constant),
        Kind::Dynamic => post(dynamic),
    };
    let router = Router::new()
        .route(registration::PATH, handler)
        .layer(DefaultBodyLimit::max(MAX_BODY));
    // The same runtime as undock's.
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(tls, router))
}

async fn serve(tls: TlsAcceptor, router: Router) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(120))
                .max_headers(64);
            let _ = builder
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
                .await;
        });
    }
}

/// The bytes that undock answers for a clean object.
const ANSWER: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"992fd694-339d-40c6-8293-900dd4f37942","allowed":true,"auditAnnotations":{"decision":"clean","mode":"warn"}}}"#;

async fn constant(body: Bytes) -> Response {
    std::hint::black_box(body);
    ([(CONTENT_TYPE, "application/json")], ANSWER).into_response()
}

async fn dynamic(body: Bytes) -> Response {
    let review: Result<AdmissionReview<DynamicObject>, _> = serde_json::from_slice(&body);
    let request: Result<AdmissionRequest<DynamicObject>, _> = review
        .map(|review| review.try_into())
        .unwrap_or_else(|_| Err(kube_error()));
    let response = match &request {
        Ok(request) => AdmissionResponse::from(request),
        Err(error) => AdmissionResponse::invalid(error),
    };
    // The least that a rule does: look at one field of the object.
    let host_network = request
        .iter()
        .filter_map(|request| request.object.as_ref())
        .any(|object| object.data["spec"]["hostNetwork"] == true);
    let response = if host_network {
        response.deny("hostNetwork")
    } else {
        response
    };
    (
        [(CONTENT_TYPE, "application/json")],
        serde_json::to_vec(&response.into_review()).unwrap_or_default(),
    )
        .into_response()
}

fn kube_error() -> kube::core::admission::ConvertAdmissionReviewError {
    kube::core::admission::ConvertAdmissionReviewError
}
