//! Scenarios of what a namespace lets through: mode `freeze`, exemptions of owners, and what enforce says about what was there.

use std::time::Duration;

use serde_json::{Value, json};

use crate::objects::{clean_deployment, deployment_on_docker_socket, pod_on_docker_socket};
use crate::process::eventually;
use crate::scenarios_namespaces::label;
use crate::world::World;

const TERMS: &str = "until=2099-12-31; reason=moving; ref=PLAT-412";

/// Makes the namespace with these labels, and waits until the webhook knows the mode.
fn namespace(world: &World, name: &str, labels: Value) {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    world
        .kubectl
        .run_with("create -f -", &object)
        .assert_accepted();
    world.kubectl.wait_for_service_account(name);
    if labels["undock.dev/mode"].is_string() {
        wait_until_refusing(world, name);
    }
}

/// Waits until a new Pod on the Docker socket is refused, by a dry run.
fn wait_until_refusing(world: &World, namespace: &str) {
    let create = format!("create -n {namespace} --dry-run=server -f -");
    eventually("the mode is known", Duration::from_secs(5), || {
        let answer = world
            .kubectl
            .run_with(&create, &pod_on_docker_socket("probe"));
        match answer.err.contains("denied the request") {
            true => Ok(()),
            false => Err(format!("{answer:?}")),
        }
    });
}

/// Waits until as many Pods with the label `app` of this value are there, none of them in deletion.
fn wait_for_pods(world: &World, namespace: &str, app: &str, count: usize) -> Vec<Value> {
    let get = format!("get pods -n {namespace} -l app={app}");
    eventually(
        &format!("{count} Pods of {app} are there"),
        Duration::from_secs(100),
        || {
            let pods = world.kubectl.json(&get);
            let pods = pods["items"].as_array().cloned().unwrap_or_default();
            let staying: Vec<_> = pods
                .into_iter()
                .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
                .collect();
            match staying.len() == count {
                true => Ok(staying),
                false => Err(format!("{} Pods", staying.len())),
            }
        },
    )
}

pub(crate) fn freeze_serves_what_exists_and_refuses_what_is_new(world: &World) {
    namespace(world, "frozen", json!({}));
    let create = "create -n frozen -f -";
    let old = deployment_on_docker_socket("old", 1);
    world.kubectl.run_with(create, &old).assert_accepted();
    let before = wait_for_pods(world, "frozen", "old", 1);
    let rehearsed = label(world, "frozen", "freeze", "--dry-run=server");
    assert_eq!(
        rehearsed.assert_accepted().warnings(),
        [
            "undock: Deployment/old would be kept, and refused if it were new: DKR101",
            "undock: what runs stays, and Deployments and the like get new Pods; what is new is refused"
        ]
    );
    label(world, "frozen", "freeze", "").assert_accepted();
    wait_until_refusing(world, "frozen");

    // It rolls out: a ReplicaSet and Pods that were not there before.
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.example/app:2"}]}}}});
    let answer = world
        .kubectl
        .patch("patch deployment old -n frozen", &image);
    assert!(
        answer
            .assert_accepted()
            .only_warning()
            .starts_with("DKR101 "),
        "{answer:?}"
    );
    let name_of = |pods: &[Value]| pods[0]["metadata"]["name"].as_str().map(str::to_owned);
    let after = eventually(
        "the Pod of the new template",
        Duration::from_secs(60),
        || {
            let pods = world.kubectl.json("get pods -n frozen -l app=old");
            let pods = pods["items"].as_array().cloned().unwrap_or_default();
            let new = pods
                .into_iter()
                .find(|pod| pod["spec"]["containers"][0]["image"] == "registry.example/app:2");
            new.ok_or_else(|| "not yet".to_owned())
        },
    );
    let name = after["metadata"]["name"].as_str().unwrap_or_default();
    assert_ne!(name_of(&before).as_deref(), Some(name));
    let record = world.record_of("Pod", "frozen", name);
    assert_eq!(
        (
            &record["decision"],
            &record["mode"],
            &record["review.existing"]
        ),
        (&json!("record"), &json!("freeze"), &json!(true)),
        "{record}"
    );
    let refused = world
        .kubectl
        .run_with(create, &deployment_on_docker_socket("new", 1));
    refused.assert_refused();
    assert!(
        refused.err.contains("Namespace frozen is in freeze mode."),
        "{}",
        refused.err
    );
    world
        .kubectl
        .run_with(create, &clean_deployment("clean", 0))
        .assert_accepted()
        .assert_no_warning();
}

