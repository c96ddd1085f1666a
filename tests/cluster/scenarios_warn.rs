//! Scenarios in mode `warn`: everything passes, and everybody is told.

use std::time::Duration;

use serde_json::json;

use crate::objects::{DOCKER_SOCKET, clean_pod, deployment_on_docker_socket, pod_on_docker_socket, volume_on_docker_socket};
use crate::process::eventually;
use crate::world::World;

const SOCKET_WARNING: &str = "DKR101 volume \"sock\" mounts /var/run/docker.sock: ";

pub(crate) fn a_pod_on_docker_socket_is_warned_about(world: &World) {
    world.kubectl.create_namespace("warned");
    let answer = world.kubectl.run_with("create -n warned -f -", &pod_on_docker_socket("builder"));
    let warning = answer.assert_accepted().only_warning();
    assert!(warning.starts_with(SOCKET_WARNING), "{warning}");
    assert!(warning.ends_with("[would deny]"), "{warning}");
    assert!(warning.chars().count() <= 120, "{warning}");

    let record = world.record_of("Pod", "warned", "builder");
    assert_eq!(record["event.name"], "undock.review.flagged", "{record}");
    assert_eq!(record["decision"], "warn", "{record}");
    assert_eq!(record["mode"], "warn", "{record}");
    assert_eq!(record["would_deny"], true, "{record}");
    assert_eq!(record["review.operation"], "CREATE", "{record}");
    assert_eq!(record["review.dry_run"], false, "{record}");
    assert_eq!(record["user.name"], "admin", "{record}");
    assert_eq!(record["findings.count"], 1, "{record}");
    assert_eq!(record["findings"][0]["rule.id"], "DKR101", "{record}");
    assert_eq!(record["findings"][0]["evidence"], DOCKER_SOCKET, "{record}");

    let event = world.audit_log.last("create", "pods", "warned", "builder");
    event.assert_annotation("pods.undock.dev/decision", "warn");
    event.assert_annotation("pods.undock.dev/would-deny", "true");
    event.assert_annotation("pods.undock.dev/rules", "DKR101=1");
    let mode = event.annotation("pods.undock.dev/mode").unwrap_or_default();
    assert!(mode.starts_with("warn"), "mode {mode:?}");
    let owner = event.annotation("pods.undock.dev/owner").unwrap_or_default();
    assert!(owner.contains("Pod") && owner.contains("builder"), "owner {owner:?}");
    // What joins the audit log with the records.
    let uid = record["review.uid"].as_str().expect("a record has the uid of its review");
    event.assert_annotation("pods.undock.dev/review-uid", uid);
    let fingerprint = record["findings"][0]["fingerprint"].as_str().expect("a finding has a fingerprint");
    let findings = event.annotation("pods.undock.dev/findings").unwrap_or_default();
    assert!(findings.starts_with(&format!("DKR101 {fingerprint} spec.volumes[0]")), "{findings:?}");
}

pub(crate) fn a_clean_pod_is_answered_without_a_warning(world: &World) {
    world.kubectl.create_namespace("clean");
    let answer = world.kubectl.run_with("create -n clean -f -", &clean_pod("web"));
    answer.assert_accepted().assert_no_warning();
    // That clean reviews are in the audit log too is what proves coverage.
    let event = world.audit_log.last("create", "pods", "clean", "web");
    event.assert_annotation("pods.undock.dev/decision", "clean");
    assert_eq!(event.annotation("pods.undock.dev/findings"), None);
}

pub(crate) fn a_deployment_is_warned_about_once_and_not_again_by_its_controllers(world: &World) {
    world.kubectl.create_namespace("deployed");
    let answer = world.kubectl.run_with("create -n deployed -f -", &deployment_on_docker_socket("runner", 1));
    let warning = answer.assert_accepted().only_warning();
    assert!(warning.starts_with(SOCKET_WARNING), "{warning}");
    world.audit_log.last("create", "deployments", "deployed", "runner").assert_annotation("workloads.undock.dev/decision", "warn");

    let pod = eventually("the controllers have made a Pod", Duration::from_secs(30), || {
        let pods = world.kubectl.json("get pods -n deployed");
        pods.pointer("/items/0/metadata/name").and_then(|name| name.as_str()).map(str::to_owned).ok_or("no Pod".into())
    });
    let record = world.record_of("Pod", "deployed", &pod);
    assert_eq!(record["decision"], "warn", "{record}");
    // Grouped under what a person edits.
    assert_eq!(record["owner.kind"], "Deployment", "{record}");
    assert_eq!(record["owner.name"], "runner", "{record}");
    let written = world.record_of("Deployment", "deployed", "runner");
    assert_eq!(record["findings"][0]["fingerprint"], written["findings"][0]["fingerprint"]);
}

