//! Bodies that no API server sends: cut, deep, mistyped, badly encoded, or shaped to hide something.

use serde_json::{Value, json};
use undock::decision::Mode;

use crate::support::answer::Answer;
use crate::support::client::Reply;
use crate::support::reviews::{UID, bytes, clean_pod, create, deployment, socket_pod, with};
use crate::support::server::Server;

/// The body of a review of `socket_pod`, with `from` replaced by `to`.
fn spoiled(from: &str, to: &str) -> Vec<u8> {
    let body = String::from_utf8(bytes(&create(socket_pod()))).unwrap();
    assert!(body.contains(from), "{from} is not in {body}");
    body.replace(from, to).into_bytes()
}

fn error(reply: &Reply) {
    let answer = Answer::of(reply);
    assert_eq!(
        (answer.uid.as_str(), answer.allowed, answer.decision()),
        (UID, false, "error")
    );
}

#[test]
fn a_cut_anywhere_is_an_error_with_the_uid_or_no_review() {
    let server = Server::start(Mode::Enforce);
    let body = bytes(&create(socket_pod()));
    let text = std::str::from_utf8(&body).unwrap();
    let uid_ends = text.find(UID).unwrap() + UID.len() + 1;
    let mut client = server.connect();
    for end in 0..text.trim_end().len() {
        let reply = client.post(&body[..end]);
        if end < uid_ends {
            assert_eq!(reply.status, 400, "cut at {end}");
        } else {
            error(&reply);
        }
    }
}

#[test]
fn one_wrong_byte_anywhere_never_gets_anything_but_an_answer() {
    let server = Server::start(Mode::Enforce);
    let body = bytes(&create(socket_pod()));
    let mut client = server.connect();
    for wrong in [b'"', b'}', b'\\', 0, 0xff, b'9'] {
        for at in (usize::from(wrong) % 3..body.len()).step_by(3) {
            let mut spoiled = body.clone();
            spoiled[at] = wrong;
            let reply = client.post(&spoiled);
            match reply.status {
                400 => {}
                _ => drop(Answer::of(&reply)),
            }
        }
    }
}

#[test]
fn values_of_every_wrong_type_are_answered() {
    let server = Server::start(Mode::Enforce);
    let wrong = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!("x"),
        json!([]),
        json!([1]),
        json!({}),
        json!({"a": 1}),
    ];
    let fields = [
        "object",
        "object.metadata",
        "object.metadata.labels",
        "object.metadata.annotations",
        "object.metadata.ownerReferences",
        "object.metadata.deletionTimestamp",
        "object.spec",
        "object.spec.containers",
        "object.spec.containers.0",
        "object.spec.volumes",
        "object.spec.containers.0.volumeMounts",
        "object.spec.volumes.0.hostPath",
        "object.spec.volumes.0.hostPath.path",
        "object.spec.containers.0.command",
        "object.spec.containers.0.env",
        "object.kind",
        "oldObject",
        "dryRun",
        "userInfo",
        "name",
        "kind",
        "resource",
        "operation",
        "namespace",
    ];
    let mut client = server.connect();
    for field in fields {
        for value in &wrong {
            let review = with(create(socket_pod()), field, value.clone());
            let answer = Answer::of(&client.post(&bytes(&review)));
            assert_eq!(answer.uid, UID, "{field}: {value}");
        }
    }
}

#[test]
fn wrong_kinds_and_versions_are_no_reviews() {
    let server = Server::start(Mode::Enforce);
    for (from, to) in [
        ("\"AdmissionReview\"", "\"Pod\""),
        ("\"AdmissionReview\"", "\"admissionreview\""),
        ("admission.k8s.io/v1\"", "admission.k8s.io/v2\""),
        ("admission.k8s.io/v1\"", "v1\""),
        (UID, ""),
        ("\"request\"", "\"response\""),
    ] {
        let reply = server.connect().post(&spoiled(from, to));
        assert_eq!(reply.status, 400, "{from} -> {to}: {}", reply.text());
    }
    for body in [
        "[]",
        "\"AdmissionReview\"",
        "{\"request\":null}",
        "[\"admission.k8s.io/v1\",\"AdmissionReview\",{\"uid\":\"u\"}]",
        "\u{feff}{}",
    ] {
        assert_eq!(server.connect().post(body.as_bytes()).status, 400, "{body}");
    }
}

