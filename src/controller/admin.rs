//! The routes of the controller's admin port: health, metrics, and `/report` with the page of the
//! last scan.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::Controller;
use super::page::Page;
use crate::server::admin::open_metrics;

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
        move || async move { open_metrics(controller.metrics.encode()) }
    };
    let page = Arc::new(Page::default());
    let report = move || async move { page.answer(&controller).await };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/report", get(report))
}
