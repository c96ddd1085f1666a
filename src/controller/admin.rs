//! The routes of the controller's admin port: health, metrics, and `/report` with the page of the
//! last scan.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::Controller;
use super::page::Page;

/// `/livez` and `/readyz`, for kubelet. A replica that does not lead is as healthy as one that
/// does.
pub fn health() -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ok\n" }))
}

/// `/metrics` and `/report`, for those who may read them: the report names whatever holds the
/// socket.
pub fn protected(controller: Arc<Controller>) -> Router {
    let metrics = {
        let controller = Arc::clone(&controller);
        move || async move {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, content_type)], controller.metrics.encode()).into_response()
        }
    };
    let page = Arc::new(Page::default());
    let report = move || async move { page.answer(&controller).await };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/report", get(report))
}
