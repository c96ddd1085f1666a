//! HTTP around the reviews: what is no review, keep-alive, pipelines, HTTP/2.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio_rustls::TlsConnector;
use undock::decision::Mode;

use crate::support::answer::Answer;
use crate::support::client::{JSON, Reply, Tls, request};
use crate::support::reviews::{bytes, clean_pod, create, socket_pod, with};
use crate::support::server::Server;

#[test]
fn everything_but_a_review_is_refused_and_never_redirected() {
    let server = Server::start(Mode::Enforce);
    let body = bytes(&create(socket_pod()));
    let review: &[u8] = &body;
    let with_type = |value: &'static str| vec![("Content-Type", value)];
    let cases = [
        ("POST", "/", JSON.to_vec(), review, 404),
        ("POST", "/validate/", JSON.to_vec(), review, 404),
        ("POST", "//validate", JSON.to_vec(), review, 404),
        ("POST", "/Validate", JSON.to_vec(), review, 404),
        ("POST", "/validate/../validate", JSON.to_vec(), review, 404),
        ("POST", "/%76alidate%2f", JSON.to_vec(), review, 404),
        ("GET", "/metrics", vec![], b"", 404),
        ("OPTIONS", "*", vec![], b"", 404),
        ("GET", "/validate", vec![], b"", 405),
        ("HEAD", "/validate", vec![], b"", 405),
        ("PUT", "/validate", JSON.to_vec(), review, 405),
        ("DELETE", "/validate?timeout=1s", vec![], b"", 405),
        ("OPTIONS", "/validate", vec![], b"", 405),
        ("TRACE", "/validate", vec![], b"", 405),
        ("BREW", "/validate", vec![], b"", 405),
        ("POST", "/validate", vec![], review, 415),
        ("POST", "/validate", with_type("text/plain"), review, 415),
        (
            "POST",
            "/validate",
            with_type("application/jsonp"),
            review,
            415,
        ),
        (
            "POST",
            "/validate",
            with_type("application/x-www-form-urlencoded"),
            review,
            415,
        ),
        ("POST", "/validate", JSON.to_vec(), b"", 400),
        ("POST", "/validate", JSON.to_vec(), b"{}", 400),
        ("POST", "/validate", JSON.to_vec(), b"null", 400),
    ];
    for (method, target, headers, body, status) in cases {
        let reply = server
            .connect()
            .call(method, target, &headers, body)
            .unwrap_or_else(|e| panic!("{method} {target}: {e}"));
        assert_eq!(reply.status, status, "{method} {target} {headers:?}");
        assert_eq!(reply.header("location"), None);
        assert!(
            reply.header("allow").is_some() || status != 405,
            "{method} {target}: 405 names what is allowed"
        );
    }
    for status in [400, 404, 405, 415] {
        assert!(
            server.metric(&format!(
                "undock_refused_requests_total{{status=\"{status}\"}}"
            )) > 0,
            "{status}"
        );
    }
}

#[test]
fn a_tunnel_is_not_opened() {
    let server = Server::start(Mode::Enforce);
    let mut client = server.connect();
    client
        .send(b"CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1:443\r\n\r\n")
        .unwrap();
    let status = client.receive().expect("an answer").status;
    assert!((400..500).contains(&status), "{status}");
}

#[test]
fn the_content_type_may_have_parameters() {
    let server = Server::start(Mode::Warn);
    let body = bytes(&create(clean_pod()));
    for value in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;charset=UTF-8",
    ] {
        let reply = server
            .connect()
            .call("POST", "/validate", &[("content-type", value)], &body)
            .unwrap();
        Answer::of(&reply);
    }
}

#[test]
fn one_connection_carries_many_reviews() {
    let server = Server::start(Mode::Warn);
    let mut client = server.connect();
    for at in 0..50 {
        let object = if at % 2 == 0 {
            clean_pod()
        } else {
            socket_pod()
        };
        let uid = format!("uid-{at}");
        let answer = Answer::of(&client.post(&bytes(&with(create(object), "uid", json!(uid)))));
        assert_eq!((answer.uid, answer.warnings.len()), (uid, at % 2));
    }
    assert_eq!(
        client.call("GET", "/nowhere", &[], b"").unwrap().status,
        404
    );
    Answer::of(&client.post(&bytes(&create(clean_pod()))));
}

