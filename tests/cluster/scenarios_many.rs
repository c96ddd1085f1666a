//! A cluster of some size: what a scan of it takes, and that the next one leaves it alone.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::kubelet::lock;
use crate::many;
use crate::objects::{
    clean_deployment, clean_pod, deployment_on_docker_socket, pod_on_docker_socket,
};
use crate::process::{eventually, say};
use crate::reports;
use crate::scenarios_controller::scan_again;
use crate::world::World;

const NAMESPACE: &str = "many";
const OWNERS: usize = 1_000;
const PODS_OF_EACH: usize = 10;
/// Half of the owners are on the Docker socket.
const FLAGGED: usize = OWNERS / 2;

pub(crate) fn ten_thousand_pods_are_scanned_and_left_alone(world: &World) {
    reports::install(&world.kubectl, &reports::open_reports());
    world.kubectl.create_namespace(NAMESPACE);
    // While nothing may happen in the namespace, Pods on the socket can be made.
    world
        .kubectl
        .run("label namespace many undock.dev/mode=off")
        .assert_accepted();
    eventually("the mode is known", Duration::from_secs(5), || {
        let pod = pod_on_docker_socket("probe");
        world
            .kubectl
            .run_with("create -n many --dry-run=server -f -", &pod)
            .accepted()
    });
    let began = Instant::now();
    let is_flagged = |number: usize| number % OWNERS < FLAGGED;
    let owners = (0..OWNERS).map(|number| {
        let name = format!("owner-{number:04}");
        let mut owner = if is_flagged(number) {
            deployment_on_docker_socket(&name, 0)
        } else {
            clean_deployment(&name, 0)
        };
        // The controller would make ReplicaSets at twenty a second.
        owner["spec"]["paused"] = json!(true);
        (
            format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments"),
            owner,
        )
    });
    let owners = many::create(world.kubeconfig(), owners.collect());
    let pods = (0..OWNERS * PODS_OF_EACH).map(|number| {
        let owner = &owners[number % OWNERS]["metadata"];
        let name = format!("pod-{number:05}");
        let mut pod = if is_flagged(number) { pod_on_docker_socket(&name) } else { clean_pod(&name) };
        let reference =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": owner["name"], "uid": owner["uid"], "controller": true});
        pod["metadata"]["ownerReferences"] = json!([reference]);
        (format!("/api/v1/namespaces/{NAMESPACE}/pods"), pod)
    });
    let pods = many::create(world.kubeconfig(), pods.collect()).len();
    say(&format!(
        "{pods} Pods of {OWNERS} owners created in {:.0} s",
        began.elapsed().as_secs_f32()
    ));

    world
        .kubectl
        .run("label namespace many undock.dev/mode=warn --overwrite")
        .assert_accepted();
    let ours = || {
        reports::versions(&world.kubectl)
            .into_iter()
            .filter(|(key, _)| key.starts_with("many/"))
            .collect::<Vec<_>>()
    };
    eventually(
        "every flagged owner has its report",
        Duration::from_secs(180),
        || match ours().len() {
            FLAGGED => Ok(()),
            count => Err(format!("{count} reports")),
        },
    );
    let (_, pod) = world.kubelet.controller().expect("one Pod scans");
    let value = |name: &str| lock(&pod).counter(name).expect("it answers");
    let owners = value("undock_owners{");
    assert!(owners >= 1_000.0, "{owners} owners");
    say(&format!(
        "scan of {pods} Pods of {OWNERS} owners: {:.1} s, {:.0} MB at most in the whole process, {FLAGGED} reports",
        value("undock_scan_duration_seconds "),
        lock(&pod).peak_memory()
    ));

    scan_again(world);
    let before = (
        reports::versions(&world.kubectl),
        world.audit_log.writes_of("reports"),
        world.audit_log.writes_of("clusterreports"),
    );
    scan_again(world);
    let after = (
        reports::versions(&world.kubectl),
        world.audit_log.writes_of("reports"),
        world.audit_log.writes_of("clusterreports"),
    );
    assert_eq!(after, before, "a second scan writes nothing");
    say(&format!(
        "second scan: {:.1} s, 0 writes",
        value("undock_scan_duration_seconds ")
    ));
}
