//! `/report` on the controller's admin port: the page of the last scan, made without keeping anything else waiting.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use undock::controller::Controller;
use undock::controller::admin::protected;
use undock::decision::Policy;

/// A scan with so many Deployments on the Docker socket.
fn scan(owners: usize, time: &str) -> Bytes {
    let object = |number: usize| {
        json!({"kind": "Deployment", "namespace": "ci", "name": format!("runner-{number}"), "findings": [{"rule": "DKR101", "impact": "breaks",
            "certainty": "certain", "evidence": "/var/run/docker.sock", "fingerprint": format!("{number:016x}"), "denies": true}]})
    };
    let objects: Vec<Value> = (0..owners).map(object).collect();
    let scan = json!({"schema": "undock.scan/v1", "time": time, "cluster": "prod-eu1", "objects": objects, "parts": [], "errors": []});
    scan.to_string().into()
}

struct Asked {
    router: axum::Router,
    controller: Arc<Controller>,
}

impl Asked {
    fn new() -> Self {
        let controller = Arc::new(Controller::new(Policy::default(), String::new()));
        Self {
            router: protected(Arc::clone(&controller)),
            controller,
        }
    }

    fn scanned(&self, scan: Bytes) {
        self.controller.last_scan.store(Some(Arc::new(scan)));
    }

    async fn page(&self) -> Response<Body> {
        let request = Request::get("/report").body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn get(&self) -> (u16, Response<Body>, String) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (head, body) = self.page().await.into_parts();
            let text =
                String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
            (
                head.status.as_u16(),
                Response::from_parts(head, Body::empty()),
                text,
            )
        })
    }
}

#[test]
fn the_page_of_the_last_scan_is_served_as_it_is_written_to_disk() {
    let asked = Asked::new();
    asked.scanned(scan(3, "2026-11-20T10:00:00Z"));
    let (status, head, text) = asked.get();
    assert_eq!(status, 200, "{text}");
    let header = |name: &str| {
        head.headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    };
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        (header("cache-control"), header("x-content-type-options")),
        ("no-store", "nosniff")
    );
    let policy = header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && text.contains(&format!("content=\"{policy}\"")),
        "{policy}"
    );
    assert!(
        text.starts_with("<!doctype html>")
            && text.contains("prod-eu1")
            && text.contains("Deployment/runner-2"),
        "{text}"
    );
    assert_eq!(asked.get().2, text);
    asked.scanned(scan(4, "2026-11-21T10:00:00Z"));
    assert!(
        asked.get().2.contains("Deployment/runner-3"),
        "the newer scan"
    );
}

#[test]
fn without_a_scan_the_answer_says_why_and_what_to_do() {
    let (status, head, text) = Asked::new().get();
    assert_eq!(
        (status, head.headers()["content-type"].to_str().unwrap()),
        (503, "text/plain; charset=utf-8")
    );
    assert_eq!(head.headers()["retry-after"], "60");
    assert!(
        text.contains("has finished no scan")
            && text.contains("undock scan -o json | undock report -"),
        "{text}"
    );
}

#[test]
fn a_scan_that_cannot_be_read_is_a_defect_that_is_told() {
    let asked = Asked::new();
    asked.scanned(Bytes::from_static(
        b"{\"schema\": \"undock.scan/v1\", \"objects\": []}",
    ));
    let (status, _, text) = asked.get();
    assert_eq!(status, 500);
    assert!(text.contains("a field is missing"), "{text}");
}

#[test]
fn other_work_continues_while_a_page_is_made() {
    let asked = Asked::new();
    asked.scanned(scan(5_000, "2026-11-20T10:00:00Z"));
    // One thread: whatever is not put aside keeps everything else waiting.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ticks = runtime.block_on(async {
        let ticks = std::cell::Cell::new(0_u32);
        let ticking = async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                ticks.set(ticks.get() + 1);
            }
        };
        tokio::select! {
            response = asked.page() => assert_eq!(response.status(), 200),
            () = ticking => {}
        }
        ticks.get()
    });
    assert!(ticks >= 5, "{ticks} other tasks had a turn");
}
