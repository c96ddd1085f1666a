//! A cluster full of large objects: what they cost the controller and the webhook in memory.
//!
//! Every byte of `<` is six in JSON, so 1 MB of it in a ConfigMap arrives as 6 MB.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::process::{Undock, undock};

/// MB of resident memory at most. The limit that is shipped is 256 MiB, and the binary under test is not optimised.
const MOST: u64 = 80;

/// What a list holds, each more than [`MOST`] in all: how often one object, and the object as far as its padding.
fn list(path: &str) -> Option<(usize, usize, Value)> {
    let metadata = json!({"name": "NAME", "namespace": "ci", "uid": "NAME"});
    let pod = json!({"containers": [{"name": "app", "image": "registry.example/app:1"}]});
    Some(match path {
        "/api/v1/configmaps" => (
            30,
            1 << 20,
            json!({"metadata": metadata, "data": {"x": "PAD"}}),
        ),
        "/api/v1/pods" => {
            let mut metadata = metadata;
            metadata["annotations"] = json!({"x": "PAD"});
            (14, 1 << 20, json!({"metadata": metadata, "spec": pod}))
        }
        "/api/v1/namespaces" => {
            let annotations = json!({"x": "PAD"});
            (
                55,
                256 << 10,
                json!({"metadata": {"name": "NAME", "uid": "NAME", "annotations": annotations}}),
            )
        }
        "/api/v1/persistentvolumes" => {
            let annotations = json!({"x": "PAD"});
            (
                55,
                256 << 10,
                json!({"metadata": {"name": "NAME", "uid": "NAME", "annotations": annotations}, "spec": {"hostPath": {"path": "/data"}}}),
            )
        }
        _ => return None,
    })
}

async fn answer(State(large): State<Lists>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if request
        .uri()
        .query()
        .is_some_and(|query| query.contains("watch="))
    {
        return std::future::pending().await;
    }
    let begin = r#"{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":["#;
    let Some((count, size, object)) = list(&path).filter(|_| large.contains(&path.as_str())) else {
        let is_object = path.contains("/leases/") || path.contains("/undock-");
        return match path.as_str() {
            // Whatever is written is as it should be.
            _ if request.method() != "GET" => {
                json_response(r#"{"metadata":{"resourceVersion":"1"}}"#)
            }
            "/apis" => json_response(r#"{"groups":[]}"#),
            _ if is_object => {
                let status =
                    r#"{"kind":"Status","status":"Failure","reason":"NotFound","code":404}"#;
                (axum::http::StatusCode::NOT_FOUND, status).into_response()
            }
            _ => json_response(&format!("{begin}]}}")),
        };
    };
    let padding = Bytes::from("\\u003c".repeat(size));
    let text = object.to_string();
    let (head, tail) = text.split_once("PAD").unwrap();
    let (head, tail) = (head.to_owned(), tail.to_owned());
    let items = (0..count).flat_map(move |number| {
        let comma = if number == 0 { "" } else { "," };
        let name = |text: &str| Bytes::from(text.replace("NAME", &format!("n{number}")));
        [
            name(&format!("{comma}{head}")),
            padding.clone(),
            name(&tail),
        ]
    });
    let parts = std::iter::once(Bytes::from(begin))
        .chain(items)
        .chain([Bytes::from("]}")]);
    Body::from_stream(futures::stream::iter(parts.map(Ok::<_, std::io::Error>))).into_response()
}

fn json_response(text: &str) -> Response {
    text.to_owned().into_response()
}

/// Paths of the lists that are large; the others are empty.
type Lists = &'static [&'static str];

fn api(large: Lists) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, Router::new().fallback(answer).with_state(large))
                .await
                .unwrap();
        });
    });
    address
}

fn kubeconfig(folder: &Path, large: Lists) -> PathBuf {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": format!("http://{}", api(large))}}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x", "namespace": "undock"}}],
    });
    let path = folder.join("kubeconfig");
    fs::write(&path, config.to_string()).unwrap();
    path
}

/// The most memory that a process ever had, in MB; `None` if the system does not tell.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn they_cost_the_controller_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let child = undock()
        .arg("controller")
        .arg("--kubeconfig")
        .arg(kubeconfig(
            folder.path(),
            &["/api/v1/configmaps", "/api/v1/pods"],
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let began = Instant::now();
    let scanned = loop {
        let text = fs::read_to_string(&log).unwrap();
        if let Some(line) = text
            .lines()
            .find(|line| line.contains("scanned the cluster"))
        {
            break serde_json::from_str::<Value>(line).unwrap();
        }
        assert!(child.0.try_wait().unwrap().is_none(), "it ended: {text}");
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "no scan: {text}"
        );
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(
        (&scanned["pods"], &scanned["errors"]),
        (&json!(14), &json!(0))
    );
    let Some(peak) = peak(child.0.id()) else {
        return println!("SKIPPED: this system does not tell a process's memory");
    };
    println!("the controller: {peak} MB at most, {:?}", began.elapsed());
    assert!(peak < MOST, "{peak} MB");
}

#[test]
fn they_cost_the_webhook_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let large = &["/api/v1/namespaces", "/api/v1/persistentvolumes"];
    let path = kubeconfig(folder.path(), large);
    let undock = Undock::serve(&["--kubeconfig", path.to_str().unwrap()]);
    let began = Instant::now();
    while undock.admin("/readyz").0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(300), "not ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    let Some(peak) = peak(undock.id()) else {
        return println!("SKIPPED: this system does not tell a process's memory");
    };
    println!("the webhook: {peak} MB at most");
    assert!(peak < MOST, "{peak} MB");
}
