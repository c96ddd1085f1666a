//! An API server on a loopback port that keeps what it is sent, and remembers every write.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The groups with reports.
const REPORT_GROUPS: [(&str, &str); 2] = [
    ("openreports.io", "v1alpha1"),
    ("wgpolicyk8s.io", "v1alpha2"),
];

/// The server; it runs until the test process ends.
#[derive(Clone)]
pub(crate) struct Store {
    state: Arc<Mutex<Content>>,
    address: SocketAddr,
}

#[derive(Default)]
struct Content {
    /// By path.
    objects: BTreeMap<String, Value>,
    version: u64,
    writes: Vec<String>,
    groups: Vec<&'static str>,
    /// What is answered with 403: the beginning of `METHOD PATH`.
    forbidden: Vec<String>,
}

type Shared = Arc<Mutex<Content>>;

impl Store {
    /// A server with the API groups `groups` besides those that every cluster has.
    pub(crate) fn start(groups: &[&'static str]) -> Self {
        let state: Shared = Arc::default();
        lock(&state).groups = groups.to_vec();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, router).await.expect("it serves");
            });
        });
        Self { state, address }
    }

    /// A kubeconfig that leads here, in `folder`.
    pub(crate) fn kubeconfig(&self, folder: &tempfile::TempDir) -> PathBuf {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "undock"}}],
        });
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, config.to_string()).expect("a folder of the test's own");
        path
    }

    /// Puts an object there, as somebody else's write.
    pub(crate) fn put(&self, path: &str, object: Value) {
        let mut content = lock(&self.state);
        let version = content.next();
        content
            .objects
            .insert(path.to_owned(), stamped(object, path, version));
    }

    pub(crate) fn remove(&self, path: &str) {
        lock(&self.state).objects.remove(path);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        lock(&self.state).objects.get(path).cloned()
    }

    /// The objects whose path holds `text`.
    pub(crate) fn all(&self, text: &str) -> Vec<Value> {
        lock(&self.state)
            .objects
            .iter()
            .filter(|(path, _)| path.contains(text))
            .map(|(_, object)| object.clone())
            .collect()
    }

    /// `METHOD PATH` of every write whose path holds `text`.
    pub(crate) fn writes(&self, text: &str) -> Vec<String> {
        lock(&self.state)
            .writes
            .iter()
            .filter(|write| write.contains(text))
            .cloned()
            .collect()
    }

    /// From now on refuses requests that begin with one of these.
    pub(crate) fn forbid(&self, requests: &[&str]) {
        lock(&self.state).forbidden = requests
            .iter()
            .map(|request| (*request).to_owned())
            .collect();
    }
}

impl Content {
    fn next(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// True if `root` is an API that is there.
    fn serves(&self, path: &str) -> bool {
        let others = REPORT_GROUPS
            .iter()
            .map(|(group, _)| group)
            .filter(|group| !self.groups.contains(group));
        others
            .into_iter()
            .all(|group| !path.starts_with(&format!("/apis/{group}/")))
            && !path.contains(".dev/")
    }
}

async fn answer(State(state): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let (path, query) = (
        head.uri.path().to_owned(),
        head.uri.query().unwrap_or_default().to_owned(),
    );
    if query.contains("watch=") {
        // Nothing ever happens.
        return std::future::pending().await;
    }
    let body = axum::body::to_bytes(body, 1 << 24)
        .await
        .unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut content = lock(&state);
    let asked = format!("{} {path}", head.method);
    if content
        .forbidden
        .iter()
        .any(|start| asked.starts_with(start))
    {
        return status(403, "Forbidden", &format!("{asked} is forbidden"));
    }
    if head.method != Method::GET {
        let name = body["metadata"]["name"].as_str().unwrap_or_default();
        content.writes.push(if head.method == Method::POST {
            format!("{asked}/{name}")
        } else {
            asked
        });
    }
    match head.method {
        Method::GET => read(&content, &path),
        Method::POST => {
            let path = format!(
                "{path}/{}",
                body["metadata"]["name"].as_str().unwrap_or_default()
            );
            if content.objects.contains_key(&path) {
                return status(409, "AlreadyExists", "it is there already");
            }
            store(&mut content, path, body)
        }
        Method::PUT => match content.objects.get(&path) {
            None => status(404, "NotFound", "it is not there"),
            Some(old)
                if old["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] =>
            {
                status(409, "Conflict", "it has been modified")
            }
            Some(_) => store(&mut content, path, body),
        },
        Method::DELETE => match content.objects.remove(&path) {
            Some(object) => json(&object),
            None => status(404, "NotFound", "it is not there"),
        },
        _ => status(405, "MethodNotAllowed", "the test knows no such method"),
    }
}

fn read(content: &Content, path: &str) -> Response {
    if path == "/apis" {
        let groups = REPORT_GROUPS
            .iter()
            .filter(|(group, _)| content.groups.contains(group));
        let groups = groups.map(
            |(group, version)| json!({"name": group, "preferredVersion": {"version": version}}),
        );
        return json(&json!({"kind": "APIGroupList", "groups": groups.collect::<Vec<_>>()}));
    }
    if let Some(object) = content.objects.get(path) {
        return json(object);
    }
    if !content.serves(path) || is_one_object(path) {
        return status(404, "NotFound", "it is not there");
    }
    // A list of one namespace, or of all.
    let (root, plural) = path.rsplit_once('/').expect("a path");
    let items: Vec<_> = content
        .objects
        .iter()
        .filter(|(place, _)| place.starts_with(root) && place.rsplit('/').nth(1) == Some(plural))
        .map(|(_, object)| object.clone())
        .collect();
    json(
        &json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": content.version.to_string()}, "items": items}),
    )
}

/// True for the path of one object of a namespace, not of a list.
fn is_one_object(path: &str) -> bool {
    let inside = path.split_once("/namespaces/").map(|(_, inside)| inside);
    inside.is_some_and(|inside| inside.split('/').count() == 3)
}

fn store(content: &mut Content, path: String, object: Value) -> Response {
    let version = content.next();
    let object = stamped(object, &path, version);
    content.objects.insert(path, object.clone());
    json(&object)
}

/// With what an API server adds.
fn stamped(mut object: Value, path: &str, version: u64) -> Value {
    let metadata = &mut object["metadata"];
    metadata["resourceVersion"] = version.to_string().into();
    let mut parts = path.rsplit('/');
    metadata["name"] = parts.next().unwrap_or_default().into();
    if metadata["uid"].is_null() {
        metadata["uid"] =
            format!("uid-of-{}", metadata["name"].as_str().unwrap_or_default()).into();
    }
    if let Some((_, rest)) = path.split_once("/namespaces/")
        && let Some((namespace, _)) = rest.split_once('/')
    {
        metadata["namespace"] = namespace.into();
    }
    object
}

fn json(value: &Value) -> Response {
    ([("Content-Type", "application/json")], value.to_string()).into_response()
}

fn status(code: u16, reason: &str, message: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "message": message, "code": code});
    (StatusCode::from_u16(code).expect("a status"), json(&body)).into_response()
}

fn lock(state: &Shared) -> MutexGuard<'_, Content> {
    state
        .lock()
        .expect("no test panics while it holds the lock")
}
