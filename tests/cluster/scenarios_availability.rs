//! Scenarios about undock being there: replicas, restarts, rotation, and what happens when it is down.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kubelet::NAMESPACE;
use crate::objects::{clean_deployment, clean_pod, pod_on_docker_socket};
use crate::process::{eventually, say};
use crate::world::World;

pub(crate) fn both_replicas_are_asked(world: &World) {
    world.kubectl.create_namespace("spread");
    let before = world.kubelet.counters("undock_reviews_total");
    assert_eq!(before.len(), 2, "the manifests ask for two replicas");
    // The API server picks an endpoint at random, so a fixed number of writes would fail once in a while.
    eventually(
        "both replicas have answered",
        Duration::from_secs(30),
        || {
            world
                .kubectl
                .run_with("create -n spread --dry-run=server -f -", &clean_pod("web"))
                .assert_accepted();
            let now = world.kubelet.counters("undock_reviews_total");
            let all = now.iter().zip(&before).all(|(now, before)| now > before);
            if all {
                Ok(())
            } else {
                Err(format!("{before:?}, then {now:?}"))
            }
        },
    );
}

pub(crate) fn a_write_passes_while_undock_is_down_and_failures_are_ignored(world: &World) {
    world.kubectl.create_namespace("unguarded");
    world.kubelet.crash_all();
    let answer = world
        .kubectl
        .run_with("create -n unguarded -f -", &pod_on_docker_socket("missed"));
    world.kubelet.restart_all();
    answer.assert_accepted().assert_no_warning();
    // This is how an operator finds what undock has never seen.
    let event = world
        .audit_log
        .last("create", "pods", "unguarded", "missed");
    let failed_open = event
        .annotations()
        .find(|(_, value)| *value == "pods.undock.dev");
    let (key, _) =
        failed_open.unwrap_or_else(|| panic!("nothing says that it failed open: {event:?}"));
    assert!(
        key.starts_with("failed-open.validating.webhook.admission.k8s.io/"),
        "{key}"
    );
    assert_eq!(event.annotation("pods.undock.dev/decision"), None);
}

pub(crate) fn a_write_is_refused_while_undock_is_down_and_failures_are_not_ignored(world: &World) {
    world.kubectl.create_namespace("guarded");
    let template = world
        .kubectl
        .json(&format!("get deployment undock -n {NAMESPACE}"))["spec"]["template"]["spec"]
        .clone();
    let own_pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "undock-new"}, "spec": template});
    world.kubelet.crash_all();
    let answer = world
        .kubectl
        .run_with("create -n guarded -f -", &clean_pod("web"));
    // Without these, nothing could bring undock back.
    let system = world.kubectl.run_with(
        "create -n kube-system --dry-run=server -f -",
        &clean_pod("proxy"),
    );
    let own = world.kubectl.run_with(
        &format!("create -n {NAMESPACE} --dry-run=server -f -"),
        &own_pod,
    );
    let namespace = world.kubectl.run("create namespace still-possible");
    // Its Pods will be asked about.
    let workload = world
        .kubectl
        .run_with("create -n guarded -f -", &clean_deployment("web", 0));
    world.kubelet.restart_all();
    answer.assert_refused();
    assert!(
        answer
            .err
            .contains("failed calling webhook \"pods.undock.dev\""),
        "{}",
        answer.err
    );
    system.assert_accepted();
    own.assert_accepted();
    namespace.assert_accepted();
    workload.assert_accepted();
    eventually("writes pass again", Duration::from_secs(20), || {
        world
            .kubectl
            .run_with("create -n guarded -f -", &clean_pod("web"))
            .accepted()
    });
}

pub(crate) fn no_call_fails_while_certificates_are_rotated(world: &World) {
    let old = world.ca_bundle();
    world.kubectl.create_namespace("rotated");
    let failures = failures_during("rotated", world, || {
        world.generate_certificates(&["--rotate", "--apply"]);
        assert_ne!(
            world.ca_bundle(),
            old,
            "the script has put a new CA into the registration"
        );
        // Until here undock shows the old certificate, and the API server trusts both.
        world.kubelet.refresh_volumes();
        let new = world.certificate();
        eventually(
            "all replicas show the new certificate",
            Duration::from_secs(60),
            || {
                let shown = world.kubelet.certificates();
                if shown.iter().all(|shown| *shown == new) {
                    Ok(())
                } else {
                    Err(format!("{shown:?}, not {new}"))
                }
            },
        );
    });
    assert!(failures.is_empty(), "{}", failures.concat());
}

pub(crate) fn no_call_fails_during_a_rolling_restart(world: &World) {
    world.kubectl.create_namespace("rolling");
    let failures = failures_during("rolling", world, || {
        world
            .kubectl
            .run(&format!("rollout restart deployment/undock -n {NAMESPACE}"))
            .assert_accepted();
        let status = format!("rollout status deployment/undock -n {NAMESPACE} --timeout=180s");
        world.kubectl.run(&status).assert_accepted();
        eventually("the old Pods are gone", Duration::from_secs(90), || {
            let words = format!("get pods -n {NAMESPACE} -l app.kubernetes.io/name=undock");
            let pods = world.kubectl.json(&words);
            let count = pods["items"].as_array().map_or(0, Vec::len);
            if count == 2 {
                Ok(())
            } else {
                Err(format!("{count} Pods"))
            }
        });
    });
    assert!(failures.is_empty(), "{}", failures.concat());
}

/// Creates Pods one after the other while `action` runs, and gives what kubectl said where one failed.
fn failures_during(namespace: &str, world: &World, action: impl FnOnce()) -> Vec<String> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut failures = Vec::new();
            let mut calls = 0;
            while !done.load(Ordering::Relaxed) {
                // Starting kubectl takes longer than a call, so each makes many, one after the other.
                let pods: Vec<Value> = (calls..calls + 20)
                    .map(|number| clean_pod(&format!("pod-{number}")))
                    .collect();
                let list = json!({"apiVersion": "v1", "kind": "List", "items": pods});
                let answer = world
                    .kubectl
                    .run_with(&format!("create -n {namespace} -f -"), &list);
                failures.extend(answer.accepted().err());
                calls += pods.len();
            }
            say(&format!("{calls} calls while this ran"));
            failures
        });
        let stop = Stop(&done);
        action();
        drop(stop);
        writer.join().expect("the writer does not panic")
    })
}

/// Ends a thread of the scenario, also when the scenario panics: the scope would wait for it for ever.
pub(crate) struct Stop<'a>(pub(crate) &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
