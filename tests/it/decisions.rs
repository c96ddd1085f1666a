//! What is decided about writes that are not judged by their findings alone: mirror Pods, what is not evaluated, what
//! exists in mode `freeze`, and old findings in mode `enforce`.

use std::sync::Arc;

use serde_json::{Value, json};
use undock::admission;
use undock::decision::cluster_state::ClusterState;
use undock::decision::namespace::{MODE_LABEL, NamespaceSettings};
use undock::decision::{Mode, Policy};

use crate::support::answer::Answer;
use crate::support::reviews::{bytes, clean_pod, create, deployment, socket_pod, update, with};

fn answer(review: &Value, mode: Mode) -> (Answer, String, bool) {
    let policy = Policy {
        mode,
        ..Policy::default()
    };
    let reviewed = admission::review(&bytes(review), &policy).unwrap();
    let has_record = reviewed.record.is_some();
    let decision = reviewed.decision.outcome.as_str().to_owned();
    (Answer::parse(&reviewed.response), decision, has_record)
}

/// A mirror Pod of `node` that `user` writes.
fn mirror(node: &str, user: &str) -> Value {
    let mut pod = socket_pod();
    pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "0123"});
    pod["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "v1", "kind": "Node", "name": node, "uid": "n", "controller": true}
    ]);
    let mut review = create(pod);
    review["request"]["userInfo"] = json!({"username": user, "groups": ["system:nodes"]});
    review
}

#[test]
fn a_mirror_pod_of_the_node_that_writes_it_is_let_through_and_recorded() {
    let (answer, decision, has_record) = answer(&mirror("a", "system:node:a"), Mode::Enforce);
    assert!(answer.allowed);
    assert_eq!((decision.as_str(), has_record), ("record", true));
}

#[test]
fn a_mirror_pod_of_anybody_else_is_refused() {
    for user in ["system:node:b", "ann", "system:serviceaccount:ci:a", "a"] {
        let (answer, decision, _) = answer(&mirror("a", user), Mode::Enforce);
        assert!(!answer.allowed, "{user}");
        assert_eq!(decision, "deny", "{user}");
    }
}

