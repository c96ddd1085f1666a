//! The admin port: health is for everybody, the rest for those whom the API server lets read it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use kube::Client;
use serde_json::{Value, json};
use tower::ServiceExt;
use undock::decision::Mode;
use undock::server::access::Access;
use undock::server::admin::{Admin, guarded, health};
use undock::server::certificates::Certificates;
use undock::server::self_check::SelfCheck;

use crate::support::server::Server;

/// An API server that knows three tokens; `metrics` may read /metrics alone, `nobody` nothing.
#[derive(Clone, Default)]
struct Authority {
    asked: Arc<Mutex<Vec<Value>>>,
    is_down: bool,
}

impl Authority {
    fn client(&self) -> Client {
        let authority = self.clone();
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let authority = authority.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let asked: Value = serde_json::from_slice(&body).unwrap();
                let answer = authority.answer(&asked);
                authority.asked.lock().unwrap().push(asked);
                let code = if authority.is_down { 500 } else { 201 };
                let body = Full::new(Bytes::from(answer.to_string()));
                Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
            }
        });
        Client::new(service, "default")
    }

    fn answer(&self, asked: &Value) -> Value {
        let mut answer = asked.clone();
        let spec = &asked["spec"];
        answer["status"] = match asked["kind"].as_str() {
            _ if self.is_down => json!({}),
            Some("TokenReview") => match spec["token"].as_str() {
                Some(name @ ("metrics" | "admin" | "nobody")) => {
                    json!({"authenticated": true, "user": {"username": name, "groups": ["g"]}})
                }
                _ => json!({"authenticated": false}),
            },
            Some("SubjectAccessReview") => {
                assert_eq!(
                    (&spec["groups"], &spec["resourceAttributes"]),
                    (&json!(["g"]), &Value::Null)
                );
                let wanted = &spec["nonResourceAttributes"];
                assert_eq!(wanted["verb"], "get");
                let is_allowed = spec["user"] == "admin"
                    || (spec["user"] == "metrics" && wanted["path"] == "/metrics");
                json!({"allowed": is_allowed})
            }
            other => panic!("asked for {other:?}"),
        };
        answer
    }

    fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn routes(client: Option<Client>) -> Router {
    let secret = Router::new()
        .route("/metrics", get(|| async { "secret" }))
        .route("/report", get(|| async { "secret" }));
    guarded(secret, Arc::new(Access::new(client)))
}

async fn ask(routes: &Router, path: &str, authorization: Option<&str>) -> u16 {
    let mut request = Request::get(path);
    if let Some(authorization) = authorization {
        request = request.header("Authorization", authorization);
    }
    let request = request.body(Body::empty()).unwrap();
    let (head, body) = routes.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(head.status == 200, body == "secret", "{}", head.status);
    head.status.as_u16()
}

#[tokio::test]
async fn metrics_and_report_are_for_those_who_may_read_them() {
    let authority = Authority::default();
    let routes = routes(Some(authority.client()));
    for (path, authorization, status) in [
        ("/metrics", None, 401),
        ("/metrics", Some("Basic metrics"), 401),
        ("/metrics", Some("Bearer wrong"), 401),
        ("/metrics", Some("Bearer nobody"), 403),
        ("/metrics", Some("Bearer metrics"), 200),
        ("/report", Some("Bearer metrics"), 403),
        ("/report", Some("Bearer admin"), 200),
    ] {
        assert_eq!(
            ask(&routes, path, authorization).await,
            status,
            "{path} {authorization:?}"
        );
    }
    // Decisions are remembered, also the ones against a caller.
    let questions = authority.questions();
    for _ in 0..20 {
        assert_eq!(ask(&routes, "/metrics", Some("Bearer metrics")).await, 200);
        assert_eq!(ask(&routes, "/metrics", Some("Bearer nobody")).await, 403);
    }
    assert_eq!(authority.questions(), questions);
}

#[tokio::test]
async fn a_flood_of_wrong_tokens_keeps_nobody_out() {
    let authority = Authority::default();
    let routes = routes(Some(authority.client()));
    assert_eq!(ask(&routes, "/metrics", Some("Bearer metrics")).await, 200);
    for number in 0..600 {
        let wrong = format!("Bearer wrong-{number}");
        assert_eq!(ask(&routes, "/metrics", Some(&wrong)).await, 401);
    }
    let questions = authority.questions();
    assert_eq!(ask(&routes, "/metrics", Some("Bearer metrics")).await, 200);
    assert_eq!(authority.questions(), questions, "it is still remembered");
}

#[tokio::test]
async fn where_the_api_server_cannot_be_asked_nobody_may() {
    let authority = Authority {
        is_down: true,
        ..Authority::default()
    };
    let down = routes(Some(authority.client()));
    assert_eq!(ask(&down, "/metrics", Some("Bearer admin")).await, 503);
    assert_eq!(
        ask(&routes(None), "/metrics", Some("Bearer admin")).await,
        403
    );
}

#[test]
fn a_server_whose_tls_port_does_not_answer_is_not_ready() {
    let server = Server::start(Mode::Warn);
    // It accepts, as the kernel does for a process that hangs, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = closed.local_addr().unwrap();
    for (address, status) in [
        (server.address, 200),
        (silent.local_addr().unwrap(), 503),
        (closed, 503),
    ] {
        let certificates = Certificates::ephemeral().unwrap().certificates;
        let routes = health(Admin {
            app: Arc::clone(&server.app),
            certificates: Arc::new(certificates),
            self_check: Arc::new(SelfCheck::new(address)),
        });
        let started = Instant::now();
        let reply = server.runtime().block_on(async {
            let request = Request::get("/readyz").body(Body::empty()).unwrap();
            routes.oneshot(request).await.unwrap()
        });
        assert_eq!(reply.status(), status, "{address}");
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "kubelet waits no longer"
        );
    }
    // The check of a server that answers is no failed handshake.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.metric("undock_tls_handshake_failures_total"), 0);
}