#[test]
fn depth_is_an_error_where_it_is_read_and_nothing_where_it_is_not() {
    let server = Server::start(Mode::Enforce);
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    for (open, close) in [("[", "]"), ("{\"spec\":{\"template\":", "}}")] {
        let nested = deep(open, close);
        let skipped = spoiled("\"image\":", &format!("\"unknown\":{nested},\"image\":"));
        let answer = server.ask(&skipped);
        assert_eq!(
            (answer.decision(), answer.rules()),
            ("deny", "DKR101=1"),
            "{open}"
        );
        error(&server.connect().post(&spoiled(
            "\"spec\":{",
            &format!("\"spec\":{{\"template\":{nested},"),
        )));
        if open == "[" {
            error(&server.connect().post(&spoiled(
                "\"volumes\":[",
                &format!("\"volumes\":[{nested},"),
            )));
        }
        let whole = spoiled("\"oldObject\":null", &format!("\"oldObject\":{nested}"));
        assert_eq!(server.ask(&whole).decision(), "deny");
    }
    let mut template = json!({"spec": socket_pod()["spec"]});
    for _ in 0..40 {
        template = json!({"spec": {"template": template}});
    }
    let mut object = deployment(&clean_pod());
    object["spec"]["template"] = template;
    server.ask(&bytes(&create(object)));
    for body in ["[".repeat(100_000), "{\"request\":".repeat(100_000)] {
        assert_eq!(server.connect().post(body.as_bytes()).status, 400);
    }
}

#[test]
fn bad_utf8_is_an_error() {
    let server = Server::start(Mode::Enforce);
    for bad in [
        &b"\xff"[..],
        b"\xc3\x28",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\xaf",
    ] {
        let mut body = bytes(&create(socket_pod()));
        let at = body
            .windows(7)
            .position(|window| window == b"builder")
            .unwrap()
            + 3;
        body.splice(at..at, bad.iter().copied());
        let reply = server.connect().post(&body);
        error(&reply);
        let mut in_object = bytes(&create(socket_pod()));
        let at = in_object
            .windows(5)
            .position(|window| window == b"nginx")
            .unwrap()
            + 3;
        in_object.splice(at..at, bad.iter().copied());
        error(&server.connect().post(&in_object));
    }
}

#[test]
fn lone_surrogates_are_an_error() {
    let server = Server::start(Mode::Enforce);
    for bad in ["\\ud800", "\\udc00x", "\\ud800\\u0041", "\\udbff\\udbff"] {
        error(
            &server
                .connect()
                .post(&spoiled("\"name\":\"app\"", &format!("\"name\":\"{bad}\""))),
        );
    }
}

#[test]
fn escapes_hide_nothing() {
    let server = Server::start(Mode::Enforce);
    let escaped: String = "/var/run/docker.sock"
        .chars()
        .map(|c| format!("\\u{:04x}", u32::from(c)))
        .collect();
    for (from, to) in [
        (
            "{\"path\":\"/var/run/docker.sock\"}",
            format!("{{\"path\":\"{escaped}\"}}"),
        ),
        (
            "{\"path\":\"/var/run/docker.sock\"}",
            "{\"p\\u0061th\":\"\\/var\\/run\\/docker.sock\"}".to_owned(),
        ),
        ("\"hostPath\":", "\"host\\u0050ath\":".to_owned()),
        ("\"volumes\":", "\"\\u0076olumes\" \n\t:".to_owned()),
        ("\"object\":", "\"o\\u0062ject\":".to_owned()),
        ("\"CREATE\"", "\"\\u0043REATE\"".to_owned()),
    ] {
        let answer = server.ask(&spoiled(from, &to));
        assert_eq!(answer.decision(), "deny", "{from} -> {to}");
    }
}

