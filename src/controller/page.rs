//! `/report` on the admin port: the page of the last scan. It is made when somebody asks, and kept
//! until there is a newer scan.

use std::sync::Arc;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::Controller;
use crate::report::{Options, Reporter, html};

/// How to have the page without asking a server for it.
const BY_HAND: &str = "undock scan -o json | undock report - -o html=report.html";

/// The page that was made last.
#[derive(Debug, Default)]
pub(super) struct Page(Arc<Mutex<Option<Made>>>);

#[derive(Debug)]
struct Made {
    /// The scan that it is of.
    scan: Arc<Bytes>,
    page: Bytes,
}

impl Page {
    /// Answers with the page of the last scan, or with why there is none.
    pub(super) async fn answer(&self, controller: &Controller) -> Response {
        let Some(scan) = controller.last_scan.load_full() else {
            return absent();
        };
        let cluster = controller.cluster.clone();
        let mut made = Arc::clone(&self.0).lock_owned().await;
        if let Some(made) = made.as_ref().filter(|made| Arc::ptr_eq(&made.scan, &scan)) {
            return found(made.page.clone());
        }
        // The lock goes along: whoever hangs up and asks again waits for the page that is being
        // made, and starts no second one.
        let making = spawn_blocking(move || -> Result<Bytes, String> {
            let page = render(&scan, cluster)?;
            *made = Some(Made {
                scan,
                page: page.clone(),
            });
            Ok(page)
        });
        match making.await {
            Ok(Ok(page)) => found(page),
            Ok(Err(problem)) => failed(&problem),
            Err(panic) => failed(&panic.to_string()),
        }
    }
}

/// The page of `scan`.
fn render(scan: &[u8], cluster: String) -> Result<Bytes, String> {
    let mut reporter = Reporter::new(Options {
        cluster,
        ..Options::default()
    });
    reporter.read("scan", scan);
    let report = reporter.finish();
    if let Some(error) = report.errors.first() {
        return Err(error.message.clone());
    }
    let mut page = Vec::new();
    html::write(&mut page, &report).map_err(|error| error.to_string())?;
    Ok(page.into())
}

fn found(page: Bytes) -> Response {
    let more = [(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(html::CONTENT_SECURITY_POLICY),
    )];
    (headers("text/html; charset=utf-8", more), page).into_response()
}

fn absent() -> Response {
    let text = format!(
        "no report yet: this replica has finished no scan. Only the replica that leads scans: \
         wait until its first scan has ended, ask the other replicas, or make one with: {BY_HAND}\n"
    );
    let more = [(RETRY_AFTER, HeaderValue::from_static("60"))];
    (
        StatusCode::SERVICE_UNAVAILABLE,
        headers("text/plain; charset=utf-8", more),
        text,
    )
        .into_response()
}

fn failed(problem: &str) -> Response {
    tracing::error!(problem, "cannot make the page of the last scan");
    let text = format!(
        "no report: the last scan cannot be shown ({problem}); this is a defect. \
         Meanwhile: {BY_HAND}\n"
    );
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        headers("text/plain; charset=utf-8", []),
        text,
    )
        .into_response()
}

/// Headers of every answer: nothing is kept by anybody, and nothing is taken for what it is not.
fn headers<const N: usize>(
    content_type: &'static str,
    more: [(HeaderName, HeaderValue); N],
) -> HeaderMap {
    let always = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    always.into_iter().chain(more).collect()
}
