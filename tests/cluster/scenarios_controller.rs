//! Scenarios of the controller: which replica scans, what it writes, and that it writes nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::kubelet::{NAMESPACE, lock};
use crate::objects::{
    clean_deployment, deployment_on_docker_socket, patch_that_mounts_docker_socket,
    pod_on_docker_socket, volume_on_docker_socket,
};
use crate::process::{eventually, say};
use crate::reports;
use crate::world::World;

/// A change is scanned some seconds after it, and no more than a part of the time is spent on scans.
const SOON: Duration = Duration::from_secs(60);

fn uid(world: &World, what: &str) -> String {
    world.kubectl.json(&format!("get {what}"))["metadata"]["uid"]
        .as_str()
        .expect("it has a uid")
        .to_owned()
}

fn report_of(world: &World, resource: &str, what: &str, namespace: &str) -> Result<Value, String> {
    let name = format!("undock-{}", uid(world, &format!("{what} {namespace}")));
    let answer = world
        .kubectl
        .run(&format!("get {resource} {name} {namespace} -o json"))
        .accepted()?;
    serde_json::from_str(&answer.out).map_err(|error| error.to_string())
}

/// The time of the last scan, from the metrics of the Pod that scans.
fn last_scan(world: &World) -> Result<f64, String> {
    let (_, pod) = world.kubelet.controller()?;
    let time = lock(&pod).counter("undock_last_scan_timestamp_seconds ")?;
    if time > 0.0 {
        Ok(time)
    } else {
        Err("there was no scan yet".to_owned())
    }
}

/// Makes a change that concerns every workload, and waits for the scan of it.
pub(crate) fn scan_again(world: &World) {
    let before = eventually("there was a scan", SOON, || last_scan(world));
    world
        .kubectl
        .run("create namespace trigger")
        .accepted()
        .ok();
    let labels = world.kubectl.json("get namespace trigger")["metadata"]["labels"].clone();
    let other = if labels["undock.dev/mode"] == "warn" {
        "audit"
    } else {
        "warn"
    };
    world
        .kubectl
        .run(&format!(
            "label namespace trigger undock.dev/mode={other} --overwrite"
        ))
        .assert_accepted();
    eventually(
        "the change is scanned",
        Duration::from_secs(300),
        || match last_scan(world)? {
            time if time > before => Ok(()),
            time => Err(format!("the last scan was at {time}")),
        },
    );
    // The time is that of its begin; what it writes comes after.
    eventually(
        "the scan has come to rest",
        Duration::from_secs(180),
        || {
            let writes = || {
                world
                    .kubelet
                    .controller_counters("undock_controller_writes_total{object=\"report\"")
            };
            let first = writes();
            std::thread::sleep(Duration::from_secs(1));
            if writes() == first {
                Ok(())
            } else {
                Err("it still writes".to_owned())
            }
        },
    );
}

pub(crate) fn exactly_one_replica_scans(world: &World) {
    let (name, _) = eventually("one Pod scans", Duration::from_secs(30), || {
        world.kubelet.controller()
    });
    eventually("it has scanned", Duration::from_secs(30), || {
        last_scan(world)
    });
    let lease = world
        .kubectl
        .json(&format!("get lease undock-controller -n {NAMESPACE}"));
    assert!(
        lease["spec"]["holderIdentity"]
            .as_str()
            .is_some_and(|holder| !holder.is_empty()),
        "{lease}"
    );
    let (again, _) = world.kubelet.controller().expect("one still scans");
    assert_eq!(name, again);
    // Neither API for reports is installed yet, and nothing is wrong with that.
    let failures = |outcome: &str| {
        world.kubelet.controller_counters(&format!(
            "undock_controller_writes_total{{object=\"report\",outcome=\"{outcome}\""
        ))
    };
    assert!(
        ["failed", "forbidden", "conflict"]
            .iter()
            .all(|outcome| failures(outcome).iter().all(|count| *count == 0.0))
    );
}