#[test]
fn a_repeated_key_hides_nothing() {
    let server = Server::start(Mode::Enforce);
    let decoy = bytes(&create(clean_pod()));
    let decoy: Value = serde_json::from_slice(&decoy).unwrap();
    let decoy = decoy["request"]["object"].to_string();
    for (from, to) in [
        ("\"object\":", format!("\"object\":{decoy},\"object\":")),
        (
            "\"oldObject\":null",
            format!("\"oldObject\":null,\"object\":{decoy}"),
        ),
        ("\"volumes\":", "\"volumes\":[],\"volumes\":".to_owned()),
        (
            "\"operation\":\"CREATE\"",
            "\"operation\":\"CREATE\",\"operation\":\"DELETE\"".to_owned(),
        ),
        (
            "\"operation\":\"CREATE\"",
            "\"operation\":\"DELETE\",\"operation\":\"CREATE\"".to_owned(),
        ),
    ] {
        let answer = server.ask(&spoiled(from, &to));
        assert!(!answer.allowed, "{to}");
    }
}

#[test]
fn control_characters_reach_nobody() {
    let controls = "a\u{0}\n\r\t\u{1b}[31mred\u{7f}\u{85}\u{9b}\u{2028}\u{202e}\"\\";
    let mut pod = socket_pod();
    pod["metadata"]["name"] = json!(controls);
    pod["spec"]["volumes"][0]["name"] = json!(controls);
    pod["spec"]["containers"][0]["volumeMounts"][0]["name"] = json!(controls);
    pod["spec"]["containers"][0]["name"] = json!(controls);
    pod["spec"]["containers"][0]["image"] = json!(format!("docker:{controls}"));
    pod["spec"]["containers"][0]["env"] =
        json!([{"name": "DOCKER_HOST", "value": format!("unix:///var/run/docker.sock{controls}")}]);
    for mode in [Mode::Warn, Mode::Enforce] {
        let server = Server::start(mode);
        // `Answer` looks for them in warnings and message.
        let mut review = with(create(pod.clone()), "namespace", json!(controls));
        review["request"]["name"] = json!("builder");
        let answer = server.review(&review);
        assert_eq!(
            answer.decision(),
            if mode == Mode::Warn { "warn" } else { "deny" }
        );
        let shown = answer.raw.to_string();
        assert!(
            !shown.contains('\u{202e}') && !shown.contains('\u{9b}'),
            "{shown}"
        );
        assert!(
            answer
                .annotations
                .values()
                .all(|value| value.bytes().all(|b| (b' '..0x7f).contains(&b))),
            "{:?}",
            answer.annotations
        );
        let record = server.records(1).remove(0);
        assert_eq!(
            record["k8s.object.name"], controls,
            "a record holds what was there, as JSON escapes it"
        );
    }
}

#[test]
fn small_elements_in_great_number_do_not_grow_beyond_reason() {
    let server = Server::start(Mode::Enforce);
    let many = |element: &str| {
        format!(
            "[{}{element}]",
            format!("{element},").repeat(7 * 1024 * 1024 / (element.len() + 1))
        )
    };
    for (field, element) in [("containers", "{}"), ("volumes", "{}"), ("args", "0")] {
        let list = many(element);
        let body = match field {
            "args" => spoiled("\"image\":", &format!("\"args\":{list},\"image\":")),
            "volumes" => spoiled("\"volumes\":[", &format!("\"volumes\":{list},\"x\":[")),
            _ => spoiled(
                "\"containers\":[",
                &format!("\"containers\":{list},\"x\":["),
            ),
        };
        let answer = server.ask(&body);
        assert_eq!(
            (answer.allowed, answer.decision()),
            (false, "error"),
            "{field}"
        );
    }
}

#[test]
fn thousands_of_volumes_do_not_keep_the_answer_from_coming() {
    let server = Server::start(Mode::Enforce);
    let mut pod = socket_pod();
    let names = || (0..5_000).map(|at| format!("v{at}"));
    pod["spec"]["volumes"] = names()
        .map(|name| json!({"name": name, "hostPath": {"path": "/var/run/docker.sock"}}))
        .collect();
    let mounts = names().map(|name| json!({"name": name, "mountPath": format!("/mnt/{name}")}));
    pod["spec"]["containers"][0]["volumeMounts"] = mounts.collect();
    let started = std::time::Instant::now();
    assert!(
        !server
            .review(&crate::support::reviews::update(clean_pod(), pod))
            .allowed
    );
    assert!(
        started.elapsed() < std::time::Duration::from_secs(8),
        "{:?}: an API server waits for 10 s at most",
        started.elapsed()
    );
}
