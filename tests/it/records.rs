//! Records: one line each, folded repeats, and a reader that does not read costs records but never time.

#![allow(
    clippy::unwrap_used,
    reason = "a test that fails is a test that panics"
)]

use std::io::Read;
use std::time::{Duration, Instant};

use crate::support::answer::Answer;
use crate::support::process::Undock;
use crate::support::reviews::{bytes, create, socket_pod, socket_pod_times, with};
use crate::support::server::Server;
use serde_json::{Value, json};
use undock::decision::Mode;
use undock::record::{MAX_FINDINGS, MAX_LINE};

#[test]
fn a_record_says_who_what_and_where() {
    let server = Server::start(Mode::Warn);
    let mut pod = socket_pod();
    pod["metadata"]["labels"] = json!({"team": "build", "app.kubernetes.io/managed-by": "Helm"});
    server.review(&create(pod));
    let record = server.records(1).remove(0);
    for (key, value) in [
        ("event.name", json!("undock.review.flagged")),
        ("log.level", json!("warn")),
        ("schema.version", json!("1")),
        ("review.uid", json!(crate::support::reviews::UID)),
        ("review.operation", json!("CREATE")),
        ("review.dry_run", json!(false)),
        ("mode", json!("warn")),
        ("decision", json!("warn")),
        ("would_deny", json!(true)),
        ("k8s.namespace.name", json!("ci")),
        ("k8s.object.kind", json!("Pod")),
        ("k8s.object.name", json!("builder")),
        ("owner.kind", json!("Pod")),
        ("owner.team", json!("build")),
        ("owner.managed_by", json!("helm")),
        ("user.name", json!("admin")),
        ("user.kind", json!("user")),
        ("findings.count", json!(1)),
    ] {
        assert_eq!(record[key], value, "{key}");
    }
    let time = record["@timestamp"].as_str().unwrap();
    assert!(
        time.len() == 24 && time.ends_with('Z'),
        "milliseconds, UTC: {time}"
    );
    let finding = &record["findings"][0];
    assert_eq!(
        (
            &finding["rule.id"],
            &finding["evidence"],
            &finding["status"]
        ),
        (
            &json!("DKR101"),
            &json!("/var/run/docker.sock"),
            &json!("open")
        )
    );
    assert!(record["review.duration_us"].is_u64());
}

#[test]
fn a_line_holds_twenty_findings_and_eight_kilobytes() {
    let server = Server::start(Mode::Audit);
    for count in [19, 20, 21, 60] {
        server.review(&with(
            create(socket_pod_times(count)),
            "name",
            json!(format!("p{count}")),
        ));
    }
    let records = server.records(4);
    for (record, count) in records.iter().zip([19, 20, 21, 60]) {
        let shown = record["findings"].as_array().unwrap().len();
        assert!(
            shown <= MAX_FINDINGS && shown >= count.min(15),
            "{shown} of {count}"
        );
        assert_eq!(record["findings.count"], count);
        assert_eq!(
            record["findings.truncated"].as_u64().unwrap_or_default(),
            (count - shown) as u64
        );
        assert!(record.to_string().len() < MAX_LINE);
    }
}

/// A refusal of a Pod that the ReplicaSet `runner` makes, by `user`.
fn refused_pod(user: &str, generated: usize) -> Value {
    let mut pod = socket_pod();
    pod["metadata"] = json!({
        "generateName": "runner-5547f99f44-", "namespace": "ci", "labels": {"pod-template-hash": "5547f99f44"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "runner-5547f99f44", "uid": "u", "controller": true}],
    });
    let review = with(create(pod), "userInfo.username", json!(user));
    with(review, "uid", json!(format!("uid-{generated}")))
}

