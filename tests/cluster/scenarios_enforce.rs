//! Scenarios in mode `enforce`: what is new is refused, what was there can still be worked with.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::objects::{
    clean_deployment, clean_pod, deployment_on_docker_socket, patch_that_mounts_docker_socket,
    pod_on_docker_socket,
};
use crate::process::eventually;
use crate::world::World;

/// Where the objects live that could not be made any more in mode `enforce`.
const LEGACY: &str = "legacy";

/// What the API server says about an object on the Docker socket, word for word.
pub(crate) fn refusal(webhook: &str, field: &str, namespace: &str, edit: &str) -> String {
    format!(
        "admission webhook \"{webhook}\" denied the request: \
         1 Docker dependency must go before this namespace's nodes drop Docker. \
         [1/1] DKR101 {field} volume \"sock\" mounts /var/run/docker.sock: absent on containerd nodes; \
         fix: build with BuildKit/Buildah. \
         Namespace {namespace} is in enforce mode.{edit} Details: undock explain DKR101"
    )
}

/// Called while the mode is still `warn`.
pub(crate) fn prepare_what_must_exist_before(world: &World) {
    world.kubectl.create_namespace(LEGACY);
    let mut held = deployment_on_docker_socket("held", 0);
    held["metadata"]["finalizers"] = json!(["test.undock.dev/hold"]);
    for object in [
        held,
        deployment_on_docker_socket("runner", 1),
        deployment_on_docker_socket("relabelled", 0),
        deployment_on_docker_socket("old", 0),
        clean_deployment("clean", 0),
        pod_on_docker_socket("flagged"),
        clean_pod("web"),
    ] {
        world
            .kubectl
            .run_with("create -n legacy -f -", &object)
            .assert_accepted();
    }
}