#[test]
fn what_is_not_evaluated_is_skipped_and_not_clean() {
    let (allowed, decision, has_record) = answer(&create(socket_pod()), Mode::Off);
    assert!(allowed.allowed);
    assert_eq!((decision.as_str(), has_record), ("skipped", false));
    let mut pod = socket_pod();
    pod["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
    let (allowed, decision, _) = answer(&update(socket_pod(), pod), Mode::Enforce);
    assert!(allowed.allowed);
    assert_eq!(decision, "skipped");
}

/// A review of `object` by `user`, of this resource.
#[test]
fn what_is_not_evaluated_has_the_mode_of_its_namespace() {
    let cluster_state = ClusterState::default();
    cluster_state.set_watching();
    cluster_state.set_warm();
    let settings = NamespaceSettings::read([(MODE_LABEL, "enforce")].into_iter(), [].into_iter());
    cluster_state.set_namespace("ci", Some(settings));
    let policy = Policy {
        cluster_state: Arc::new(cluster_state),
        ..Policy::default()
    };
    let mut ending = socket_pod();
    ending["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
    let mut deletion = update(socket_pod(), Value::Null);
    deletion["request"]["operation"] = json!("DELETE");
    for review in [update(socket_pod(), ending), deletion] {
        let reviewed = admission::review(&bytes(&review), &policy).unwrap();
        let answer = Answer::parse(&reviewed.response);
        let told = ["decision", "mode"].map(|key| answer.annotations[key].as_str());
        assert_eq!(told, ["skipped", "enforce"], "{review}");
    }
}

fn by(user: &str, resource: &str, object: Value) -> Value {
    let group = match resource {
        "pods" | "replicationcontrollers" => "",
        "jobs" | "cronjobs" => "batch",
        _ => "apps",
    };
    let review = with(create(object), "userInfo.username", json!(user));
    let resource = json!({"group": group, "version": "v1", "resource": resource});
    with(review, "resource", resource)
}

fn account(name: &str) -> String {
    format!("system:serviceaccount:kube-system:{name}")
}

/// `object` with a reference to the controller of this `apiVersion` and kind.
fn owned(mut object: Value, api_version: &str, kind: &str) -> Value {
    object["metadata"]["ownerReferences"] = json!([
        {"apiVersion": api_version, "kind": kind, "name": "runner", "uid": "u", "controller": true}
    ]);
    object
}

/// `deployment` as another kind with a pod template.
fn template(api_version: &str, kind: &str) -> Value {
    let mut object = deployment(&socket_pod());
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    object
}

/// Object, resource, and the owner's `apiVersion` and kind, for everything that a built-in controller makes.
fn made() -> Vec<(Value, &'static str, &'static str)> {
    let pod = |api_version, kind| owned(socket_pod(), api_version, kind);
    vec![
        (
            owned(template("apps/v1", "ReplicaSet"), "apps/v1", "Deployment"),
            "replicasets",
            "deployment-controller",
        ),
        (
            owned(template("batch/v1", "Job"), "batch/v1", "CronJob"),
            "jobs",
            "cronjob-controller",
        ),
        (
            pod("apps/v1", "ReplicaSet"),
            "pods",
            "replicaset-controller",
        ),
        (pod("apps/v1", "DaemonSet"), "pods", "daemon-set-controller"),
        (
            pod("apps/v1", "StatefulSet"),
            "pods",
            "statefulset-controller",
        ),
        (pod("batch/v1", "Job"), "pods", "job-controller"),
        (
            pod("v1", "ReplicationController"),
            "pods",
            "replication-controller",
        ),
    ]
}

#[test]
fn freeze_lets_through_what_a_controller_makes_for_its_owner() {
    for (object, resource, controller) in made() {
        let review = by(&account(controller), resource, object);
        let (answer, decision, has_record) = answer(&review, Mode::Freeze);
        assert!(answer.allowed, "{review}");
        assert_eq!(
            (decision.as_str(), has_record),
            ("record", true),
            "{review}"
        );
        let policy = Policy {
            mode: Mode::Freeze,
            ..Policy::default()
        };
        let reviewed = admission::review(&bytes(&review), &policy).unwrap();
        let record = serde_json::to_value(reviewed.record.unwrap()).unwrap();
        assert_eq!(record["review.existing"], true, "{record}");
        assert_eq!(
            (&record["would_deny"], &record["mode"]),
            (&json!(true), &json!("freeze"))
        );
        // In enforce mode it is refused.
        assert!(!answer_of(&review, Mode::Enforce).allowed, "{review}");
    }
}

fn answer_of(review: &Value, mode: Mode) -> Answer {
    answer(review, mode).0
}

#[test]
fn freeze_believes_neither_a_reference_nor_a_name_alone() {
    for (object, resource, controller) in made() {
        let other = match controller {
            "job-controller" => "replicaset-controller",
            _ => "job-controller",
        };
        let users = [
            "ann".to_owned(),
            account(other),
            account("generic-garbage-collector"),
            format!("system:serviceaccount:ci:{controller}"),
            controller.to_owned(),
            "system:kube-controller-manager".to_owned(),
            String::new(),
        ];
        for user in users {
            let review = by(&user, resource, object.clone());
            assert!(!answer_of(&review, Mode::Freeze).allowed, "{user} {object}");
        }
        let mut bare = object.clone();
        bare["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("ownerReferences");
        let mut no_controller = object.clone();
        no_controller["metadata"]["ownerReferences"][0]["controller"] = json!(false);
        let mut other_kind = object.clone();
        other_kind["metadata"]["ownerReferences"][0]["kind"] = json!("Workflow");
        let mut other_group = object;
        other_group["metadata"]["ownerReferences"][0]["apiVersion"] = json!("example.com/v1");
        for object in [bare, no_controller, other_kind, other_group] {
            let review = by(&account(controller), resource, object);
            assert!(!answer_of(&review, Mode::Freeze).allowed, "{review}");
        }
    }
}

#[test]
fn freeze_refuses_what_is_new_and_what_an_update_adds() {
    let flagged = deployment(&socket_pod());
    let clean = deployment(&clean_pod());
    let refused = answer_of(&create(flagged.clone()), Mode::Freeze);
    assert!(!refused.allowed);
    assert!(
        refused
            .message()
            .contains("Namespace ci is in freeze mode."),
        "{refused:?}"
    );
    assert!(!answer_of(&create(socket_pod()), Mode::Freeze).allowed);
    assert!(!answer_of(&update(clean.clone(), flagged.clone()), Mode::Freeze).allowed);
    assert!(answer_of(&create(clean), Mode::Freeze).allowed);
    let mut newer = flagged.clone();
    newer["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:1.30");
    let kept = answer_of(&update(flagged, newer), Mode::Freeze);
    assert!(kept.allowed);
    assert!(
        kept.warnings[0].ends_with(" [would deny]"),
        "{:?}",
        kept.warnings
    );
}

#[test]
fn enforce_says_at_an_update_that_new_pods_are_refused() {
    for (api_version, kind, resource) in [
        ("apps/v1", "Deployment", "deployments"),
        ("apps/v1", "DaemonSet", "daemonsets"),
        ("apps/v1", "StatefulSet", "statefulsets"),
        ("batch/v1", "Job", "jobs"),
    ] {
        let old = template(api_version, kind);
        let mut new = old.clone();
        new["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:1.30");
        let review = by("ann", resource, new);
        let review = with(with(review, "operation", json!("UPDATE")), "oldObject", old);
        let told = answer_of(&review, Mode::Enforce);
        assert!(told.allowed, "{kind}");
        assert_eq!(
            told.warnings,
            [
                "DKR101 volume \"sock\" mounts /var/run/docker.sock: absent on containerd; build with BuildKit \
              [its new Pods are refused]"
            ],
        );
        assert!(told.warnings[0].len() <= 120);
        assert_eq!(told.annotations["would-deny"], "true");
        let warned = answer_of(&review, Mode::Warn);
        assert!(warned.warnings[0].ends_with(" [would deny]"), "{warned:?}");
    }
    // A Pod makes no Pods.
    let mut newer = socket_pod();
    newer["metadata"]["labels"] = json!({"team": "build"});
    let told = answer_of(&update(socket_pod(), newer), Mode::Enforce);
    assert!(
        told.allowed && !told.warnings[0].contains("refused"),
        "{told:?}"
    );
    assert_eq!(told.annotations.get("would-deny"), None);
}

#[test]
fn every_dry_run_says_that_it_is_one() {
    let gone = {
        let mut pod = socket_pod();
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
        update(socket_pod(), pod)
    };
    let broken = with(create(clean_pod()), "object.spec", json!("x"));
    for review in [create(clean_pod()), create(socket_pod()), gone, broken] {
        let dry = answer_of(&with(review.clone(), "dryRun", json!(true)), Mode::Warn);
        assert_eq!(dry.annotations["dry-run"], "true", "{review}");
        let real = answer_of(&review, Mode::Warn);
        assert_eq!(real.annotations.get("dry-run"), None, "{review}");
    }
}

#[test]
fn annotations_tell_what_each_finding_did_and_would_do() {
    let action = |review: &Value, mode| {
        let answer = answer_of(review, mode);
        let finding = answer.annotations["findings"].clone();
        finding.split(' ').nth(2).unwrap().to_owned()
    };
    let (new, old) = (create(socket_pod()), update(socket_pod(), socket_pod()));
    for (review, mode, expected) in [
        (&new, Mode::Enforce, "deny"),
        (&new, Mode::Freeze, "deny"),
        (&new, Mode::Warn, "warn/deny"),
        (&new, Mode::Audit, "record/deny"),
        (&old, Mode::Enforce, "warn/deny"),
    ] {
        assert_eq!(action(review, mode), expected, "{mode:?}");
    }
}

#[test]
fn a_finding_in_an_ephemeral_container_is_the_pods_own() {
    let mut owned_pod = owned(clean_pod(), "apps/v1", "DaemonSet");
    owned_pod["spec"]["volumes"] = socket_pod()["spec"]["volumes"].clone();
    let mut debugged = owned_pod.clone();
    debugged["spec"]["ephemeralContainers"] = json!([
        {"name": "debug", "image": "docker:27-cli", "volumeMounts": [{"name": "sock", "mountPath": "/s"}]}
    ]);
    let review = update(owned_pod.clone(), debugged.clone());
    let added = with(review.clone(), "subResource", json!("ephemeralcontainers"));
    let told = answer_of(&added, Mode::Warn);
    assert_eq!(told.annotations["owner"], "core/Pod/ci/web self");
    assert_eq!(told.rules(), "DKR101=1,DKR201=1");
    // Any other write of the Pod is about what its owner's template can hold.
    let told = answer_of(&update(debugged.clone(), debugged), Mode::Warn);
    assert_eq!(
        (told.decision(), told.annotations.get("findings")),
        ("clean", None)
    );
}

/// A Pod with Docker's socket that the ReplicaSet of a Deployment owns.
fn owned_pod() -> Value {
    let mut pod = socket_pod();
    pod["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "runner-5d8f7c9b4d", "uid": "r", "controller": true}
    ]);
    pod["metadata"]["labels"] = json!({"pod-template-hash": "5d8f7c9b4d"});
    pod
}

#[test]
fn an_ephemeral_container_that_mounts_the_socket_is_new() {
    for old in [socket_pod(), owned_pod()] {
        let mounts = old["spec"]["containers"][0]["volumeMounts"].clone();
        let mut pod = old.clone();
        pod["spec"]["ephemeralContainers"] =
            json!([{"name": "debug", "image": "x", "volumeMounts": mounts}]);
        let review = update(old.clone(), pod.clone());
        let review = with(review, "subResource", json!("ephemeralcontainers"));
        for mode in [Mode::Enforce, Mode::Freeze] {
            let (answer, decision, _) = answer(&review, mode);
            assert!(!answer.allowed, "{mode:?} {decision}");
        }
        // What was there before does not refuse another one, unless that mounts it, too.
        let mounts = &pod["spec"]["ephemeralContainers"][0]["volumeMounts"];
        for (mounts, allowed) in [(json!([]), true), (mounts.clone(), false)] {
            let mut next = pod.clone();
            let containers = next["spec"]["ephemeralContainers"].as_array_mut().unwrap();
            containers.push(json!({"name": "other", "image": "x", "volumeMounts": mounts}));
            let review = update(pod.clone(), next);
            let review = with(review, "subResource", json!("ephemeralcontainers"));
            assert_eq!(answer(&review, Mode::Enforce).0.allowed, allowed);
        }
    }
}

#[test]
fn who_takes_the_last_gate_away_starts_the_pod() {
    let gated = |gates: Value| {
        let mut pod = socket_pod();
        pod["spec"]["schedulingGates"] = gates;
        pod
    };
    let two = gated(json!([{"name": "a/a"}, {"name": "b/b"}]));
    let one = gated(json!([{"name": "a/a"}]));
    for (old, new, mode, allowed) in [
        (&two, &one, Mode::Enforce, true),
        (&one, &gated(json!([])), Mode::Enforce, false),
        (&two, &socket_pod(), Mode::Enforce, false),
        // It was there before.
        (&one, &socket_pod(), Mode::Freeze, true),
        (&one, &socket_pod(), Mode::Warn, true),
    ] {
        let review = update(old.clone(), new.clone());
        assert_eq!(answer(&review, mode).0.allowed, allowed, "{mode:?} {new}");
    }
}

#[test]
fn what_was_there_is_known_whoever_owns_it() {
    let freed = |pod: Value| {
        let mut pod = pod;
        pod["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("ownerReferences");
        pod
    };
    let mut debugged = owned_pod();
    debugged["spec"]["ephemeralContainers"] = json!([{"name": "debug", "image": "x",
        "volumeMounts": socket_pod()["spec"]["containers"][0]["volumeMounts"]}]);
    let mut labelled = owned_pod();
    labelled["metadata"]["labels"] = json!({"app": "other"});
    for (old, new) in [
        (owned_pod(), freed(owned_pod())),
        (freed(owned_pod()), owned_pod()),
        (owned_pod(), labelled),
        (debugged.clone(), freed(debugged)),
    ] {
        for mode in [Mode::Enforce, Mode::Freeze] {
            let (answer, decision, _) = answer(&update(old.clone(), new.clone()), mode);
            assert!(answer.allowed, "{mode:?} {decision} {new}");
        }
    }
}

#[test]
fn of_a_mounted_socket_the_number_of_its_users_counts() {
    let with = |names: &[&str]| {
        let mounts = &socket_pod()["spec"]["containers"][0]["volumeMounts"];
        let of = |name: &&str| json!({"name": name, "image": "x", "volumeMounts": mounts});
        let mut pod = socket_pod();
        pod["spec"]["containers"] = names.iter().map(of).collect();
        deployment(&pod)
    };
    for (old, new, allowed) in [
        (&["a", "b"][..], &["b"][..], true),
        (&["a", "b"], &["b", "a"], true),
        (&["a"], &["renamed"], true),
        (&["a"], &["a", "b"], false),
        (&["a"], &["b", "a"], false),
    ] {
        for mode in [Mode::Enforce, Mode::Freeze] {
            let answer = answer_of(&update(with(old), with(new)), mode);
            assert_eq!(answer.allowed, allowed, "{mode:?} {old:?} {new:?}");
        }
    }
}

#[test]
fn an_ephemeral_container_that_takes_the_socket_of_another_is_new() {
    let path = "/proc/1/root/var/run/docker.sock";
    for more in [
        json!({"command": ["curl", "--unix-socket", path, "http://x/_ping"]}),
        json!({"command": ["sh", "-c", format!("socat - UNIX-CONNECT:{path}")]}),
        json!({"env": [{"name": "DOCKER_HOST", "value": format!("unix://{path}")}]}),
    ] {
        for old in [socket_pod(), owned_pod()] {
            let mut debug = json!({"name": "debug", "image": "x", "targetContainerName": "app"});
            debug
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let mut new = old.clone();
            new["spec"]["ephemeralContainers"] = json!([debug]);
            let review = with(
                update(old, new),
                "subResource",
                json!("ephemeralcontainers"),
            );
            assert!(!answer(&review, Mode::Enforce).0.allowed, "{more}");
        }
    }
}
