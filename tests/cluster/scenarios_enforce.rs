//! Scenarios in mode `enforce`: what is new is refused, what was there can still be worked with.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::objects::{clean_deployment, clean_pod, deployment_on_docker_socket, patch_that_mounts_docker_socket, pod_on_docker_socket};
use crate::process::eventually;
use crate::world::World;

/// Where the objects live that could not be made any more in mode `enforce`.
const LEGACY: &str = "legacy";

const REFUSED: &str = "admission webhook \"pods.undock.dev\" denied the request: \
                       1 Docker dependency must go before this namespace's nodes drop Docker. ";

/// Called while the mode is still `warn`.
pub(crate) fn prepare_what_must_exist_before(world: &World) {
    world.kubectl.create_namespace(LEGACY);
    let mut held = deployment_on_docker_socket("held", 0);
    held["metadata"]["finalizers"] = json!(["test.undock.dev/hold"]);
    for object in [
        held,
        deployment_on_docker_socket("runner", 1),
        deployment_on_docker_socket("relabelled", 0),
        clean_deployment("clean", 0),
        pod_on_docker_socket("flagged"),
        clean_pod("web"),
    ] {
        world.kubectl.run_with("create -n legacy -f -", &object).assert_accepted();
    }
}

pub(crate) fn a_bare_pod_is_refused_with_the_message_of_the_contract(world: &World) {
    world.kubectl.create_namespace("enforced");
    let answer = world.kubectl.run_with("create -n enforced -f -", &pod_on_docker_socket("builder"));
    answer.assert_refused().assert_no_warning();
    assert!(answer.err.starts_with("Error from server (Forbidden): "), "{}", answer.err);
    assert!(answer.err.contains(REFUSED), "{}", answer.err);
    assert!(answer.err.contains("[1/1] DKR101 spec.volumes[0]"), "{}", answer.err);
    assert!(answer.err.contains("enforced is in enforce mode"), "{}", answer.err);
    assert!(answer.err.contains("Details: undock explain DKR101"), "{}", answer.err);

    let event = world.audit_log.last("create", "pods", "enforced", "builder");
    event.assert_annotation("pods.undock.dev/decision", "deny");
    let status = event.response();
    assert_eq!(status["code"], 403, "{status}");
    assert_eq!(status["reason"], "Forbidden", "{status}");
    let causes = &status["details"]["causes"];
    assert_eq!(causes.as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(causes[0]["reason"], "DKR101", "{status}");
    assert_eq!(causes[0]["field"], "spec.volumes[0].hostPath.path", "{status}");
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.len() <= 900 + REFUSED.len(), "{} bytes", message.len());

    let record = world.record_of("Pod", "enforced", "builder");
    assert_eq!(record["decision"], "deny", "{record}");
    assert_eq!(record["mode"], "enforce", "{record}");
}

pub(crate) fn a_deployment_is_refused_at_its_own_write(world: &World) {
    world.kubectl.create_namespace("enforced-deployments");
    let answer = world.kubectl.run_with("apply -n enforced-deployments -f -", &deployment_on_docker_socket("runner", 1));
    answer.assert_refused();
    assert!(answer.err.contains("admission webhook \"workloads.undock.dev\" denied the request: 1 "), "{}", answer.err);
    assert!(answer.err.contains("DKR101 spec.template.spec.volumes[0]"), "{}", answer.err);
    let left = world.kubectl.run("get deployments,replicasets,pods -n enforced-deployments -o name");
    assert_eq!(left.assert_accepted().out, "");
    let clean = world.kubectl.run_with("apply -n enforced-deployments -f -", &clean_deployment("web", 0));
    clean.assert_accepted().assert_no_warning();
}

pub(crate) fn the_replicaset_controller_meets_the_same_denial_each_time(world: &World) {
    world.kubectl.run("delete pods -n legacy -l app=runner --wait=false").assert_accepted();
    let events = "get events -n legacy --field-selector reason=FailedCreate,involvedObject.kind=ReplicaSet";
    let messages = eventually("the controller has tried three times", Duration::from_secs(60), || {
        let events = world.kubectl.json(events);
        let events: Vec<_> = events["items"].as_array().into_iter().flatten().cloned().collect();
        let tries: u64 = events.iter().map(|event| event["count"].as_u64().unwrap_or(1)).sum();
        let messages: BTreeSet<String> = events.iter().map(|event| event["message"].to_string()).collect();
        if tries >= 3 { Ok(messages) } else { Err(format!("{tries} tries: {messages:?}")) }
    });
    // Events are merged by their text: one that changes with each try would fill the namespace.
    assert_eq!(messages.len(), 1, "{messages:?}");
    let message = messages.first().expect("there is one");
    assert!(message.contains("DKR101 spec.volumes[0]"), "{message}");
}

pub(crate) fn labels_of_a_flagged_deployment_can_be_changed(world: &World) {
    let answer = world.kubectl.run("label deployment relabelled -n legacy team=build");
    answer.assert_accepted();
    // Old findings warn, so that the person who is here anyway knows.
    assert!(answer.only_warning().starts_with("DKR101 "), "{}", answer.err);
    let event = world.audit_log.last("patch", "deployments", LEGACY, "relabelled");
    event.assert_annotation("workloads.undock.dev/decision", "warn");
}

pub(crate) fn a_docker_socket_cannot_be_added_to_a_clean_deployment(world: &World) {
    let answer = world.kubectl.patch("patch deployment clean -n legacy", &patch_that_mounts_docker_socket());
    answer.assert_refused();
    assert!(answer.err.contains("DKR101 spec.template.spec.volumes[0]"), "{}", answer.err);
    world.kubectl.run("scale deployment clean -n legacy --replicas=1").assert_accepted().assert_no_warning();
}

pub(crate) fn an_ephemeral_container_is_refused_only_for_what_it_adds(world: &World) {
    let docker = "--image=docker:27-cli --container=docker -- docker ps";
    let refused = world.kubectl.run(&format!("debug web -n legacy {docker}"));
    refused.assert_refused();
    assert!(refused.err.contains("DKR201 spec.ephemeralContainers[0]"), "{}", refused.err);
    // The Pod's own socket mount was there before.
    let shell = "--image=registry.example/shell:1 --container=shell -- sh";
    world.kubectl.run(&format!("debug flagged -n legacy {shell}")).assert_accepted();
}

pub(crate) fn an_object_that_is_being_deleted_can_be_updated(world: &World) {
    world.kubectl.run("delete deployment held -n legacy --wait=false").assert_accepted();
    // Refused on any other object: the image is new.
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "docker:27-cli"}]}}}});
    world.kubectl.patch("patch deployment held -n legacy", &image).assert_accepted();
    let released = json!({"metadata": {"finalizers": null}});
    world.kubectl.patch("patch deployment held -n legacy", &released).assert_accepted();
    eventually("the Deployment is gone", Duration::from_secs(20), || {
        let left = world.kubectl.run("get deployment held -n legacy --ignore-not-found -o name").out;
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
}
