//! Reviews that cannot be evaluated: HTTP 200, the right uid, an answer by the mode, and a count.

use std::time::{Duration, Instant};

use serde_json::json;
use undock::admission::{NotAReview, Reviewed};
use undock::decision::{Mode, OwnerExemptions, Policy};
use undock::workload::budget::Budget;

use crate::support::answer::Answer;
use crate::support::client::{JSON, Reply, request};
use crate::support::reviews::{UID, bytes, clean_pod, create, socket_pod, with};
use crate::support::server::{Server, Settings};

const MODES: [Mode; 4] = [Mode::Enforce, Mode::Warn, Mode::Audit, Mode::Off];

/// The answer to a review that failed in `server`, which is in `mode`.
fn check(server: &Server, mode: Mode, reason: &str, reply: &Reply) -> Answer {
    let answer = Answer::of(reply);
    assert_eq!(answer.uid, UID);
    assert_eq!(answer.decision(), "error");
    assert_eq!(answer.allowed, mode != Mode::Enforce, "{mode:?}");
    assert_eq!(
        answer.warnings.len(),
        usize::from(mode == Mode::Warn),
        "{mode:?}: {:?}",
        answer.warnings
    );
    assert!(!answer.annotations["error"].is_empty());
    assert_eq!(
        server.metric(&format!(
            "undock_review_errors_total{{reason=\"{reason}\"}}"
        )),
        1
    );
    if mode != Mode::Off {
        let record = &server.records(1)[0];
        assert_eq!(
            (&record["event.name"], &record["review.uid"]),
            (&json!("undock.review.error"), &json!(UID))
        );
        assert_eq!(record["k8s.namespace.name"], "ci");
    }
    answer
}

#[test]
fn an_object_of_the_wrong_form() {
    for mode in MODES {
        let server = Server::start(mode);
        let mut review = create(clean_pod());
        review["request"]["object"]["spec"]["containers"] = json!("x");
        let reply = server.connect().post(&bytes(&review));
        let answer = check(&server, mode, "unreadable", &reply);
        if mode == Mode::Enforce {
            assert!(
                answer.message().contains("Namespace ci")
                    || answer.message().contains("namespace ci"),
                "{}",
                answer.message()
            );
            let details = &answer.raw["response"]["status"]["details"];
            assert_eq!(
                (&details["name"], &details["kind"]),
                (&json!("web"), &json!("pods"))
            );
        }
    }
}

#[test]
fn what_is_said_about_a_broken_object_holds_none_of_its_values() {
    let server = Server::start(Mode::Warn);
    let mut review = create(clean_pod());
    review["request"]["object"]["spec"]["containers"][0]["args"] =
        json!("login --password hunter2");
    let reply = server.connect().post(&bytes(&review));
    Answer::of(&reply);
    assert!(!reply.text().contains("hunter2"), "{}", reply.text());
    let record = server.records(1)[0].to_string();
    assert!(!record.contains("hunter2"), "{record}");
}

#[test]
fn a_body_over_the_limit() {
    let filler = "x".repeat(40 * 1024 * 1024);
    for mode in [Mode::Enforce, Mode::Warn] {
        let server = Server::start(mode);
        let mut review = create(socket_pod());
        review["request"]["object"]["metadata"]["annotations"] = json!({"big": filler});
        let mut client = server.connect();
        check(&server, mode, "too_large", &client.post(&bytes(&review)));
        assert_eq!(
            Answer::of(&client.post(&bytes(&create(clean_pod())))).decision(),
            "clean",
            "the connection goes on"
        );
    }
}

#[test]
fn an_update_of_almost_the_limit_is_evaluated() {
    let server = Server::start(Mode::Enforce);
    let mut new = socket_pod();
    new["metadata"]["annotations"] = json!({"big": "x".repeat(3_500_000)});
    let mut old = clean_pod();
    old["metadata"]["annotations"] = new["metadata"]["annotations"].clone();
    let answer = server.review(&crate::support::reviews::update(old, new));
    assert_eq!((answer.decision(), answer.rules()), ("deny", "DKR101=1"));
}

