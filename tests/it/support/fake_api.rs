//! An API server in the test's own process: lists in pages, tokens that expire, refusals.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// The list of API groups, whose items are groups.
pub(crate) const GROUPS: &str = "/apis";

/// What it holds, and what it was asked.
#[derive(Clone, Default)]
pub(crate) struct FakeApi(Arc<State>);

#[derive(Default)]
struct State {
    lists: Mutex<BTreeMap<String, Arc<Vec<Value>>>>,
    objects: Mutex<BTreeMap<String, Value>>,
    failures: Mutex<BTreeMap<String, (u16, usize)>>,
    expiries: Mutex<BTreeMap<String, usize>>,
    requests: Mutex<Vec<String>>,
    date: Mutex<Option<&'static str>>,
    open: Arc<AtomicUsize>,
    most_open: AtomicUsize,
}

/// A body that tells when it is let go.
struct Tracked {
    bytes: Vec<u8>,
    open: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FakeApi {
    pub(crate) fn new() -> Self {
        Self::default().with(GROUPS, Vec::new())
    }

    /// The items of the list at `path`.
    pub(crate) fn with(self, path: &str, items: Vec<Value>) -> Self {
        self.0
            .lists
            .lock()
            .unwrap()
            .insert(path.to_owned(), Arc::new(items));
        self
    }

    /// The object at `path`.
    pub(crate) fn with_object(self, path: &str, object: Value) -> Self {
        let mut objects = self.0.objects.lock().unwrap();
        objects.insert(path.to_owned(), object);
        drop(objects);
        self
    }

    /// `path` always answers with `code`.
    pub(crate) fn failing(self, path: &str, code: u16) -> Self {
        self.0
            .failures
            .lock()
            .unwrap()
            .insert(path.to_owned(), (code, usize::MAX));
        self
    }

    /// `path` answers with `code` once.
    pub(crate) fn failing_once(self, path: &str, code: u16) -> Self {
        self.0
            .failures
            .lock()
            .unwrap()
            .insert(path.to_owned(), (code, 1));
        self
    }

    /// The token of the second page of `path` is too old this many times.
    pub(crate) fn expiring(self, path: &str, times: usize) -> Self {
        self.0
            .expiries
            .lock()
            .unwrap()
            .insert(path.to_owned(), times);
        self
    }

    /// Every answer has this header.
    pub(crate) fn dated(self, date: &'static str) -> Self {
        *self.0.date.lock().unwrap() = Some(date);
        self
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.0.requests.lock().unwrap().clone()
    }

    /// The most answers that the client held at the same time.
    pub(crate) fn most_bodies_at_once(&self) -> usize {
        self.0.most_open.load(Ordering::SeqCst)
    }

    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let answer = api.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        Client::new(service, "default")
    }

    fn answer(&self, request: &Request<Body>) -> Response<Full<Bytes>> {
        assert_eq!(request.method(), "GET", "a scan only reads");
        let uri = request.uri().path_and_query().unwrap().as_str().to_owned();
        self.0.requests.lock().unwrap().push(uri);
        let (path, query) = (
            request.uri().path(),
            request.uri().query().unwrap_or_default(),
        );
        let parameter = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        if let Some((code, times)) = self
            .0
            .failures
            .lock()
            .unwrap()
            .get_mut(path)
            .filter(|(_, times)| *times > 0)
        {
            *times = times.saturating_sub(1);
            return self.respond(*code, &status(*code, "not allowed here", ""));
        }
        if let Some(object) = self.0.objects.lock().unwrap().get(path) {
            return self.respond(200, object);
        }
        let token = parameter("continue").unwrap_or_default();
        let (start, is_newer) = match token.strip_prefix("newer-") {
            Some(start) => (start.parse().unwrap(), true),
            None => (token.parse().unwrap_or(0), false),
        };
        if let Some(times) = self
            .0
            .expiries
            .lock()
            .unwrap()
            .get_mut(path)
            .filter(|times| **times > 0 && start > 0 && !is_newer)
        {
            *times -= 1;
            return self.respond(
                410,
                &status(410, "the token is too old", &format!("newer-{start}")),
            );
        }
        let Some(items) = self.0.lists.lock().unwrap().get(path).cloned() else {
            // Kinds that a test is not about are empty; groups that were not named are not there.
            let is_built_in = ["/api/v1", "/apis/apps", "/apis/batch"]
                .iter()
                .any(|root| path.starts_with(root));
            return if is_built_in {
                self.respond(200, &json!({"kind": "List", "items": []}))
            } else {
                self.respond(404, &json!({}))
            };
        };
        if path == GROUPS {
            return self.respond(200, &json!({"kind": "APIGroupList", "groups": *items}));
        }
        let limit: usize = parameter("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(usize::MAX);
        let page: Vec<_> = items.iter().skip(start).take(limit).collect();
        let end = start + page.len();
        let next = match end < items.len() {
            true if is_newer => format!("newer-{end}"),
            true => end.to_string(),
            false => String::new(),
        };
        self.respond(
            200,
            &json!({"kind": "List", "metadata": {"continue": next}, "items": page}),
        )
    }

    fn respond(&self, code: u16, body: &Value) -> Response<Full<Bytes>> {
        let open = self.0.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_open.fetch_max(open, Ordering::SeqCst);
        let tracked = Tracked {
            bytes: serde_json::to_vec(body).unwrap(),
            open: Arc::clone(&self.0.open),
        };
        let response = Response::builder().status(code);
        let response = match *self.0.date.lock().unwrap() {
            Some(date) => response.header("Date", date),
            None => response,
        };
        response
            .body(Full::new(Bytes::from_owner(tracked)))
            .unwrap()
    }
}

fn status(code: u16, message: &str, token: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": code, "message": message, "metadata": {"continue": token}})
}

/// An object of a list, which names no kind.
pub(crate) fn object(namespace: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({"metadata": {"name": name, "namespace": namespace, "uid": name}});
    for (key, value) in rest.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}
