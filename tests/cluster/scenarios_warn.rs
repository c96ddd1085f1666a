//! Scenarios in mode `warn`: everything passes, and everybody is told.

use std::time::Duration;

use serde_json::json;

use crate::kubectl::Answer;
use crate::objects::{
    DOCKER_SOCKET, clean_pod, deployment_on_docker_socket, pod_on_docker_socket,
    volume_on_docker_socket, workloads_on_docker_socket,
};
use crate::process::eventually;
use crate::world::World;

/// What people see, word for word.
pub(crate) const SOCKET_WARNING: &str = "DKR101 volume \"sock\" mounts /var/run/docker.sock: absent on containerd nodes; \
                              build with BuildKit/Buildah [would deny]";

const DOCKER_CLI_WARNING: &str = "DKR201 container \"probe\" runs image docker:27-cli: no Docker on containerd nodes; \
                                  use BuildKit/Buildah [would deny]";

pub(crate) fn a_pod_on_docker_socket_is_warned_about(world: &World) {
    world.kubectl.create_namespace("warned");
    let answer = world
        .kubectl
        .run_with("create -n warned -f -", &pod_on_docker_socket("builder"));
    let warning = answer.assert_accepted().only_warning();
    assert_eq!(warning, SOCKET_WARNING);

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
    event.assert_annotation("pods.undock.dev/mode", "warn");
    event.assert_annotation("pods.undock.dev/owner", "core/Pod/warned/builder self");
    // What joins the audit log with the records.
    let uid = record["review.uid"]
        .as_str()
        .expect("a record has the uid of its review");
    event.assert_annotation("pods.undock.dev/review-uid", uid);
    let fingerprint = record["findings"][0]["fingerprint"]
        .as_str()
        .expect("a finding has a fingerprint");
    event.assert_annotation(
        "pods.undock.dev/findings",
        &format!("DKR101 {fingerprint} warn/deny spec.volumes[0].hostPath.path"),
    );
}

pub(crate) fn a_clean_pod_is_answered_without_a_warning(world: &World) {
    world.kubectl.create_namespace("clean");
    let answer = world
        .kubectl
        .run_with("create -n clean -f -", &clean_pod("web"));
    answer.assert_accepted().assert_no_warning();
    // That clean reviews are in the audit log too is what proves coverage.
    let event = world.audit_log.last("create", "pods", "clean", "web");
    event.assert_annotation("pods.undock.dev/decision", "clean");
    event.assert_annotation("pods.undock.dev/mode", "warn");
    for key in ["findings", "rules", "would-deny", "error"] {
        assert_eq!(
            event.annotation(&format!("pods.undock.dev/{key}")),
            None,
            "{event:?}"
        );
    }
    world
        .audit_log
        .last("create", "namespaces", "", "clean")
        .assert_annotation("namespaces.undock.dev/decision", "clean");
}

pub(crate) fn a_deployment_is_warned_about_once_and_not_again_by_its_controllers(world: &World) {
    world.kubectl.create_namespace("deployed");
    let answer = world.kubectl.run_with(
        "create -n deployed -f -",
        &deployment_on_docker_socket("runner", 1),
    );
    let warning = answer.assert_accepted().only_warning();
    assert_eq!(warning, SOCKET_WARNING);
    world
        .audit_log
        .last("create", "deployments", "deployed", "runner")
        .assert_annotation("workloads.undock.dev/decision", "warn");

    let pod = eventually(
        "the controllers have made a Pod",
        Duration::from_secs(30),
        || {
            let pods = world.kubectl.json("get pods -n deployed");
            pods.pointer("/items/0/metadata/name")
                .and_then(|name| name.as_str())
                .map(str::to_owned)
                .ok_or("no Pod".into())
        },
    );
    let record = world.record_of("Pod", "deployed", &pod);
    assert_eq!(record["decision"], "warn", "{record}");
    // Grouped under what a person edits.
    assert_eq!(record["owner.kind"], "Deployment", "{record}");
    assert_eq!(record["owner.name"], "runner", "{record}");
    let written = world.record_of("Deployment", "deployed", "runner");
    assert_eq!(
        record["findings"][0]["fingerprint"],
        written["findings"][0]["fingerprint"]
    );
    // The controllers hide what they are told, so kubectl writes one more in their name: nobody would read a warning.
    let replica_set = &world.kubectl.json("get replicasets -n deployed")["items"][0];
    let mut pod = pod_on_docker_socket("next");
    pod["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
        "name": replica_set["metadata"]["name"], "uid": replica_set["metadata"]["uid"]}]);
    let words = "create -n deployed --dry-run=server --as=system:serviceaccount:kube-system:replicaset-controller -f -";
    world
        .kubectl
        .run_with(words, &pod)
        .assert_accepted()
        .assert_no_warning();
    assert_eq!(
        world.record_of("Pod", "deployed", "next")["decision"],
        "warn"
    );
}