pub(crate) fn a_server_side_dry_run_warns_and_is_marked_in_the_record(world: &World) {
    world.kubectl.create_namespace("rehearsed");
    let pod = pod_on_docker_socket("rehearsal");
    let answer = world.kubectl.run_with("create -n rehearsed --dry-run=server -f -", &pod);
    let warning = answer.assert_accepted().only_warning();
    assert!(warning.starts_with(SOCKET_WARNING), "{warning}");
    let record = world.record_of("Pod", "rehearsed", "rehearsal");
    assert_eq!(record["review.dry_run"], true, "{record}");
    world.kubectl.run("get pod rehearsal -n rehearsed").assert_refused();
}

pub(crate) fn an_ephemeral_container_that_runs_docker_is_warned_about(world: &World) {
    world.kubectl.create_namespace("debugged");
    world.kubectl.run_with("create -n debugged -f -", &clean_pod("web")).assert_accepted();
    let debug = "debug web -n debugged --image=docker:27-cli --container=probe -- docker ps";
    let answer = world.kubectl.run(debug);
    let warnings = answer.assert_accepted().warnings();
    assert!(warnings.iter().any(|warning| warning.starts_with("DKR201 container \"probe\"")), "{}", answer.err);
    let event = world.audit_log.last("patch", "pods/ephemeralcontainers", "debugged", "web");
    event.assert_annotation("pods.undock.dev/decision", "warn");
    assert_eq!(world.record_of("Pod", "debugged", "web")["review.operation"], "UPDATE");
}

pub(crate) fn a_persistent_volume_on_docker_socket_is_warned_about(world: &World) {
    let answer = world.kubectl.run_with("create -f -", &volume_on_docker_socket("sock"));
    let warning = answer.assert_accepted().only_warning();
    assert!(warning.starts_with("DKR1") && warning.contains(DOCKER_SOCKET), "{warning}");
    let event = world.audit_log.last("create", "persistentvolumes", "", "sock");
    event.assert_annotation("workloads.undock.dev/decision", "warn");
    assert_eq!(world.record_of("PersistentVolume", "", "sock")["decision"], "warn");
}

pub(crate) fn a_registration_that_speaks_only_v1beta1_is_answered(world: &World) {
    world.kubectl.create_namespace("old-fashioned");
    let registration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "undock-v1beta1"},
        "webhooks": [{
            "name": "v1beta1.undock.dev", "admissionReviewVersions": ["v1beta1"], "sideEffects": "None",
            // An answer that the API server cannot read must fail the test.
            "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "old-fashioned"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
            "clientConfig": {"caBundle": world.ca_bundle(),
                             "service": {"namespace": "undock", "name": "undock", "path": "/validate"}}}]});
    world.kubectl.run_with("create -f -", &registration).assert_accepted();

    eventually("the API server asks in v1beta1", Duration::from_secs(20), || {
        let words = "create -n old-fashioned --dry-run=server -f -";
        world.kubectl.run_with(words, &pod_on_docker_socket("probe")).assert_accepted();
        let event = world.audit_log.last("create", "pods", "old-fashioned", "probe");
        event.annotation("v1beta1.undock.dev/decision").map(|_| ()).ok_or_else(|| format!("{event:?}"))
    });
    let answer = world.kubectl.run_with("create -n old-fashioned -f -", &pod_on_docker_socket("builder"));
    // Both registrations say the same; the API server drops the second one of two equal warnings.
    let warning = answer.assert_accepted().only_warning();
    assert!(warning.starts_with(SOCKET_WARNING), "{warning}");
    let event = world.audit_log.last("create", "pods", "old-fashioned", "builder");
    event.assert_annotation("v1beta1.undock.dev/decision", "warn");
    event.assert_annotation("pods.undock.dev/decision", "warn");
    world.kubectl.run("delete validatingwebhookconfiguration undock-v1beta1").assert_accepted();
}

/// An update sends the object twice. The API server takes 3 MiB from a client and its client of etcd stores 2 MiB,
/// but JSON for webhooks writes `&`, `<` and `>` in six characters: a shell script grows on the way to undock.
pub(crate) fn an_update_of_seven_mebibytes_is_evaluated(world: &World) {
    let line = "sort <a >b && mv b a\n";
    let line_on_the_way = line.len() + 5 * line.matches(['&', '<', '>']).count() + "\\".len();
    let script = line.repeat(7 * 1024 * 1024 / 2 / line_on_the_way);

    world.kubectl.create_namespace("large");
    let mut pod = pod_on_docker_socket("large");
    pod["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
    // kubectl would write them in six characters as well, and the API server would not take that much.
    world.kubectl.run_with("create --raw /api/v1/namespaces/large/pods -f -", &pod).assert_accepted();
    let answer = world.kubectl.run("label pod large -n large step=two");
    let warning = answer.assert_accepted().only_warning();
    assert!(warning.starts_with(SOCKET_WARNING), "{warning}");
    let event = world.audit_log.last("patch", "pods", "large", "large");
    event.assert_annotation("pods.undock.dev/decision", "warn");
    assert_eq!(event.annotation("pods.undock.dev/error"), None);
}