pub(crate) fn a_report_follows_its_owner(world: &World) {
    reports::install(&world.kubectl, &reports::open_reports());
    world.kubectl.create_namespace("reported");
    for object in [
        deployment_on_docker_socket("runner", 0),
        clean_deployment("web", 0),
        pod_on_docker_socket("bare"),
    ] {
        world
            .kubectl
            .run_with("create -n reported -f -", &object)
            .assert_accepted();
    }
    world
        .kubectl
        .run_with("create -f -", &volume_on_docker_socket("reported-sock"))
        .assert_accepted();
    let report = eventually("the Deployment has a report", SOON, || {
        report_of(world, "reports", "deployment runner", "-n reported")
    });
    let owner = uid(world, "deployment runner -n reported");
    let reference =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "runner", "uid": owner});
    assert_eq!(
        report["metadata"]["ownerReferences"],
        json!([reference]),
        "{report:#}"
    );
    assert_eq!(
        report["summary"],
        json!({"pass": 0, "fail": 0, "warn": 1, "error": 0, "skip": 0}),
        "{report:#}"
    );
    let result = &report["results"][0];
    let expected = ["DKR101", "warn", "high", "docker-dependencies"];
    assert_eq!(
        [
            &result["rule"],
            &result["result"],
            &result["severity"],
            &result["policy"]
        ],
        expected,
        "{report:#}"
    );
    let record = world.record_of("Deployment", "reported", "runner");
    assert_eq!(
        result["properties"]["fingerprint"], record["findings"][0]["fingerprint"],
        "{report:#}"
    );
    eventually("the Pod has one", SOON, || {
        report_of(world, "reports", "pod bare", "-n reported")
    });
    eventually("the volume has one", SOON, || {
        report_of(world, "clusterreports", "pv reported-sock", "")
    });
    report_of(world, "reports", "deployment web", "-n reported")
        .expect_err("nothing is wrong with it");

    // Where only hints are written, no Event alarms anybody.
    let events = world.kubectl.json("get events.events.k8s.io -n reported");
    let ours = events["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|event| event["reportingController"] == "undock.dev/controller");
    assert_eq!(ours.count(), 0, "{events:#}");

    let docker_goes = json!({"spec": {"template": {"spec": {
        "volumes": [{"name": "sock", "$patch": "delete"}],
        "containers": [{"name": "app", "volumeMounts": [{"mountPath": "/var/run/docker.sock", "$patch": "delete"}]}]}}}});
    world
        .kubectl
        .patch("patch deployment runner -n reported", &docker_goes)
        .assert_accepted();
    eventually(
        "the report goes with the finding",
        SOON,
        || match report_of(world, "reports", "deployment runner", "-n reported") {
            Ok(report) => Err(format!("{report:#}")),
            Err(_) => Ok(()),
        },
    );
    world
        .kubectl
        .run("delete pod bare -n reported --wait=false")
        .assert_accepted();
    world
        .kubectl
        .run("delete pv reported-sock --wait=false")
        .assert_accepted();
}

pub(crate) fn policy_reports_are_written_where_only_they_are_installed(world: &World) {
    reports::remove(&world.kubectl, &reports::open_reports());
    reports::install(&world.kubectl, &reports::policy_reports());
    world.kubectl.create_namespace("policy-reported");
    world
        .kubectl
        .run_with(
            "create -n policy-reported -f -",
            &deployment_on_docker_socket("runner", 0),
        )
        .assert_accepted();
    let find = || {
        report_of(
            world,
            "policyreports",
            "deployment runner",
            "-n policy-reported",
        )
    };
    let report = eventually("the Deployment has a report", SOON, find);
    assert_eq!(
        [
            &report["results"][0]["source"],
            &report["results"][0]["rule"]
        ],
        ["undock", "DKR101"],
        "{report:#}"
    );
    scan_again(world);
    let again = find().expect("it is still there");
    assert_eq!(
        again["metadata"]["resourceVersion"], report["metadata"]["resourceVersion"],
        "nothing changed, so nothing is written"
    );
    reports::remove(&world.kubectl, &reports::policy_reports());
    reports::install(&world.kubectl, &reports::open_reports());
    scan_again(world);
}