pub(crate) fn a_bare_pod_is_refused_with_the_message_of_the_contract(world: &World) {
    world.kubectl.create_namespace("enforced");
    let answer = world
        .kubectl
        .run_with("create -n enforced -f -", &pod_on_docker_socket("builder"));
    answer.assert_refused().assert_no_warning();
    assert!(
        answer.err.starts_with("Error from server (Forbidden): "),
        "{}",
        answer.err
    );
    let refusal = refusal("pods.undock.dev", "spec.volumes[0]", "enforced", "");
    assert!(answer.err.contains(&refusal), "{}", answer.err);

    let event = world
        .audit_log
        .last("create", "pods", "enforced", "builder");
    event.assert_annotation("pods.undock.dev/decision", "deny");
    event.assert_annotation("pods.undock.dev/mode", "enforce");
    event.assert_annotation("pods.undock.dev/rules", "DKR101=1");
    let status = event.response();
    assert_eq!(status["code"], 403, "{status}");
    assert_eq!(status["reason"], "Forbidden", "{status}");
    let causes = &status["details"]["causes"];
    assert_eq!(causes.as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(causes[0]["reason"], "DKR101", "{status}");
    assert_eq!(
        causes[0]["field"], "spec.volumes[0].hostPath.path",
        "{status}"
    );
    assert_eq!(status["message"], refusal, "{status}");

    let record = world.record_of("Pod", "enforced", "builder");
    assert_eq!(record["decision"], "deny", "{record}");
    assert_eq!(record["mode"], "enforce", "{record}");
}

pub(crate) fn a_denial_names_every_finding(world: &World) {
    world.kubectl.create_namespace("enforced-twice");
    let mut pod = pod_on_docker_socket("builder");
    pod["spec"]["containers"][0]["image"] = json!("docker:27-cli");
    let answer = world
        .kubectl
        .run_with("create -n enforced-twice -f -", &pod);
    answer.assert_refused().assert_no_warning();
    for text in [
        ": 2 Docker dependencies must go before ",
        " [1/2] DKR101 spec.volumes[0] ",
        " [2/2] DKR201 spec.containers[0].image ",
        ". Namespace enforced-twice is in enforce mode. Details: undock explain DKR101",
    ] {
        assert!(answer.err.contains(text), "{text:?} in {}", answer.err);
    }
    let event = world
        .audit_log
        .last("create", "pods", "enforced-twice", "builder");
    event.assert_annotation("pods.undock.dev/rules", "DKR101=1,DKR201=1");
    let causes = event.response()["details"]["causes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let causes: Vec<_> = causes
        .iter()
        .map(|cause| (&cause["reason"], &cause["field"]))
        .collect();
    assert_eq!(
        json!(causes),
        json!([
            ["DKR101", "spec.volumes[0].hostPath.path"],
            ["DKR201", "spec.containers[0].image"]
        ])
    );
}

pub(crate) fn a_deployment_is_refused_at_its_own_write(world: &World) {
    world.kubectl.create_namespace("enforced-deployments");
    let answer = world.kubectl.run_with(
        "apply -n enforced-deployments -f -",
        &deployment_on_docker_socket("runner", 1),
    );
    answer.assert_refused();
    let refusal = refusal(
        "workloads.undock.dev",
        "spec.template.spec.volumes[0]",
        "enforced-deployments",
        "",
    );
    assert!(answer.err.contains(&refusal), "{}", answer.err);
    let left = world
        .kubectl
        .run("get deployments,replicasets,pods -n enforced-deployments -o name");
    assert_eq!(left.assert_accepted().out, "");
    let clean = world.kubectl.run_with(
        "apply -n enforced-deployments -f -",
        &clean_deployment("web", 0),
    );
    clean.assert_accepted().assert_no_warning();
}

pub(crate) fn the_replicaset_controller_meets_the_same_denial_each_time(world: &World) {
    world
        .kubectl
        .run("delete pods -n legacy -l app=runner --wait=false")
        .assert_accepted();
    let replica_set = world
        .kubectl
        .json("get replicasets -n legacy -l app=runner")["items"][0]["metadata"]["name"]
        .clone();
    let replica_set = replica_set.as_str().expect("it has one");
    let events = format!(
        "get events -n legacy --field-selector reason=FailedCreate,involvedObject.name={replica_set}"
    );
    let messages = eventually(
        "the controller has tried five times",
        Duration::from_secs(60),
        || {
            let events = world.kubectl.json(&events);
            let events: Vec<_> = events["items"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned()
                .collect();
            let tries: u64 = events
                .iter()
                .map(|event| event["count"].as_u64().unwrap_or(1))
                .sum();
            let messages: BTreeSet<String> = events
                .iter()
                .map(|event| event["message"].as_str().unwrap_or_default().to_owned())
                .collect();
            if tries >= 5 {
                Ok(messages)
            } else {
                Err(format!("{tries} tries: {messages:?}"))
            }
        },
    );
    // Events are merged by their text: one that changes with each try would fill the namespace.
    assert_eq!(messages.len(), 1, "{messages:?}");
    let message = messages.first().expect("there is one");
    assert_eq!(
        *message,
        format!(
            "Error creating: {}",
            refusal(
                "pods.undock.dev",
                "spec.volumes[0]",
                LEGACY,
                " Edit Deployment/runner."
            )
        )
    );
}

pub(crate) fn a_flagged_deployment_can_be_relabelled_scaled_and_patched(world: &World) {
    // Old findings warn, so that the person who is here anyway knows.
    let warning = "DKR101 volume \"sock\" mounts /var/run/docker.sock: absent on containerd; build with BuildKit \
                   [its new Pods are refused]";
    let answer = world
        .kubectl
        .run("label deployment relabelled -n legacy team=build");
    assert_eq!(answer.assert_accepted().only_warning(), warning);
    let event = world
        .audit_log
        .last("patch", "deployments", LEGACY, "relabelled");
    event.assert_annotation("workloads.undock.dev/decision", "warn");

    // What is scaled is a subresource, which undock is not asked about; Pods are.
    world
        .kubectl
        .run("scale deployment relabelled -n legacy --replicas=3")
        .assert_accepted();
    world
        .kubectl
        .run("scale deployment relabelled -n legacy --replicas=0")
        .assert_accepted();
    for patch in [
        json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.example/app:2"}]}}}}),
        json!({"spec": {"replicas": 1, "template": {"metadata": {"annotations": {"restarted": "yes"}}}}}),
        json!({"spec": {"template": {"spec": {"volumes": [{"name": "sock", "hostPath": {"path": "/run/docker.sock"}}]}}}}),
    ] {
        let answer = world
            .kubectl
            .patch("patch deployment relabelled -n legacy", &patch);
        assert_eq!(answer.assert_accepted().warnings().len(), 1, "{answer:?}");
    }
    // A second way to Docker is new.
    let more = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "docker:27-cli"}]}}}});
    let answer = world
        .kubectl
        .patch("patch deployment relabelled -n legacy", &more);
    answer.assert_refused();
    assert!(
        answer.err.contains("1 Docker dependency must go") && answer.err.contains("DKR201 "),
        "{}",
        answer.err
    );
}

