//! Readable reviews: versions, uid, decisions, operations, warnings and causes.

use serde_json::{Value, json};
use undock::decision::Mode;

use crate::support::reviews::{
    clean_pod, create, deployment, socket_pod, socket_pod_times, update, with,
};
use crate::support::server::Server;

#[test]
fn both_versions_are_echoed() {
    let server = Server::start(Mode::Warn);
    for version in ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"] {
        for object in [clean_pod(), socket_pod()] {
            let mut review = create(object);
            review["apiVersion"] = json!(version);
            // `review` checks version and uid.
            assert!(server.review(&review).allowed);
        }
    }
    for uid in ["x", "ütf-8 \"quoted\"\\\u{1f600}\n", &"long".repeat(100)] {
        server.review(&with(create(socket_pod()), "uid", json!(uid)));
    }
}

#[test]
fn the_mode_decides_what_a_finding_does() {
    for (mode, allowed, decision, warnings, records) in [
        (Mode::Enforce, false, "deny", 0, 1),
        (Mode::Warn, true, "warn", 1, 1),
        (Mode::Audit, true, "record", 0, 1),
        (Mode::Off, true, "skipped", 0, 0),
    ] {
        let server = Server::start(mode);
        let answer = server.review(&create(socket_pod()));
        assert_eq!(
            (answer.allowed, answer.decision(), answer.warnings.len()),
            (allowed, decision, warnings),
            "{mode:?}"
        );
        assert_eq!(answer.annotations["mode"], mode.as_str());
        assert_eq!(server.records(records).len(), records);
        let clean = server.review(&create(clean_pod()));
        let decision = if mode == Mode::Off {
            "skipped"
        } else {
            "clean"
        };
        assert_eq!(
            (clean.allowed, clean.decision(), clean.annotations.len()),
            (true, decision, 2),
            "{mode:?}"
        );
    }
}

#[test]
fn a_warning_reads_as_the_contract_shows() {
    let answer = Server::start(Mode::Warn).review(&create(socket_pod()));
    let expected = "DKR101 volume \"sock\" mounts /var/run/docker.sock: absent on containerd nodes; build with BuildKit/Buildah [would deny]";
    assert_eq!(answer.warnings, [expected]);
    assert_eq!(answer.annotations["would-deny"], "true");
    assert_eq!(answer.rules(), "DKR101=1");
    assert_eq!(answer.annotations["owner"], "core/Pod/ci/builder self");
    assert!(
        answer.annotations["findings"].ends_with(" spec.volumes[0].hostPath.path"),
        "{:?}",
        answer.annotations
    );
}

#[test]
fn a_denial_names_every_finding() {
    let server = Server::start(Mode::Enforce);
    let mut pod = socket_pod_times(2);
    pod["spec"]["containers"][0]["image"] = json!("docker:27-cli");
    let answer = server.review(&create(pod.clone()));
    let status = &answer.raw["response"]["status"];
    assert_eq!(
        (&status["details"]["kind"], &status["details"]["name"]),
        (&json!("pods"), &json!("web"))
    );
    let causes = answer.causes();
    assert_eq!(
        causes
            .iter()
            .map(|(code, _)| code.as_str())
            .collect::<Vec<_>>(),
        ["DKR101", "DKR101", "DKR201"]
    );
    assert_eq!(causes[1].1, "spec.volumes[1].hostPath.path");
    let message = answer.message();
    assert!(message.starts_with("3 Docker dependencies must go before this namespace's nodes drop Docker. [1/3] DKR101 spec.volumes[0]"));
    assert!(
        message.ends_with("Namespace ci is in enforce mode. Details: undock explain DKR101"),
        "{message}"
    );
    for (code, _) in &causes {
        assert!(message.contains(code), "{message}");
    }
    // The same at every retry, wherever the Pod's generated name went: event recorders fold only equal texts.
    let again = with(create(pod), "uid", json!("another"));
    assert_eq!(server.review(&again).message(), message);
}

