//! `undock scan` of a large cluster: time, and the most memory of the process, which has a gate.
//!
//! The API server is this process, and makes each page when it is asked for: 100,000 Pods of 10,000 Deployments, half of
//! which mount the Docker socket. Another number of Pods: `cargo bench --bench scan -- 10000`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench that cannot go on has failed, and prints what it measured"
)]

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

const PODS_OF_EACH: usize = 10;
/// Memory of the whole process, in MB.
const GATE: f64 = 100.0;

fn main() {
    let pods: usize = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(100_000);
    let server = serve(pods);
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, report) = (
        folder.path().join("kubeconfig"),
        folder.path().join("scan.json"),
    );
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": format!("http://{server}")}}],
        "users": [{"name": "bench", "user": {}}], "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
    command
        .arg("scan")
        .arg("--kubeconfig")
        .arg(&kubeconfig)
        .arg("-o")
        .arg(format!("json={}", report.display()));
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    let code = loop {
        peak = peak.max(memory(&status).unwrap_or_default());
        if let Some(ended) = child.try_wait().unwrap() {
            break ended.code();
        }
        thread::sleep(Duration::from_millis(5));
    };
    let time = began.elapsed();
    let bytes = std::fs::read(&report).unwrap();
    let scan: Value = serde_json::from_slice(&bytes).unwrap();
    let summary = &scan["summary"];
    assert_eq!(
        (code, &summary["pods"], &summary["denied"]),
        (Some(1), &json!(pods), &json!(pods / PODS_OF_EACH / 2)),
        "{summary}"
    );
    println!(
        "scan of {pods} Pods of {} Deployments, {} flagged: {:.1} s, {peak:.1} MB at most (gate {GATE}), {} MB of JSON",
        pods / PODS_OF_EACH,
        summary["flagged"],
        time.as_secs_f64(),
        bytes.len() / 1_000_000
    );
    assert!(peak < GATE, "more memory than the gate allows");
}

/// The most memory that a process has had so far, in MB.
fn memory(status: &str) -> Option<f64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// An API server with this many Pods, on a loopback port until the process ends.
fn serve(pods: usize) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let router = Router::new().fallback(move |uri: Uri| async move { answer(&uri, pods) });
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router)
                .await
                .unwrap();
        });
    });
    address
}

fn answer(uri: &Uri, pods: usize) -> Response {
    let parameter = |name: &str| {
        let pairs = uri.query().unwrap_or_default().split('&');
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let owners = pods / PODS_OF_EACH;
    let (count, make): (usize, fn(usize, usize) -> Value) = match uri.path() {
        "/apis" => return body(&json!({"kind": "APIGroupList", "groups": []})),
        "/apis/apps/v1/deployments" => (owners, deployment),
        "/apis/apps/v1/replicasets" => (owners, replica_set),
        "/api/v1/pods" => (pods, pod),
        path if ["/api/v1", "/apis/apps", "/apis/batch"]
            .iter()
            .any(|root| path.starts_with(root)) =>
        {
            (0, pod)
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let (start, limit) = (
        parameter("continue").unwrap_or_default(),
        parameter("limit").unwrap(),
    );
    let end = count.min(start + limit);
    let items: Vec<Value> = (start..end).map(|number| make(number, owners)).collect();
    let next = if end < count {
        end.to_string()
    } else {
        String::new()
    };
    body(
        &json!({"kind": "List", "apiVersion": "v1", "metadata": {"continue": next}, "items": items}),
    )
}

fn body(value: &Value) -> Response {
    ([("Content-Type", "application/json")], value.to_string()).into_response()
}

/// What a server adds to objects, and a scan has to read past.
fn managed_fields() -> Value {
    let fields = (0..24).map(|number| {
        (
            format!("f:field-{number}"),
            json!({"f:value": {}, "f:other": {"k:{\"name\":\"app\"}": {}}}),
        )
    });
    let fields: serde_json::Map<String, Value> = fields.collect();
    json!([{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}])
}

fn spec(owner: usize) -> Value {
    let mut spec = json!({
        "containers": [{"name": "app", "image": format!("registry.example.com/team/service-{owner}:1.2.3"), "resources": {"limits": {"memory": "1Gi"}},
            "env": (0..10).map(|number| json!({"name": format!("SETTING_{number}"), "value": "some value"})).collect::<Vec<_>>(),
            "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "emptyDir": {}}],
    });
    if owner.is_multiple_of(2) {
        spec["volumes"][0] = json!({"name": "data", "hostPath": {"path": "/var/run/docker.sock"}});
    }
    spec
}

fn metadata(name: String, owner: usize) -> Value {
    json!({
        "name": name, "namespace": format!("team-{}", owner % 200), "uid": format!("00000000-0000-4000-8000-{owner:012}"),
        "labels": {"app": format!("service-{owner}"), "pod-template-hash": "5d8c7f9b6d"}, "managedFields": managed_fields(),
    })
}

fn deployment(owner: usize, _: usize) -> Value {
    json!({"metadata": metadata(format!("service-{owner}"), owner), "spec": {"template": {"spec": spec(owner)}}})
}

fn replica_set(owner: usize, _: usize) -> Value {
    let mut metadata = metadata(format!("service-{owner}-5d8c7f9b6d"), owner);
    metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("service-{owner}"), "uid": "u", "controller": true}]);
    json!({"metadata": metadata, "spec": {"template": {"spec": spec(owner)}}})
}

fn pod(number: usize, owners: usize) -> Value {
    let owner = number % owners;
    let mut metadata = metadata(format!("service-{owner}-5d8c7f9b6d-{number:05}"), owner);
    metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("service-{owner}-5d8c7f9b6d"), "uid": "r", "controller": true}]);
    let mut spec = spec(owner);
    spec["nodeName"] = format!("node-{}", number % 1_000).into();
    json!({"metadata": metadata, "spec": spec, "status": {"phase": "Running", "podIP": "10.0.0.1"}})
}