#[test]
fn retries_of_a_controller_are_folded_and_told_at_the_end() {
    let mut undock = Undock::serve(&["--mode", "enforce"]);
    let mut client = undock.connect();
    let controller = "system:serviceaccount:kube-system:replicaset-controller";
    for at in 0..25 {
        Answer::of(&client.post(&bytes(&refused_pod(controller, at))));
    }
    crate::support::eventually("24 folded", || {
        (undock.metric(r#"undock_report_records_total{outcome="suppressed"}"#) == 24).then_some(())
    });
    assert_eq!(
        undock.metric(r#"undock_report_records_total{outcome="written"}"#),
        1
    );
    undock.signal("INT");
    assert_eq!(undock.wait(Duration::from_secs(8)).code(), Some(0));
    let records = undock.records(2);
    assert_eq!(records.len(), 2, "{records:?}");
    let (first, rollup) = (&records[0], &records[1]);
    assert_eq!(
        (&first["event.name"], &first["review.uid"]),
        (&json!("undock.review.flagged"), &json!("uid-0"))
    );
    assert_eq!(
        (&rollup["event.name"], &rollup["review.uid"]),
        (&json!("undock.review.rollup"), &json!("uid-24"))
    );
    assert_eq!(rollup["dedupe.suppressed"], 24);
    assert_eq!(rollup["dedupe.first_seen"], first["@timestamp"]);
}

#[test]
fn what_people_and_pipelines_are_refused_is_never_folded() {
    let server = Server::start(Mode::Enforce);
    for (at, user) in [
        "admin",
        "admin",
        "system:serviceaccount:ci:deployer",
        "system:serviceaccount:ci:deployer",
    ]
    .iter()
    .enumerate()
    {
        server.review(&refused_pod(user, at));
    }
    assert_eq!(server.records(4).len(), 4);
}

#[test]
fn warnings_are_folded_by_who_and_what() {
    let server = Server::start(Mode::Warn);
    let another_object = with(
        with(create(socket_pod()), "object.metadata.name", json!("other")),
        "uid",
        json!("other"),
    );
    let another_user = with(create(socket_pod()), "userInfo.username", json!("somebody"));
    let dry = with(create(socket_pod()), "dryRun", json!(true));
    let last = with(create(socket_pod_times(2)), "uid", json!("last"));
    for review in [
        create(socket_pod()),
        create(socket_pod()),
        another_object,
        another_user,
        create(socket_pod()),
        dry,
        last,
    ] {
        server.review(&review);
    }
    crate::support::eventually("the last one", || {
        let records = server.records(5);
        records
            .iter()
            .any(|record| record["review.uid"] == "last")
            .then_some(())
    });
    assert_eq!(
        server.records(5).len(),
        5,
        "one for each of: first, other object, other user, dry run, last"
    );
}

#[test]
fn a_reader_that_does_not_read_costs_records_and_no_time() {
    let (mut undock, mut unread) = Undock::serve_unread(&["--mode", "enforce"]);
    let mut client = undock.connect();
    // A pipe holds 64 KiB, the queue 1024 records; a refusal of a person is never folded.
    let body = bytes(&create(socket_pod_times(20)));
    let mut slowest = Duration::ZERO;
    for _ in 0..1_300 {
        let started = Instant::now();
        assert_eq!(client.post(&body).status, 200);
        slowest = slowest.max(started.elapsed());
    }
    assert!(
        slowest < Duration::from_secs(2),
        "an answer took {slowest:?}"
    );
    let outcome = |name: &str| {
        undock.metric(&format!(
            "undock_report_records_total{{outcome=\"{name}\"}}"
        ))
    };
    assert!(outcome("dropped") > 50, "{}", outcome("dropped"));
    assert_eq!(undock.admin("/readyz").0, 200);
    // Reading again brings what waited in the queue, in whole lines.
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        unread.read_to_string(&mut text).unwrap();
        text
    });
    crate::support::eventually("the queue is empty", || {
        (outcome("written") + outcome("dropped") == 1_300).then_some(())
    });
    undock.signal("INT");
    assert_eq!(undock.wait(Duration::from_secs(10)).code(), Some(0));
    for line in reader.join().unwrap().lines() {
        assert!(line.len() < MAX_LINE);
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn a_reader_that_is_gone_is_no_reason_to_end() {
    let (mut undock, unread) = Undock::serve_unread(&["--mode", "enforce"]);
    drop(unread);
    let mut client = undock.connect();
    for _ in 0..5 {
        Answer::of(&client.post(&bytes(&create(socket_pod()))));
    }
    crate::support::eventually("five lost", || {
        (undock.metric(r#"undock_report_records_total{outcome="dropped"}"#) == 5).then_some(())
    });
    undock.signal("INT");
    assert_eq!(undock.wait(Duration::from_secs(8)).code(), Some(0));
}

#[test]
fn nobody_reading_does_not_keep_undock_from_ending() {
    let (mut undock, unread) = Undock::serve_unread(&["--mode", "enforce"]);
    let mut client = undock.connect();
    for _ in 0..100 {
        client.post(&bytes(&create(socket_pod_times(20))));
    }
    undock.signal("INT");
    assert_eq!(undock.wait(Duration::from_secs(12)).code(), Some(0));
    drop(unread);
}
