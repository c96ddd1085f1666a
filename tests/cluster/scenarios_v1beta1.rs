//! Scenarios with a registration that speaks only `v1beta1`, as those of API servers before 1.16 do.

use std::time::Duration;

use serde_json::{Value, json};

use crate::objects::pod_on_docker_socket;
use crate::process::eventually;
use crate::scenarios_enforce::refusal;
use crate::scenarios_warn::SOCKET_WARNING;
use crate::world::World;

pub(crate) fn a_pod_is_warned_about_in_v1beta1(world: &World) {
    world.kubectl.create_namespace("old-fashioned");
    world
        .kubectl
        .run_with("apply -f -", &registration("old-fashioned", world))
        .assert_accepted();
    eventually(
        "the API server asks in v1beta1",
        Duration::from_secs(20),
        || {
            let words = "create -n old-fashioned --dry-run=server -f -";
            world
                .kubectl
                .run_with(words, &pod_on_docker_socket("probe"))
                .assert_accepted();
            let event = world
                .audit_log
                .last("create", "pods", "old-fashioned", "probe");
            event
                .annotation("v1beta1.undock.dev/decision")
                .map(|_| ())
                .ok_or_else(|| format!("{event:?}"))
        },
    );
    let answer = world.kubectl.run_with(
        "create -n old-fashioned -f -",
        &pod_on_docker_socket("builder"),
    );
    world
        .kubectl
        .run("delete validatingwebhookconfiguration undock-v1beta1")
        .assert_accepted();
    // Both registrations say the same; the API server drops the second one of two equal warnings.
    assert_eq!(answer.assert_accepted().only_warning(), SOCKET_WARNING);
    let event = world
        .audit_log
        .last("create", "pods", "old-fashioned", "builder");
    event.assert_annotation("v1beta1.undock.dev/decision", "warn");
    event.assert_annotation("pods.undock.dev/decision", "warn");
}

pub(crate) fn a_pod_is_refused_in_v1beta1(world: &World) {
    // The shipped registration leaves this namespace out, so that only the one of this scenario can refuse.
    world
        .kubectl
        .run_with("apply -f -", &registration("kube-system", world))
        .assert_accepted();
    let answer = eventually(
        "the API server asks in v1beta1",
        Duration::from_secs(20),
        || {
            let answer = world.kubectl.run_with(
                "create -n kube-system --dry-run=server -f -",
                &pod_on_docker_socket("builder"),
            );
            if answer.err.is_empty() {
                Err("accepted".to_owned())
            } else {
                Ok(answer)
            }
        },
    );
    world
        .kubectl
        .run("delete validatingwebhookconfiguration undock-v1beta1")
        .assert_accepted();
    answer.assert_refused().assert_no_warning();
    assert!(
        answer.err.contains(&refusal(
            "v1beta1.undock.dev",
            "spec.volumes[0]",
            "kube-system",
            ""
        )),
        "{}",
        answer.err
    );
}

fn registration(namespace: &str, world: &World) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "undock-v1beta1"},
        "webhooks": [{
            "name": "v1beta1.undock.dev", "admissionReviewVersions": ["v1beta1"], "sideEffects": "None",
            // An answer that the API server cannot read must fail the test.
            "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
            "clientConfig": {"caBundle": world.ca_bundle(),
                             "service": {"namespace": "undock", "name": "undock", "path": "/validate"}}}]})
}