pub(crate) fn pods_of_an_old_template_are_refused_unless_exempt(world: &World) {
    world
        .kubectl
        .run("scale deployment old -n legacy --replicas=1")
        .assert_accepted();
    let event = eventually(
        "its ReplicaSet says why it makes no Pod",
        Duration::from_secs(60),
        || {
            let events = world.kubectl.json("get events -n legacy --field-selector reason=FailedCreate,involvedObject.kind=ReplicaSet");
            let events = events["items"].as_array().cloned().unwrap_or_default();
            let told = events.iter().find(|event| {
                event["involvedObject"]["name"]
                    .as_str()
                    .is_some_and(|name| name.starts_with("old-"))
            });
            told.map(|event| event["message"].as_str().unwrap_or_default().to_owned())
                .ok_or(format!("{} others", events.len()))
        },
    );
    assert!(
        event.contains("Namespace legacy is in enforce mode. Edit Deployment/old. Details: "),
        "{event}"
    );
    let record = eventually("the record names it too", Duration::from_secs(10), || {
        let records = world.kubelet.records();
        let found = records
            .iter()
            .find(|record| {
                record["k8s.namespace.name"] == "legacy"
                    && record["owner.name"] == "old"
                    && record["decision"] == "deny"
            })
            .cloned();
        found.ok_or_else(|| "no record".to_owned())
    });
    assert_eq!(
        (&record["owner.kind"], &record["k8s.object.kind"]),
        (&json!("Deployment"), &json!("Pod")),
        "{record}"
    );

    let terms = "exempt.undock.dev/DKR101=until=2099-12-31;reason=moving;ref=PLAT-412";
    world
        .kubectl
        .run(&format!("annotate namespace legacy {terms}"))
        .assert_accepted();
    eventually(
        "the controller makes the Pod",
        Duration::from_secs(90),
        || {
            let pods = world
                .kubectl
                .run("get pods -n legacy -l app=old -o name")
                .out;
            if pods.is_empty() {
                Err("no Pod".to_owned())
            } else {
                Ok(())
            }
        },
    );
    world
        .kubectl
        .run("annotate namespace legacy exempt.undock.dev/DKR101-")
        .assert_accepted();
    world
        .kubectl
        .run("scale deployment old -n legacy --replicas=0")
        .assert_accepted();
}

pub(crate) fn a_docker_socket_cannot_be_added_to_a_clean_deployment(world: &World) {
    let answer = world.kubectl.patch(
        "patch deployment clean -n legacy",
        &patch_that_mounts_docker_socket(),
    );
    answer.assert_refused();
    assert!(
        answer.err.contains("DKR101 spec.template.spec.volumes[0]"),
        "{}",
        answer.err
    );
    world
        .kubectl
        .run("scale deployment clean -n legacy --replicas=1")
        .assert_accepted()
        .assert_no_warning();
}

pub(crate) fn an_ephemeral_container_is_refused_only_for_what_it_adds(world: &World) {
    let docker = "--image=docker:27-cli --container=docker -- docker ps";
    let refused = world.kubectl.run(&format!("debug web -n legacy {docker}"));
    refused.assert_refused();
    assert!(
        refused.err.contains("DKR201 spec.ephemeralContainers[0]"),
        "{}",
        refused.err
    );
    // The Pod's own socket mount was there before.
    let shell = "--image=registry.example/shell:1 --container=shell -- sh";
    world
        .kubectl
        .run(&format!("debug flagged -n legacy {shell}"))
        .assert_accepted();
}

pub(crate) fn an_object_that_is_being_deleted_can_be_updated(world: &World) {
    world
        .kubectl
        .run("delete deployment held -n legacy --wait=false")
        .assert_accepted();
    // Refused on any other object: the image is new.
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "docker:27-cli"}]}}}});
    world
        .kubectl
        .patch("patch deployment held -n legacy", &image)
        .assert_accepted();
    let released = json!({"metadata": {"finalizers": null}});
    world
        .kubectl
        .patch("patch deployment held -n legacy", &released)
        .assert_accepted();
    eventually("the Deployment is gone", Duration::from_secs(20), || {
        let left = world
            .kubectl
            .run("get deployment held -n legacy --ignore-not-found -o name")
            .out;
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
}
