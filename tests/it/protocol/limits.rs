//! Warnings, denials, annotations and records stay within their limits whatever an object is called.

use proptest::prelude::*;
use serde_json::{Value, json};
use undock::admission;
use undock::decision::{Mode, Policy};
use undock::record::{MAX_FINDINGS, MAX_LINE};

use crate::support::answer::Answer;
use crate::support::reviews::{bytes, create};
use crate::support::server::Lines;

/// Text that people do not write: long, of wide and of combining characters, of controls and quotes.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        any::<String>(),
        "[\\x00-\\x1f\\x7f-\\x9f\"\\\\]{0,60}",
        (
            1..3_000usize,
            prop::sample::select(vec![
                "x",
                "ß",
                "漢",
                "\u{1f600}",
                "\u{0}",
                "\"",
                "\u{301}",
                "/",
                ":",
                "\u{202e}"
            ])
        )
            .prop_map(|(count, text)| text.repeat(count)),
    ]
}

/// A path or an image that a rule finds something in, or hostile text around one.
fn value() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "/var/run/docker.sock",
        "/run/cri-dockerd.sock",
        "/var/lib/docker",
        "/usr/bin/docker",
        "docker:27-cli",
        "docker:27-dind",
        "unix:///var/run/docker.sock",
        "tcp://localhost:2375",
        "docker build .",
        "/",
        "/root/.docker",
        "\\\\.\\pipe\\docker_engine",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => hostile()]
}

prop_compose! {
    fn container(index: usize)(
        name in hostile(), image in value(), host in value(), command in prop::collection::vec(value(), 0..3),
        path in value(), sub_path in prop::option::of(hostile()), kind in prop::sample::select(vec!["", "Socket", "DirectoryOrCreate"]),
    ) -> (Value, Value) {
        let volume = format!("{name}-{index}");
        let mount = json!({"name": volume, "mountPath": "/mnt", "subPath": sub_path});
        let container = json!({
            "name": name, "image": image, "command": ["sh", "-c", command.join(" ")],
            "env": [{"name": "DOCKER_HOST", "value": host}], "volumeMounts": [mount],
        });
        (container, json!({"name": volume, "hostPath": {"path": path, "type": kind}}))
    }
}

prop_compose! {
    fn review()(
        parts in prop_oneof![4 => 0..5usize, 1 => 20..26usize].prop_flat_map(|count| (0..count).map(container).collect::<Vec<_>>()),
        name in hostile(), namespace in hostile(), user in hostile(), uid in hostile(), kind in hostile(), label in hostile(),
        api_version in hostile(), broken in prop::bool::weighted(0.1),
    ) -> Value {
        let (containers, volumes): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let containers = if broken { json!(name) } else { json!(containers) };
        let object = json!({
            "apiVersion": api_version, "kind": kind,
            "metadata": {
                "name": name, "namespace": namespace, "uid": uid,
                "labels": {"team": label, "app.kubernetes.io/instance": label}, "annotations": {"meta.helm.sh/release-name": label},
            },
            "spec": {"containers": containers, "volumes": volumes},
        });
        let mut review = create(object);
        let uid = if uid.is_empty() { "u" } else { &uid };
        review["request"]["uid"] = json!(uid);
        review["request"]["namespace"] = json!(namespace);
        review["request"]["userInfo"]["username"] = json!(user);
        review["request"]["resource"]["group"] = json!(label);
        review
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_string_breaks_a_limit(review in review()) {
        let body = bytes(&review);
        for mode in [Mode::Enforce, Mode::Warn, Mode::Audit] {
            let policy = Policy { mode, ..Policy::default() };
            let reviewed = admission::review(&body, &policy).expect("a review");
            // The checks of every answer are the property.
            let answer = Answer::parse(&reviewed.response);
            prop_assert_eq!(&answer.uid, review["request"]["uid"].as_str().unwrap_or_default());
            let would_deny = reviewed.decision.findings.iter().filter(|judged| judged.enforce_action == undock::finding::Action::Deny).count();
            if mode == Mode::Warn {
                for warning in answer.warnings.iter().take(would_deny.min(5)) {
                    prop_assert!(reviewed.decision.error.is_some() || warning.ends_with(" [would deny]"), "{}", warning);
                }
            }
            if mode == Mode::Enforce && !answer.allowed && reviewed.decision.error.is_none() {
                prop_assert!(answer.message().contains("is in enforce mode. Details: undock explain DKR"), "{}", answer.message());
            }
            let again = admission::review(&body, &policy).expect("a review");
            prop_assert_eq!(&reviewed.response, &again.response);
            if let Some(record) = reviewed.record {
                let line = line(record);
                prop_assert!(line.len() <= MAX_LINE, "{} bytes: {}", line.len(), line);
                let read: Value = serde_json::from_str(&line).expect("a record is JSON");
                let shown = read["findings"].as_array().map_or(0, Vec::len);
                prop_assert!(shown <= MAX_FINDINGS);
                let hidden = read["findings.truncated"].as_u64().unwrap_or_default();
                prop_assert_eq!(read["findings.count"].as_u64().unwrap_or_default(), shown as u64 + hidden);
                prop_assert!(read["message"].as_str().is_some_and(|message| message.len() <= 200));
            }
        }
    }
}

/// The line that the queue makes of `record`.
fn line(record: Box<undock::record::Record>) -> String {
    let sink = Lines::default();
    let (queue, writer) = undock::record::queue::Queue::start(sink.clone()).expect("a thread");
    queue.push(record);
    drop(queue);
    writer.stop();
    sink.lines().remove(0)
}