pub(crate) fn the_other_replica_takes_over_and_says_nothing_twice(world: &World) {
    world.kubectl.create_namespace("taken-over");
    world
        .kubectl
        .run_with(
            "create -n taken-over -f -",
            &deployment_on_docker_socket("runner", 0),
        )
        .assert_accepted();
    eventually("the Deployment has a report", SOON, || {
        report_of(world, "reports", "deployment runner", "-n taken-over")
    });
    scan_again(world);
    scale(world, 2);
    let before = reports::versions(&world.kubectl);

    let (first, pod) = eventually("one Pod scans", Duration::from_secs(30), || {
        world.kubelet.controller()
    });
    let killed = Instant::now();
    lock(&pod).kill();
    let takes_over = |first: &str| match world.kubelet.controller()? {
        (name, _) if name != first => last_scan(world).map(|_| name),
        (name, _) => Err(format!("{name} still scans")),
    };
    let second = eventually("the other Pod has scanned", Duration::from_secs(60), || {
        takes_over(&first)
    });
    say(&format!(
        "after {first} was killed, {second} scanned within {:.1} s",
        killed.elapsed().as_secs_f32()
    ));
    lock(&pod).start();
    eventually("undock is ready again", Duration::from_secs(20), || {
        lock(&pod).ready()
    });
    scan_again(world);
    assert_eq!(
        reports::versions(&world.kubectl),
        before,
        "what stood there is left alone"
    );

    // One that is asked to stop gives the Lease back.
    let asked = Instant::now();
    world
        .kubectl
        .run(&format!("delete pod {second} -n {NAMESPACE} --wait=false"))
        .assert_accepted();
    let third = eventually("another Pod scans", Duration::from_secs(12), || match world
        .kubelet
        .controller()?
    {
        (name, _) if name != second => Ok(name),
        (name, _) => Err(format!("{name} still scans")),
    });
    say(&format!(
        "after {second} was asked to stop, {third} scanned within {:.1} s",
        asked.elapsed().as_secs_f32()
    ));
    let rollout =
        format!("rollout status deployment/undock-controller -n {NAMESPACE} --timeout=120s");
    world.kubectl.run(&rollout).assert_accepted();
    eventually("the old Pod is gone", Duration::from_secs(90), || {
        let left = world
            .kubectl
            .run(&format!(
                "get pod {second} -n {NAMESPACE} --ignore-not-found -o name"
            ))
            .out;
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
    scale(world, 1);
    eventually("one Pod scans", Duration::from_secs(60), || {
        world.kubelet.controller()
    });
}

/// One replica is shipped; who takes over needs another.
fn scale(world: &World, replicas: u8) {
    let words = format!("scale deployment/undock-controller -n {NAMESPACE} --replicas={replicas}");
    world.kubectl.run(&words).assert_accepted();
    let rollout =
        format!("rollout status deployment/undock-controller -n {NAMESPACE} --timeout=120s");
    world.kubectl.run(&rollout).assert_accepted();
}

pub(crate) fn without_permissions_the_controller_says_so_and_reviews_go_on(world: &World) {
    let (_, pod) = eventually("one Pod scans", Duration::from_secs(30), || {
        world.kubelet.controller()
    });
    let errors = || {
        world
            .kubelet
            .controller_counters("undock_scan_errors_total{reason=\"forbidden\"")
            .iter()
            .sum::<f64>()
    };
    let before = errors();
    let logged = |words: &str| {
        let text = std::fs::read_to_string(lock(&pod).stderr()).unwrap_or_default();
        text.lines().filter(|line| line.contains(words)).count()
    };
    let times = logged("configmaps is forbidden");
    world
        .kubectl
        .run("delete clusterrolebinding undock-controller-scan")
        .assert_accepted();
    scan_again(world);
    scan_again(world);
    assert!(
        errors() > before + 1.0,
        "two scans counted what they could not read"
    );
    assert_eq!(logged("configmaps is forbidden"), times + 1, "said once");

    // Without the Lease nobody scans.
    world
        .kubectl
        .run(&format!(
            "delete rolebinding undock-controller -n {NAMESPACE}"
        ))
        .assert_accepted();
    eventually("nobody scans", Duration::from_secs(60), || {
        match world.kubelet.controller() {
            Ok((name, _)) => Err(format!("{name} scans")),
            Err(_) => Ok(()),
        }
    });
    let answer = world.kubectl.run_with(
        "create -n default --dry-run=server -f -",
        &pod_on_docker_socket("unscanned"),
    );
    answer.assert_accepted();
    assert_eq!(answer.warnings().len(), 1, "{answer:?}");
    world.install_registration_again();
    eventually("one Pod scans again", Duration::from_secs(60), || {
        world.kubelet.controller()
    });
    scan_again(world);
}

/// The news about `name`, as the API holds it: reason and type.
fn news(world: &World, name: &str) -> Vec<(String, String)> {
    let events = world.kubectl.json("get events.events.k8s.io -n news");
    let events = events["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|event| event["reportingController"] == "undock.dev/controller");
    let ours = events.filter(|event| {
        event["regarding"]["name"] == name && event["regarding"]["kind"] == "Deployment"
    });
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<_> = ours
        .map(|event| {
            (
                text(event, "eventTime"),
                text(event, "reason"),
                text(event, "type"),
            )
        })
        .collect();
    told.sort();
    told.into_iter()
        .map(|(_, reason, kind)| (reason, kind))
        .collect()
}

pub(crate) fn an_event_tells_of_what_is_new(world: &World) {
    world.kubectl.create_namespace("news");
    world
        .kubectl
        .run("label namespace news undock.dev/mode=warn")
        .assert_accepted();
    scan_again(world);
    world
        .kubectl
        .run_with("create -n news -f -", &clean_deployment("runner", 0))
        .assert_accepted();
    let wait_for = |expected: &[(&str, &str)]| {
        eventually(&format!("the news are {expected:?}"), SOON, || {
            let found = news(world, "runner");
            let is_told = found
                .iter()
                .map(|(reason, kind)| (reason.as_str(), kind.as_str()))
                .eq(expected.iter().copied());
            if is_told {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        });
    };
    world
        .kubectl
        .patch(
            "patch deployment runner -n news",
            &patch_that_mounts_docker_socket(),
        )
        .assert_accepted();
    let found = ("DockerDependencyFound", "Normal");
    wait_for(&[found]);
    world
        .kubectl
        .run("label namespace news undock.dev/mode=enforce --overwrite")
        .assert_accepted();
    let blocked = ("DockerDependencyBlocked", "Warning");
    wait_for(&[found, blocked]);
    let docker_goes = json!([{"op": "remove", "path": "/spec/template/spec/volumes"}, {"op": "remove", "path": "/spec/template/spec/containers/0/volumeMounts"}]);
    world
        .kubectl
        .patch("patch deployment runner -n news --type=json", &docker_goes)
        .assert_accepted();
    wait_for(&[found, blocked, ("DockerDependencyFixed", "Normal")]);
    let described = world.kubectl.run("describe deployment runner -n news").out;
    assert!(
        described.contains("DKR101 volume \"sock\" mounts /var/run/docker.sock"),
        "people find it: {described}"
    );
}

pub(crate) fn a_namespace_made_again_without_its_mode_is_told(world: &World) {
    let label = "label namespace made-again undock.dev/mode=enforce";
    world.kubectl.create_namespace("made-again");
    world.kubectl.run(label).assert_accepted();
    scan_again(world);
    world
        .kubectl
        .run("delete namespace made-again")
        .assert_accepted();
    world.kubectl.create_namespace("made-again");
    let uid = uid(world, "namespace made-again");
    eventually("an Event tells of it", SOON, || {
        let events = world.kubectl.json("get events.events.k8s.io -n default");
        let mut events = events["items"].as_array().into_iter().flatten();
        let is_meant = |event: &&Value| {
            event["reason"] == "DockerModeLost" && event["regarding"]["uid"] == *uid
        };
        events
            .find(is_meant)
            .map(drop)
            .ok_or_else(|| "no Event".to_owned())
    });
}

pub(crate) fn the_nodes_are_published(world: &World) {
    let list = || {
        let map = world
            .kubectl
            .run(&format!(
                "get configmap undock-nodes -n {NAMESPACE} -o json"
            ))
            .accepted()?;
        let map: Value = serde_json::from_str(&map.out).map_err(|error| error.to_string())?;
        Ok::<_, String>(map["data"]["list"].as_str().unwrap_or_default().to_owned())
    };
    let names = eventually("the nodes are published", SOON, list);
    assert!(
        names.lines().any(|line| line.starts_with("node-a")),
        "{names}"
    );
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-published"}});
    world
        .kubectl
        .run_with("create -f -", &node)
        .assert_accepted();
    let address =
        json!({"status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.7"}]}});
    let words = "patch node node-published --subresource=status --type=merge";
    world.kubectl.patch(words, &address).assert_accepted();
    eventually("the new node is published", SOON, || match list()? {
        list if list.contains("node-published 192.0.2.7\n") => Ok(()),
        list => Err(list),
    });
    world
        .kubectl
        .run("delete node node-published")
        .assert_accepted();
}

/// A value that does not exist is refused wherever it is written, so this shows that undock is asked.
pub(crate) fn labels_through_subresources_are_reviewed(world: &World) {
    world.kubectl.create_namespace("by-status");
    for resource in ["status", "finalize"] {
        let mut namespace = world.kubectl.json("get namespace by-status");
        namespace["metadata"]["labels"]["undock.dev/mode"] = "loud".into();
        let path = format!("replace --raw /api/v1/namespaces/by-status/{resource} -f -");
        let answer = world.kubectl.run_with(&path, &namespace);
        let problem = answer.accepted().expect_err("there is no such mode");
        assert!(problem.contains("undock.dev/mode"), "{resource}: {problem}");
    }
    world
        .kubectl
        .run("delete namespace by-status --timeout=60s")
        .assert_accepted();
}