#[test]
fn a_pipeline_is_answered_in_its_order() {
    let server = Server::start(Mode::Warn);
    let mut client = server.connect();
    let uids: Vec<String> = (0..10).map(|at| format!("uid-{at}")).collect();
    let body = |uid: &String| bytes(&with(create(socket_pod()), "uid", json!(uid)));
    let all: Vec<u8> = uids
        .iter()
        .flat_map(|uid| request("POST", "/validate", JSON, &body(uid)))
        .collect();
    client.send(&all).unwrap();
    for uid in &uids {
        assert_eq!(&Answer::of(&client.receive().unwrap()).uid, uid);
    }
}

#[test]
fn a_body_in_chunks_and_one_that_waits_to_be_asked_for() {
    let server = Server::start(Mode::Warn);
    let body = bytes(&create(socket_pod()));
    let mut chunked =
        b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(7) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let mut client = server.connect();
    client.send(&chunked).unwrap();
    assert_eq!(Answer::of(&client.receive().unwrap()).warnings.len(), 1);

    let whole = request(
        "POST",
        "/validate",
        &[JSON[0], ("Expect", "100-continue")],
        &body,
    );
    let (head, rest) = whole.split_at(whole.len() - body.len());
    client.send(head).unwrap();
    client.send(rest).unwrap();
    assert_eq!(Answer::of(&client.receive().unwrap()).warnings.len(), 1);
}

#[test]
fn draining_closes_connections_with_their_answers() {
    let server = Server::start(Mode::Warn);
    let (mut first, mut second) = (server.connect(), server.connect());
    let body = bytes(&create(clean_pod()));
    assert_eq!(first.post(&body).header("connection"), None);
    server.app.state.set_draining();
    let reply = first.post(&body);
    assert_eq!(reply.header("connection"), Some("close"));
    Answer::of(&reply);
    assert!(first.is_closed());
    assert_eq!(
        second
            .call("GET", "/validate", &[], b"")
            .unwrap()
            .header("connection"),
        Some("close"),
        "for every answer alike"
    );
    Answer::of(&server.connect().post(&body));
}

#[test]
fn http2_answers_many_reviews_at_once() {
    let server = Server::start(Mode::Warn);
    let mut tls = Tls::new(&server.ca);
    tls.alpn = vec!["h2"];
    let replies = server.runtime().block_on(async {
        let socket = tokio::net::TcpStream::connect(server.address)
            .await
            .unwrap();
        let name = ServerName::from(server.address.ip());
        let stream = TlsConnector::from(tls.config())
            .connect(name, socket)
            .await
            .unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let mut first = sender.clone();
        first.ready().await.unwrap();
        // Until the settings of the server have arrived, a client does not know how many streams it may open.
        let request = hyper::Request::get("https://undock/").body(Full::default());
        first.send_request(request.unwrap()).await.unwrap();
        let sender = Arc::new(sender);
        let calls = (0..40).map(|at| {
            let mut sender = (*sender).clone();
            let body = bytes(&with(
                create(socket_pod()),
                "uid",
                json!(format!("uid-{at}")),
            ));
            tokio::spawn(async move {
                let request = hyper::Request::post("https://undock/validate?timeout=10s")
                    .header("content-type", "application/json");
                let reply = sender
                    .send_request(request.body(Full::new(Bytes::from(body))).unwrap())
                    .await
                    .unwrap();
                let content_type = reply.headers()["content-type"].to_str().unwrap().to_owned();
                let status = reply.status().as_u16();
                let body = reply
                    .into_body()
                    .collect()
                    .await
                    .unwrap()
                    .to_bytes()
                    .to_vec();
                Reply {
                    status,
                    headers: vec![("content-type".to_owned(), content_type)],
                    body,
                }
            })
        });
        let mut replies = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            replies.push(call.await.unwrap());
        }
        connection.abort();
        replies
    });
    for (at, reply) in replies.iter().enumerate() {
        assert_eq!(Answer::of(reply).uid, format!("uid-{at}"));
    }
}