fn slow(
    body: &[u8],
    policy: &Policy,
    budget: Budget,
    owner: Option<&OwnerExemptions>,
) -> Result<Reviewed, NotAReview> {
    std::thread::sleep(Duration::from_secs(2));
    undock::admission::review_within(body, policy, budget, owner)
}

#[test]
fn a_late_evaluation_keeps_its_share_of_memory_until_it_ends() {
    let server = Server::with(Settings {
        review: slow,
        ..Settings::default()
    });
    let mut pod = clean_pod();
    pod["metadata"]["annotations"] = json!({"big": "x".repeat(1_000_000)});
    let body = bytes(&create(pod));
    let request = request("POST", "/validate?timeout=1s", JSON, &body);
    let mut client = server.connect();
    client.send(&request).unwrap();
    client.receive().unwrap();
    let taken = || server.app.state.large_bodies_taken();
    assert!(
        taken() >= body.len(),
        "it is answered and goes on: {}",
        taken()
    );
    crate::support::eventually("the share is given back", || (taken() == 0).then_some(()));
}

fn defect(
    _: &[u8],
    _: &Policy,
    _: Budget,
    _: Option<&OwnerExemptions>,
) -> Result<Reviewed, NotAReview> {
    panic!("put here by a test");
}

#[test]
fn a_defect_of_undock() {
    for mode in MODES {
        let server = Server::with(Settings {
            mode,
            review: defect,
            ..Settings::default()
        });
        let mut client = server.connect();
        check(
            &server,
            mode,
            "panic",
            &client.post(&bytes(&create(socket_pod()))),
        );
        assert_eq!(
            client.post(&bytes(&create(socket_pod()))).status,
            200,
            "the connection goes on"
        );
    }
}

#[test]
fn a_body_that_does_not_arrive_in_time() {
    for mode in [Mode::Enforce, Mode::Warn] {
        let server = Server::start(mode);
        let whole = request(
            "POST",
            "/validate?timeout=1s",
            JSON,
            &bytes(&create(socket_pod())),
        );
        let mut client = server.connect();
        let started = Instant::now();
        client.send(&whole[..whole.len() - 20]).unwrap();
        let reply = client
            .receive()
            .expect("an answer before the API server gives up");
        let waited = started.elapsed();
        check(&server, mode, "deadline", &reply);
        assert!(
            waited >= Duration::from_millis(800),
            "{waited:?} is too early to give up"
        );
        assert!(
            waited < Duration::from_secs(5),
            "{waited:?}: the timeout of the URL was not honoured"
        );
    }
}

#[test]
fn a_body_that_stalls_before_its_uid_is_no_review() {
    let server = Server::start(Mode::Enforce);
    let mut client = server.connect();
    let body = bytes(&create(socket_pod()));
    let mut whole = request("POST", "/validate?timeout=1s", JSON, &body);
    whole.truncate(whole.len() - body.len() + 10);
    client.send(&whole).unwrap();
    assert_eq!(client.receive().expect("an answer").status, 400);
}

#[test]
fn deletes_pass_even_when_they_cannot_be_read() {
    let server = Server::start(Mode::Enforce);
    for operation in ["DELETE", "CONNECT"] {
        let mut review = with(create(clean_pod()), "operation", json!(operation));
        review["request"]["object"]["spec"]["containers"] = json!("x");
        assert!(server.review(&review).allowed, "{operation}");
    }
}

#[test]
fn nothing_is_recorded_in_mode_off() {
    let server = Server::start(Mode::Off);
    let mut review = create(clean_pod());
    review["request"]["object"]["spec"]["containers"] = json!("x");
    server.review(&review);
    assert_eq!(server.records(0).len(), 0);
}
