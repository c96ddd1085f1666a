//! Scenarios of `undock scan` and `undock doctor`, run as people run them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::objects::{
    clean_pod, deployment_on_docker_socket, pod_on_docker_socket, volume_on_docker_socket,
};
use crate::process::eventually;
use crate::world::World;

/// What a run of the binary left.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: exit {}, {}{}", self.code, self.out, self.err))
    }
}

/// Runs undock against the cluster of `kubeconfig`, with nothing of the caller's environment.
pub(crate) fn undock(kubeconfig: &Path, words: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
    command
        .args(words.split_whitespace())
        .env_clear()
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null());
    let output = command.output().expect("undock starts");
    Run {
        code: output.status.code().expect("undock ends by itself"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn results(report: &Value) -> Vec<(&str, &str)> {
    let checks = report["checks"].as_array().into_iter().flatten();
    checks
        .filter_map(|check| Some((check["id"].as_str()?, check["result"].as_str()?)))
        .collect()
}

pub(crate) fn doctor_before_the_install_says_what_is_missing(world: &World) {
    let run = world.doctor_before();
    let report = run.json();
    assert_eq!(
        (run.code, report["schema"].as_str()),
        (1, Some("undock.doctor/v1")),
        "{report}"
    );
    let expected = [
        ("api-server", "ok"),
        ("registration", "fail"),
        ("service", "fail"),
        ("endpoints", "fail"),
        ("certificate", "skipped"),
        ("version", "skipped"),
        ("controller", "warn"),
        ("probe", "skipped"),
        ("failed-open", "ok"),
        ("audit-policy", "ok"),
    ];
    assert_eq!(results(&report), expected, "{report:#}");
}

pub(crate) fn doctor_after_the_install_finds_everything_in_order(world: &World) {
    let run = undock(world.kubeconfig(), "doctor -o json");
    let report = run.json();
    let bad: Vec<_> = results(&report)
        .into_iter()
        .filter(|(_, result)| *result != "ok")
        .collect();
    // The API server called undock before its Pods were ready, and counts that.
    assert!(bad.iter().all(|(id, _)| *id == "failed-open"), "{report:#}");
    assert_eq!(run.code, 0, "{report:#}");
    let probe = world.kubectl.run("get pods -n default -o name").out;
    assert!(
        !probe.contains("undock-doctor"),
        "the probe is a dry run: {probe}"
    );

    // A registration that forgets a resource is found.
    let rules = json!({"webhooks": [{"name": "namespaces.undock.dev", "rules": []}]});
    world
        .kubectl
        .patch("patch validatingwebhookconfiguration undock", &rules)
        .assert_accepted();
    let run = undock(world.kubeconfig(), "doctor");
    world.install_registration_again();
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(
        run.out
            .contains("undock is not asked about CREATE namespaces, UPDATE namespaces"),
        "{}",
        run.out
    );
}

pub(crate) fn a_scan_with_the_shipped_role_reads_everything(world: &World) {
    world.kubectl.create_namespace("scanned");
    for (name, runtime) in [
        ("old", "docker://27.3.1"),
        ("new", "containerd://2.1.4"),
        ("other", "cri-o://1.34.0"),
    ] {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        world
            .kubectl
            .run_with("create -f -", &node)
            .assert_accepted();
        let info = json!({"architecture": "amd64", "bootID": "b", "containerRuntimeVersion": runtime, "kernelVersion": "6", "kubeProxyVersion": "",
            "kubeletVersion": "v1.34.1", "machineID": "m", "operatingSystem": "linux", "osImage": "Linux", "systemUUID": "u"});
        world
            .kubectl
            .patch(
                &format!("patch node {name} --subresource=status"),
                &json!({"status": {"nodeInfo": info}}),
            )
            .assert_accepted();
    }
    world
        .kubectl
        .run_with(
            "create -n scanned -f -",
            &deployment_on_docker_socket("runner", 2),
        )
        .assert_accepted();
    world
        .kubectl
        .run_with("create -n scanned -f -", &pod_on_docker_socket("builder"))
        .assert_accepted();
    world
        .kubectl
        .run_with("create -n scanned -f -", &clean_pod("web"))
        .assert_accepted();
    world
        .kubectl
        .run_with("create -f -", &claimed_volume())
        .assert_accepted();
    world
        .kubectl
        .run_with("create -n scanned -f -", &claim())
        .assert_accepted();
    world
        .kubectl
        .run_with("create -n scanned -f -", &pod_with_claim())
        .assert_accepted();
    eventually(
        "the Deployment has its Pods",
        Duration::from_secs(30),
        || {
            let pods = world
                .kubectl
                .run("get pods -n scanned -l app=runner -o name")
                .out
                .lines()
                .count();
            if pods == 2 {
                Ok(())
            } else {
                Err(format!("{pods} Pods"))
            }
        },
    );

    let person = world.person_with("manifests/scan", "undock-scan");
    let run = undock(&person, "scan -o json");
    let table = undock(&person, "scan -n scanned");
    world
        .kubectl
        .run("delete node old new other")
        .assert_accepted();
    let report = run.json();
    assert_eq!(report["errors"], json!([]), "{}", run.err);
    assert_eq!(
        (run.code, report["schema"].as_str()),
        (1, Some("undock.scan/v1"))
    );
    let runtimes = report["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| (&group["runtime"], &group["count"]));
    let runtimes: Vec<_> = runtimes.filter(|(runtime, _)| *runtime != "").collect();
    assert_eq!(
        json!(runtimes),
        json!([
            ["containerd://2.1.4", 1],
            ["cri-o://1.34.0", 1],
            ["docker://27.3.1", 1]
        ])
    );
    let objects = report["objects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|object| object["namespace"] == "scanned");
    let told = objects.filter(|object| object["kind"] != "ConfigMap");
    let told: Vec<_> = told
        .map(|object| {
            json!([
                object["kind"],
                object["name"],
                object["decision"],
                object["pods"]
            ])
        })
        .collect();
    let expected = json!([
        ["Deployment", "runner", "deny", 2],
        ["Pod", "builder", "deny", 1],
        ["Pod", "claimer", "deny", 1],
        ["Pod", "web", "clean", 1]
    ]);
    assert_eq!(json!(told), expected);
    // The same finding as in the webhook's records.
    let record = world.record_of("Deployment", "scanned", "runner");
    let find = |kind: &str| {
        report["objects"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|o| o["namespace"] == "scanned" && o["kind"] == kind)
    };
    let found = find("Deployment").expect("it is listed");
    assert_eq!(
        record["findings"][0]["fingerprint"],
        found["findings"][0]["fingerprint"]
    );

    assert_eq!(table.code, 1, "{}{}", table.out, table.err);
    for line in [
        "scanned Deployment/runner  DKR101",
        "scanned Pod/builder  DKR101",
        "scanned Pod/claimer  DKR112",
    ] {
        assert!(table.out.contains(line), "{}", table.out);
    }
    assert!(!table.out.contains("legacy"), "{}", table.out);
}

pub(crate) fn a_scan_without_the_role_says_what_it_could_not_read(world: &World) {
    let nobody = world.person_with("", "");
    let run = undock(&nobody, "scan");
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert!(
        run.out
            .contains("error: pods (forbidden): pods is forbidden"),
        "{}",
        run.out
    );
    let run = undock(&nobody, "doctor");
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
}

pub(crate) fn an_exemption_has_the_same_effect_in_webhook_check_and_scan(world: &World) {
    let terms = |until: &str| format!("until={until}; reason=moving; ref=PLAT-412");
    for (name, until, decision) in [
        ("ended", "2020-01-01", "deny"),
        ("holds", "2099-12-31", "exempt"),
    ] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"undock.dev/mode": "warn"}}});
        world
            .kubectl
            .run_with("create -f -", &namespace)
            .assert_accepted();
        world.kubectl.wait_for_service_account(name);
        let mut pod = pod_on_docker_socket("builder");
        pod["metadata"]["namespace"] = json!(name);
        world
            .kubectl
            .run_with("create -f -", &pod)
            .assert_accepted();
        let annotated = json!({"metadata": {"annotations": {"exempt.undock.dev/DKR101": terms(until)}, "labels": {"undock.dev/mode": "enforce"}}});
        let answer = world
            .kubectl
            .patch(&format!("patch namespace {name}"), &annotated);
        answer.assert_accepted();
        let mut again = pod.clone();
        again["metadata"]["name"] = json!("again");
        eventually("the webhook knows", Duration::from_secs(5), || {
            let answer = world
                .kubectl
                .run_with("create --dry-run=server -f -", &again);
            let refused = answer.err.contains("denied the request");
            if refused == (decision == "deny") {
                Ok(())
            } else {
                Err(format!("{answer:?}"))
            }
        });
        let event = world.audit_log.last("create", "pods", name, "again");
        event.assert_annotation("pods.undock.dev/decision", decision);

        let of_namespace = |report: &Value| -> Vec<String> {
            let objects = report["objects"].as_array().into_iter().flatten();
            let pods =
                objects.filter(|object| object["kind"] == "Pod" && object["namespace"] == name);
            pods.map(|pod| pod["decision"].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        let mut told = namespace.clone();
        told["metadata"]["annotations"] = json!({"exempt.undock.dev/DKR101": terms(until)});
        told["metadata"]["labels"] = json!({"undock.dev/mode": "enforce"});
        let file = world.file(
            &format!("{name}.json"),
            &json!({"apiVersion": "v1", "kind": "List", "items": [told, pod]}).to_string(),
        );
        let checked = undock(
            world.kubeconfig(),
            &format!("check {} -o json", file.display()),
        )
        .json();
        assert_eq!(of_namespace(&checked), [decision], "{checked:#}");
        let scanned = undock(world.kubeconfig(), &format!("scan -n {name} -o json")).json();
        assert_eq!(of_namespace(&scanned), [decision], "{scanned:#}");
        let status = if decision == "deny" {
            "expired"
        } else {
            "in-use"
        };
        assert_eq!(scanned["exemptions"][0]["status"], status, "{scanned:#}");
    }
}

fn claimed_volume() -> Value {
    let mut volume = volume_on_docker_socket("scanned-socket");
    volume["spec"]["claimRef"] = json!({"namespace": "scanned", "name": "socket"});
    volume
}

fn claim() -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "socket"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "none", "volumeName": "scanned-socket",
        "resources": {"requests": {"storage": "1Gi"}}}})
}

fn pod_with_claim() -> Value {
    let mut pod = clean_pod("claimer");
    pod["spec"]["volumes"] =
        json!([{"name": "v", "persistentVolumeClaim": {"claimName": "socket"}}]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
    pod
}