pub(crate) fn every_kind_of_workload_is_warned_about(world: &World) {
    world.kubectl.create_namespace("kinds");
    for (resource, workload) in workloads_on_docker_socket("runner") {
        let answer = world.kubectl.run_with("create -n kinds -f -", &workload);
        let warning = answer.assert_accepted().only_warning();
        assert_eq!(warning, SOCKET_WARNING, "{resource}");
        let event = world.audit_log.last("create", resource, "kinds", "runner");
        event.assert_annotation("workloads.undock.dev/decision", "warn");
        let kind = workload["kind"].as_str().expect("an object has a kind");
        assert_eq!(
            world.record_of(kind, "kinds", "runner")["would_deny"],
            true,
            "{resource}"
        );
    }
}

pub(crate) fn a_pod_that_is_resized_in_place_is_warned_about(world: &World) {
    world.kubectl.create_namespace("resized");
    let mut pod = pod_on_docker_socket("builder");
    pod["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "10m"}});
    world
        .kubectl
        .run_with("create -n resized -f -", &pod)
        .assert_accepted();
    let more = json!({"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "20m"}}}]}});
    let answer = world
        .kubectl
        .patch("patch pod builder -n resized --subresource=resize", &more);
    assert_eq!(answer.assert_accepted().only_warning(), SOCKET_WARNING);
    world
        .audit_log
        .last("patch", "pods/resize", "resized", "builder")
        .assert_annotation("pods.undock.dev/decision", "warn");
}

pub(crate) fn a_server_side_dry_run_warns_and_is_marked_in_the_record(world: &World) {
    world.kubectl.create_namespace("rehearsed");
    let pod = pod_on_docker_socket("rehearsal");
    let answer = world
        .kubectl
        .run_with("create -n rehearsed --dry-run=server -f -", &pod);
    let warning = answer.assert_accepted().only_warning();
    assert_eq!(warning, SOCKET_WARNING);
    let record = world.record_of("Pod", "rehearsed", "rehearsal");
    assert_eq!(record["review.dry_run"], true, "{record}");
    world
        .audit_log
        .last("create", "pods", "rehearsed", "rehearsal")
        .assert_annotation("pods.undock.dev/decision", "warn");
    world
        .kubectl
        .run("get pod rehearsal -n rehearsed")
        .assert_refused();
}

pub(crate) fn an_ephemeral_container_that_runs_docker_is_warned_about(world: &World) {
    world.kubectl.create_namespace("debugged");
    world
        .kubectl
        .run_with("create -n debugged -f -", &clean_pod("web"))
        .assert_accepted();
    let debug = "debug web -n debugged --image=docker:27-cli --container=probe -- docker ps";
    let answer = world.kubectl.run(debug);
    let warnings = answer.assert_accepted().warnings();
    assert!(warnings.contains(&DOCKER_CLI_WARNING), "{}", answer.err);
    let event = world
        .audit_log
        .last("patch", "pods/ephemeralcontainers", "debugged", "web");
    event.assert_annotation("pods.undock.dev/decision", "warn");
    assert_eq!(
        world.record_of("Pod", "debugged", "web")["review.operation"],
        "UPDATE"
    );
}

pub(crate) fn a_persistent_volume_on_docker_socket_is_warned_about(world: &World) {
    let answer = world
        .kubectl
        .run_with("create -f -", &volume_on_docker_socket("sock"));
    let warning = answer.assert_accepted().only_warning();
    assert_eq!(
        warning,
        "DKR101 PV \"sock\" offers /var/run/docker.sock: absent on containerd nodes; build with BuildKit/Buildah [would deny]"
    );
    let event = world
        .audit_log
        .last("create", "persistentvolumes", "", "sock");
    event.assert_annotation("workloads.undock.dev/decision", "warn");
    assert_eq!(
        world.record_of("PersistentVolume", "", "sock")["decision"],
        "warn"
    );
}

/// An update sends the object twice. The API server takes 3 MiB from a client and its client of etcd stores 2 MiB,
/// but JSON for webhooks writes `&`, `<` and `>` in six characters: a shell script grows on the way to undock.
pub(crate) fn an_update_of_nine_mebibytes_is_evaluated(world: &World) {
    let answer = label_a_pod_that_is_sent_with(9 * 1024 * 1024, "large", world);
    assert_eq!(answer.assert_accepted().only_warning(), SOCKET_WARNING);
    let event = world.audit_log.last("patch", "pods", "large", "large");
    event.assert_annotation("pods.undock.dev/decision", "warn");
    assert_eq!(event.annotation("pods.undock.dev/error"), None);
}

/// Updates a Pod on the Docker socket in such a way that undock is sent this many bytes.
fn label_a_pod_that_is_sent_with(bytes: usize, name: &str, world: &World) -> Answer {
    let line = "(a<b>c)&&(d<e>f)&\n";
    let line_on_the_way = line.len() + 5 * line.matches(['&', '<', '>']).count() + "\\".len();
    let script = line.repeat(bytes / 2 / line_on_the_way);

    world.kubectl.create_namespace(name);
    let mut pod = pod_on_docker_socket(name);
    pod["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
    // kubectl would write them in six characters as well, and the API server would not take that much.
    world
        .kubectl
        .run_with(
            &format!("create --raw /api/v1/namespaces/{name}/pods -f -"),
            &pod,
        )
        .assert_accepted();
    world
        .kubectl
        .run(&format!("label pod {name} -n {name} step=two"))
}