#[test]
fn a_denial_names_what_a_person_has_to_edit() {
    let server = Server::start(Mode::Enforce);
    let mut pod = socket_pod();
    pod["metadata"]["labels"] = json!({"pod-template-hash": "5d8c"});
    let controller = |name: &str| json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": "u", "controller": true}]);
    pod["metadata"]["ownerReferences"] = controller("runner-5d8c");
    let answer = server.review(&create(pod.clone()));
    let end =
        "Namespace ci is in enforce mode. Edit Deployment/runner. Details: undock explain DKR101";
    assert!(answer.message().ends_with(end), "{}", answer.message());
    // References are written by people: no name of theirs breaks the limits that every answer is held to.
    pod["metadata"]["ownerReferences"] = controller(&"\u{202e}\n".repeat(500));
    assert!(
        server
            .review(&create(pod))
            .message()
            .contains("Edit ReplicaSet/\\u{202e}\\u{a}")
    );
}

#[test]
fn workloads_are_refused_at_their_own_write() {
    let server = Server::start(Mode::Enforce);
    let answer = server.review(&create(deployment(&socket_pod())));
    assert!(!answer.allowed);
    assert_eq!(
        answer.causes(),
        [(
            "DKR101".to_owned(),
            "spec.template.spec.volumes[0].hostPath.path".to_owned()
        )]
    );
    let details = &answer.raw["response"]["status"]["details"];
    assert_eq!(
        (&details["group"], &details["kind"]),
        (&json!("apps"), &json!("deployments"))
    );
}

#[test]
fn an_update_is_refused_only_for_what_is_new() {
    let server = Server::start(Mode::Enforce);
    let mut relabelled = socket_pod();
    relabelled["metadata"]["labels"] = json!({"touched": "yes"});
    let answer = server.review(&update(socket_pod(), relabelled));
    assert!(
        answer.allowed,
        "what was there before does not refuse an update"
    );
    assert_eq!(
        (answer.decision(), answer.rules(), answer.warnings.len()),
        ("warn", "DKR101=1", 1)
    );
    assert!(!answer.annotations.contains_key("would-deny"));

    assert!(!server.review(&update(clean_pod(), socket_pod())).allowed);
    let answer = server.review(&update(socket_pod_times(1), socket_pod_times(2)));
    assert!(!answer.allowed);
    assert!(
        answer.message().starts_with("1 Docker dependency"),
        "{}",
        answer.message()
    );
    // An old object that nobody can read had nothing.
    assert!(
        !server
            .review(&update(json!({"spec": {"containers": 1}}), socket_pod()))
            .allowed
    );
    assert!(server.review(&update(socket_pod(), clean_pod())).allowed);
}

#[test]
fn a_volume_that_was_only_declared_is_new_when_it_is_mounted() {
    let server = Server::start(Mode::Enforce);
    let (mut unmounted, mut mounted) = (socket_pod(), socket_pod());
    unmounted["spec"]["containers"][0]["volumeMounts"] = json!([]);
    // The name that the unmounted volume stood under.
    for pod in [&mut unmounted, &mut mounted] {
        pod["spec"]["containers"][0]["name"] = json!("sock");
    }
    assert_eq!(
        server.review(&create(unmounted.clone())).decision(),
        "record"
    );
    assert!(!server.review(&update(unmounted, mounted)).allowed);
}

#[test]
fn an_object_that_is_being_deleted_is_left_alone() {
    let server = Server::start(Mode::Enforce);
    let mut going = socket_pod();
    going["metadata"]["deletionTimestamp"] = json!("2026-11-22T21:03:21Z");
    assert_eq!(
        server
            .review(&update(clean_pod(), going.clone()))
            .decision(),
        "skipped"
    );
    // Nothing is created in deletion: the mark alone is no way around a refusal.
    assert!(!server.review(&create(going)).allowed);
}

#[test]
fn other_operations_pass() {
    let server = Server::start(Mode::Enforce);
    for operation in ["DELETE", "CONNECT"] {
        let review = with(create(socket_pod()), "operation", json!(operation));
        assert_eq!(server.review(&review).decision(), "skipped", "{operation}");
        let without = with(
            with(review, "object", Value::Null),
            "oldObject",
            socket_pod(),
        );
        assert!(server.review(&without).allowed, "{operation}");
        let odd = with(
            without,
            "object",
            json!({"kind": "PodExecOptions", "spec": 1, "container": "x"}),
        );
        assert!(
            server.review(&odd).allowed,
            "{operation} cannot bring Docker in, whatever its options look like"
        );
    }
}