pub(crate) fn a_spoofed_owner_reference_is_refused_in_freeze(world: &World) {
    namespace(world, "spoofed", json!({}));
    world
        .kubectl
        .run_with(
            "create -n spoofed -f -",
            &deployment_on_docker_socket("old", 0),
        )
        .assert_accepted();
    let replica_set = eventually("its ReplicaSet", Duration::from_secs(30), || {
        let sets = world.kubectl.json("get replicasets -n spoofed");
        let set = sets["items"][0].clone();
        (!set.is_null())
            .then_some(set)
            .ok_or_else(|| "none".to_owned())
    });
    label(world, "spoofed", "freeze", "").assert_accepted();
    wait_until_refusing(world, "spoofed");
    // Everything that anybody can read of the real one.
    let mut pod = pod_on_docker_socket("builder");
    pod["metadata"]["labels"] = replica_set["spec"]["template"]["metadata"]["labels"].clone();
    pod["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": replica_set["metadata"]["name"],
        "uid": replica_set["metadata"]["uid"], "controller": true,
    }]);
    world
        .kubectl
        .run_with("create -n spoofed -f -", &pod)
        .assert_refused();
}

pub(crate) fn an_exemption_on_a_deployment_and_a_cron_job_reaches_their_pods(world: &World) {
    let labels = json!({"undock.dev/mode": "enforce", "undock.dev/workload-exemptions": "allow"});
    namespace(world, "owners-exempt", labels);
    let create = "create -n owners-exempt -f -";
    let exempt = json!({"exempt.undock.dev/docker-socket-mount": TERMS});
    let mut deployment = deployment_on_docker_socket("runner", 2);
    world.kubectl.run_with(create, &deployment).assert_refused();
    deployment["metadata"]["annotations"] = exempt.clone();
    world
        .kubectl
        .run_with(create, &deployment)
        .assert_accepted();
    let template = deployment["spec"]["template"].clone();
    let mut job = template.clone();
    job["metadata"]["labels"]["app"] = json!("nightly");
    job["spec"]["restartPolicy"] = json!("Never");
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "nightly", "annotations": exempt},
        "spec": {"schedule": "* * * * *", "concurrencyPolicy": "Forbid",
                 "jobTemplate": {"spec": {"template": job}}},
    });
    world.kubectl.run_with(create, &cron_job).assert_accepted();
    for (app, count) in [("runner", 2), ("nightly", 1)] {
        wait_for_pods(world, "owners-exempt", app, count);
        // One for all of them: they differ in nothing but their names.
        let record = eventually("a record of a Pod", Duration::from_secs(10), || {
            let records = world.kubelet.records();
            let of_pod = records.iter().find(|record| {
                record["k8s.namespace.name"] == "owners-exempt"
                    && record["owner.name"] == app
                    && record["k8s.object.kind"] == "Pod"
            });
            of_pod.cloned().ok_or_else(|| "none".to_owned())
        });
        assert_eq!(record["decision"], "exempt", "{record}");
        let finding = &record["findings"][0];
        assert_eq!(
            (&finding["exempt.scope"], &finding["exempt.ref"]),
            (&json!("workload"), &json!("PLAT-412")),
            "{record}"
        );
    }
    world
        .kubectl
        .run("delete cronjob nightly -n owners-exempt --wait=false")
        .assert_accepted();

    // Without it they are refused; what runs stays.
    world
        .kubectl
        .run("annotate deployment runner -n owners-exempt exempt.undock.dev/docker-socket-mount-")
        .assert_accepted();
    world
        .kubectl
        .run("scale deployment runner -n owners-exempt --replicas=3")
        .assert_accepted();
    eventually("the next Pod is refused", Duration::from_secs(60), || {
        let events = "get events -n owners-exempt --field-selector reason=FailedCreate";
        let events = world.kubectl.json(events).to_string();
        match events.contains("Namespace owners-exempt is in enforce mode. Edit Deployment/runner.")
        {
            true => Ok(()),
            false => Err(events),
        }
    });
    wait_for_pods(world, "owners-exempt", "runner", 2);
}

pub(crate) fn enforce_says_what_happens_to_an_old_deployment(world: &World) {
    namespace(world, "honest", json!({}));
    world
        .kubectl
        .run_with(
            "create -n honest -f -",
            &deployment_on_docker_socket("old", 1),
        )
        .assert_accepted();
    wait_for_pods(world, "honest", "old", 1);
    let rehearsed = label(world, "honest", "enforce", "--dry-run=server");
    assert_eq!(
        rehearsed.assert_accepted().warnings(),
        [
            "undock: Deployment/old would be refused: DKR101",
            "undock: running Pods stay, and no new one of these starts"
        ]
    );
    label(world, "honest", "enforce", "").assert_accepted();
    wait_until_refusing(world, "honest");
    let answer = world
        .kubectl
        .run("set image deployment/old app=registry.example/app:2 -n honest");
    assert_eq!(
        answer.assert_accepted().only_warning(),
        "DKR101 volume \"sock\" mounts /var/run/docker.sock: absent on containerd; build with BuildKit \
         [its new Pods are refused]"
    );
    let event = world
        .audit_log
        .last("patch", "deployments", "honest", "old");
    event.assert_annotation("workloads.undock.dev/decision", "warn");
    event.assert_annotation("workloads.undock.dev/would-deny", "true");
    // And so it is: the ReplicaSet of the new template is refused, and the old Pod runs on.
    let pods = wait_for_pods(world, "honest", "old", 1);
    assert_eq!(
        pods[0]["spec"]["containers"][0]["image"],
        "registry.example/app:1"
    );
}
