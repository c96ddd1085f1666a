//! Scenarios about namespaces: modes by label, rehearsal, exemptions, and volumes that lead to Docker.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::objects::{clean_pod, deployment_on_docker_socket, pod_on_docker_socket};
use crate::process::{eventually, say};
use crate::scenarios_outage::{decision, review};
use crate::world::World;

pub(crate) fn label(
    world: &World,
    namespace: &str,
    mode: &str,
    options: &str,
) -> crate::kubectl::Answer {
    world.kubectl.run(&format!(
        "label namespace {namespace} undock.dev/mode={mode} --overwrite {options}"
    ))
}

/// What happens to a Pod on the Docker socket, by a dry run.
fn meets(world: &World, namespace: &str) -> &'static str {
    let answer = world.kubectl.run_with(
        &format!("create -n {namespace} --dry-run=server -f -"),
        &pod_on_docker_socket("probe"),
    );
    if answer.err.contains("denied the request") {
        "deny"
    } else if answer.err.contains("Warning: DKR101") {
        "warn"
    } else {
        "nothing"
    }
}

pub(crate) fn two_namespaces_have_modes_of_their_own_and_follow_their_labels(world: &World) {
    for namespace in ["mode-a", "mode-b"] {
        world.kubectl.create_namespace(namespace);
    }
    let mut slowest = Duration::ZERO;
    for (a, b) in [("enforce", "audit"), ("warn", "enforce"), ("off", "warn")] {
        label(world, "mode-a", a, "").assert_accepted();
        label(world, "mode-b", b, "").assert_accepted();
        let expected = |mode| match mode {
            "enforce" => "deny",
            "warn" => "warn",
            _ => "nothing",
        };
        // Both replicas must have heard of it within a second, from when kubectl has the answer of the API server.
        let told = Instant::now();
        let decisions = |namespace: &str| -> Vec<String> {
            let answers = world.kubelet.review(&review(namespace, "mode"));
            answers
                .iter()
                .map(|answer| decision(answer, "mode"))
                .collect()
        };
        let decided = |mode| match mode {
            "enforce" => "deny",
            "audit" => "record",
            "off" => "skipped",
            mode => mode,
        };
        let both = |namespace: &str, mode: &'static str| {
            decisions(namespace)
                .iter()
                .all(|decision| decision == decided(mode))
        };
        while !(both("mode-a", a) && both("mode-b", b)) {
            assert!(
                told.elapsed() < Duration::from_secs(1),
                "{:?} for {a}, {:?} for {b}",
                decisions("mode-a"),
                decisions("mode-b")
            );
        }
        slowest = slowest.max(told.elapsed());
        // And it is what people meet.
        let found = (meets(world, "mode-a"), meets(world, "mode-b"));
        assert_eq!(found, (expected(a), expected(b)), "{a} and {b}");
    }
    say(&format!(
        "both replicas followed every change of a mode within {} ms",
        slowest.as_millis()
    ));
}

pub(crate) fn a_label_without_meaning_is_refused_on_the_namespace(world: &World) {
    world.kubectl.create_namespace("mislabelled");
    let answer = label(world, "mislabelled", "enforced", "");
    answer.assert_refused();
    let text = "metadata.labels['undock.dev/mode']: label undock.dev/mode is \"enforced\"; write enforce, freeze, warn, audit or off";
    assert!(answer.err.contains(text), "{}", answer.err);
}

pub(crate) fn a_dry_run_of_the_label_is_the_rehearsal(world: &World) {
    world.kubectl.create_namespace("rehearsal");
    label(world, "rehearsal", "warn", "").assert_accepted();
    eventually(
        "the namespace is in warn mode",
        Duration::from_secs(5),
        || {
            if meets(world, "rehearsal") == "warn" {
                Ok(())
            } else {
                Err("not yet".to_owned())
            }
        },
    );
    for name in ["one", "two"] {
        world
            .kubectl
            .run_with(
                "create -n rehearsal -f -",
                &deployment_on_docker_socket(name, 0),
            )
            .assert_accepted();
    }
    let answer = label(world, "rehearsal", "enforce", "--dry-run=server");
    answer.assert_accepted();
    assert_eq!(
        answer.warnings(),
        [
            "undock: Deployment/one (and 1 other) would be refused: DKR101",
            "undock: running Pods stay, and no new one of these starts"
        ],
        "{answer:?}"
    );
    assert_eq!(
        meets(world, "rehearsal"),
        "warn",
        "a dry run changes nothing"
    );
}

pub(crate) fn an_exemption_on_the_namespace_lets_a_pod_through(world: &World) {
    world.kubectl.create_namespace("exempted");
    label(world, "exempted", "enforce", "").assert_accepted();
    let annotate = |until: &str| {
        let terms = format!("exempt.undock.dev/DKR101=until={until};reason=moving;ref=PLAT-412");
        world
            .kubectl
            .run(&format!("annotate namespace exempted --overwrite {terms}"))
            .assert_accepted();
    };
    annotate("2099-12-31");
    let pod = pod_on_docker_socket("exempt");
    eventually("the exemption is known", Duration::from_secs(5), || {
        world
            .kubectl
            .run_with("create -n exempted --dry-run=server -f -", &pod)
            .accepted()
            .map(|_| ())
    });
    world
        .kubectl
        .run_with("create -n exempted -f -", &pod)
        .assert_accepted();
    let event = world.audit_log.last("create", "pods", "exempted", "exempt");
    event.assert_annotation("pods.undock.dev/decision", "exempt");
    event.assert_annotation(
        "pods.undock.dev/exempt",
        "DKR101 by=namespace until=2099-12-31 ref=PLAT-412",
    );
    annotate("2020-01-01");
    eventually("the exemption has ended", Duration::from_secs(5), || {
        if meets(world, "exempted") == "deny" {
            Ok(())
        } else {
            Err("not yet".to_owned())
        }
    });
}

pub(crate) fn a_pod_that_reaches_docker_through_a_claim_is_refused(world: &World) {
    world.kubectl.create_namespace("claims");
    label(world, "claims", "enforce", "").assert_accepted();
    // Volumes have no namespace: the mode for them is the default, so a deployment in enforce mode refuses new ones.
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "claimed-socket"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "none",
        "hostPath": {"path": "/var/run/docker.sock"}}});
    world
        .kubectl
        .run_with("create -f -", &volume)
        .assert_accepted();
    // The controller binds the two, and writes into the volume which claim has it.
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "socket"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "none", "volumeName": "claimed-socket",
        "resources": {"requests": {"storage": "1Gi"}}}});
    world
        .kubectl
        .run_with("create -n claims -f -", &claim)
        .assert_accepted();
    let mut pod = clean_pod("claimant");
    pod["spec"]["volumes"] =
        json!([{"name": "v", "persistentVolumeClaim": {"claimName": "socket"}}]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/s"}]);
    let refused = |pod: &Value| {
        let answer = world
            .kubectl
            .run_with("create -n claims --dry-run=server -f -", pod);
        if answer
            .err
            .contains("DKR112 spec.volumes[0].persistentVolumeClaim.claimName")
        {
            Ok(())
        } else {
            Err(answer.err)
        }
    };
    eventually(
        "the Pod is refused for its claim",
        Duration::from_secs(30),
        || refused(&pod),
    );
    world
        .kubectl
        .run("delete pvc socket -n claims --wait=false")
        .assert_accepted();
    world
        .kubectl
        .run("delete pv claimed-socket --wait=false")
        .assert_accepted();
}