#[test]
fn a_write_without_an_object_is_not_silently_clean() {
    let server = Server::start(Mode::Enforce);
    for operation in ["CREATE", "UPDATE"] {
        let review = with(
            with(create(socket_pod()), "object", Value::Null),
            "operation",
            json!(operation),
        );
        let answer = server.review(&review);
        assert_eq!(
            (answer.allowed, answer.decision()),
            (false, "error"),
            "{operation}"
        );
    }
}

#[test]
fn subresources_are_reviewed() {
    let server = Server::start(Mode::Enforce);
    let mut with_debugger = clean_pod();
    with_debugger["spec"]["ephemeralContainers"] =
        json!([{"name": "debug", "image": "docker:27-cli"}]);
    let review = with(
        update(clean_pod(), with_debugger),
        "subResource",
        json!("ephemeralcontainers"),
    );
    let answer = server.review(&review);
    assert_eq!(
        answer.causes(),
        [(
            "DKR201".to_owned(),
            "spec.ephemeralContainers[0].image".to_owned()
        )]
    );
    let metrics = server.app.metrics.encode();
    assert!(
        metrics.contains(r#"operation="UPDATE",resource="pods/ephemeralcontainers""#),
        "{metrics}"
    );
}

#[test]
fn a_dry_run_is_answered_alike_and_marked_in_the_record() {
    let server = Server::start(Mode::Enforce);
    let dry = with(create(socket_pod()), "dryRun", json!(true));
    assert!(!server.review(&dry).allowed);
    let mut broken = dry;
    broken["request"]["object"]["spec"]["containers"] = json!("x");
    assert!(!server.review(&broken).allowed);
    let records = server.records(2);
    assert_eq!(
        records
            .iter()
            .map(|record| &record["review.dry_run"])
            .collect::<Vec<_>>(),
        [true, true]
    );
}

#[test]
fn nobody_is_warned_about_what_a_controller_writes() {
    let server = Server::start(Mode::Warn);
    let mut pod = socket_pod();
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "runner-5547f99f44", "uid": "u", "controller": true}]);
    pod["metadata"]["labels"] = json!({"pod-template-hash": "5547f99f44"});
    let by_person = server.review(&create(pod.clone()));
    assert_eq!(by_person.warnings.len(), 1, "a person reads it");
    for user in [
        "system:serviceaccount:kube-system:replicaset-controller",
        "system:serviceaccount:argo:argo-rollouts",
    ] {
        let answer = server.review(&with(create(pod.clone()), "userInfo.username", json!(user)));
        assert_eq!(
            (answer.decision(), answer.warnings.len()),
            ("warn", 0),
            "{user}"
        );
        assert_eq!(
            answer.annotations["owner"],
            "apps/Deployment/ci/runner derived"
        );
    }
    let by_ci = with(
        create(socket_pod()),
        "userInfo.username",
        json!("system:serviceaccount:ci:deployer"),
    );
    assert_eq!(
        server.review(&by_ci).warnings.len(),
        1,
        "no controller owns it"
    );
}

#[test]
fn five_warnings_and_a_count() {
    let server = Server::start(Mode::Warn);
    for (count, lines) in [(5, 5), (6, 6), (40, 6)] {
        let answer = server.review(&create(socket_pod_times(count)));
        assert_eq!(answer.warnings.len(), lines, "{:?}", answer.warnings);
        assert!(
            answer.warnings[..5]
                .iter()
                .all(|warning| warning.ends_with(" [would deny]")),
            "{:?}",
            answer.warnings
        );
    }
    let answer = server.review(&create(socket_pod_times(40)));
    assert!(
        answer.warnings[5].contains("35 more findings"),
        "{:?}",
        answer.warnings
    );
    assert!(
        answer.annotations["findings"].contains("; +"),
        "{:?}",
        answer.annotations
    );
}

#[test]
fn namespaces_are_answered() {
    let server = Server::start(Mode::Enforce);
    let namespace = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "ci"}, "spec": {"finalizers": ["kubernetes"]}});
    assert_eq!(
        server.review(&create(namespace.clone())).decision(),
        "clean"
    );
    let mut broken = create(namespace);
    broken["request"]["object"]["metadata"] = json!([["x"]]);
    let answer = server.review(&broken);
    assert!(
        answer.allowed,
        "no administrator is locked out over the form of a Namespace"
    );
}
