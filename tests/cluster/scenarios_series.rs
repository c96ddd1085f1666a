//! Scenarios of series: what one maker makes again and again under generated names is one owner.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::kubelet::lock;
use crate::many;
use crate::objects::pod_on_docker_socket;
use crate::process::{eventually, say};
use crate::reports;
use crate::scenarios_controller::scan_again;
use crate::scenarios_scan::undock;
use crate::world::World;

const NAMESPACE: &str = "runs";
/// How many runs one maker makes, unless told otherwise.
const RUNS: usize = 2_000;
const RUNS_VARIABLE: &str = "UNDOCK_CLUSTER_RUNS";
/// From a change to what the controller writes for it, with at most [`RUNS`] runs.
const SOON: Duration = Duration::from_secs(120);

/// A Pod on the Docker socket whose name the API server makes.
fn run() -> Value {
    let mut pod = pod_on_docker_socket("");
    pod["metadata"] = json!({"generateName": "build-"});
    pod
}

/// The same as a GitLab Runner names it.
fn build(suffix: &str) -> Value {
    pod_on_docker_socket(&format!("runner-abcdefghi-project-7-concurrent-0-{suffix}"))
}

fn path(resource: &str) -> String {
    let group = if resource == "pods" {
        "api/v1"
    } else {
        "apis/batch/v1"
    };
    format!("/{group}/namespaces/{NAMESPACE}/{resource}")
}

/// The findings of the namespace in a report on the audit log: owner, status, objects.
fn rows(world: &World) -> Vec<(String, String, u64)> {
    let log = world.audit_log.path().display();
    let report = undock(world.kubeconfig(), &format!("report {log} -o json")).json();
    let findings = report["findings"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<_> = findings
        .filter(|finding| finding["namespace"] == NAMESPACE)
        .map(|finding| {
            let owner = &finding["owner"];
            (
                format!("{}/{}", text(&owner["kind"]), text(&owner["name"])),
                text(&finding["status"]),
                finding["objects"].as_u64().unwrap_or_default(),
            )
        })
        .collect();
    rows.sort();
    rows
}

/// Runs of the first maker.
fn runs() -> usize {
    let asked = std::env::var(RUNS_VARIABLE).ok();
    asked.map_or(RUNS, |text| text.parse().expect("a number of runs"))
}

/// What the runs cost so far: memory of undock's processes, the log and the report on it.
fn say_cost(world: &World) {
    let webhooks = world.kubelet.peak_memories();
    let (_, controller) = world.kubelet.controller().expect("one Pod leads");
    let log = std::fs::metadata(world.audit_log.path()).expect("the audit log is there");
    let began = Instant::now();
    rows(world);
    say(&format!(
        "webhooks {webhooks:.0?} MB and controller {:.0} MB at most; audit log {:.1} MB, report on it in {:.1} s",
        lock(&controller).peak_memory(),
        log.len() as f64 / 1e6,
        began.elapsed().as_secs_f32()
    ));
}

pub(crate) fn the_runs_of_one_maker_are_one_row(world: &World) {
    let count = runs();
    // A scan reads each of the runs.
    let soon = SOON * u32::try_from(count.div_ceil(RUNS)).expect("a number of runs");
    reports::install(&world.kubectl, &reports::open_reports());
    world.kubectl.create_namespace(NAMESPACE);
    let began = Instant::now();
    let runs = (0..count).map(|_| (path("pods"), run()));
    let made = many::create(world.kubeconfig(), runs.collect());
    let took = began.elapsed().as_secs_f32();
    say(&format!(
        "{count} Pods by generateName created in {took:.0} s"
    ));
    let builds = ["k2j3h4g5", "z9y8x7w6"].map(|suffix| (path("pods"), build(suffix)));
    many::create(world.kubeconfig(), builds.into());
    // A Job by generateName, and the Pod that the Job controller makes for it.
    let mut template = run();
    template["spec"]["restartPolicy"] = json!("Never");
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "migrate-"},
        "spec": {"template": {"spec": template["spec"]}},
    });
    let jobs = many::create(
        world.kubeconfig(),
        vec![(path("jobs"), job.clone()), (path("jobs"), job)],
    );
    eventually("the Jobs have their Pods", soon, || {
        let pods = world
            .kubectl
            .json(&format!("get pods -n {NAMESPACE} -l job-name"));
        match pods["items"].as_array().map_or(0, Vec::len) {
            2 => Ok(()),
            count => Err(format!("{count} Pods")),
        }
    });
    let row = |owner: &str, objects: u64| (owner.to_owned(), "open".to_owned(), objects);
    let expected = [
        // Two Jobs and their Pods, with a finding of the same fingerprint.
        row("Job/migrate-*", 4),
        row("Pod/build-*", count as u64),
        row("gitlab-runner/runner-abcdefghi-*", 2),
    ];
    eventually("each maker has one row", soon, || match rows(world) {
        rows if rows == expected => Ok(()),
        rows => Err(format!("{rows:?}")),
    });

    let ours = || -> Vec<String> {
        let versions = reports::versions(&world.kubectl).into_keys();
        versions.filter(|key| key.starts_with("runs/")).collect()
    };
    eventually(
        "each maker has one report in the cluster",
        soon,
        || match ours() {
            ours if ours.len() == expected.len() => Ok(()),
            ours => Err(format!("{ours:?}")),
        },
    );
    let list = world
        .kubectl
        .json(&format!("get reports.openreports.io -n {NAMESPACE}"));
    for report in list["items"].as_array().into_iter().flatten() {
        let owner = &report["metadata"]["ownerReferences"][0];
        assert_eq!(
            (&owner["kind"], &owner["name"]),
            (&json!("Namespace"), &json!(NAMESPACE))
        );
        let name = report["scope"]["name"].as_str().unwrap_or_default();
        assert!(name.ends_with("-*"), "{report:#}");
    }

    say_cost(world);

    // The runs end, as runs do. The next ones come, so nothing is over.
    let name = |object: &Value| {
        object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    for job in &jobs {
        let words = format!("delete job {} -n {NAMESPACE} --wait=false", name(job));
        world.kubectl.run(&words).assert_accepted();
    }
    let gone: Vec<String> = made.iter().take(50).map(name).collect();
    let words = format!(
        "delete pod {} -n {NAMESPACE} --grace-period=0 --force",
        gone.join(" ")
    );
    world.kubectl.run(&words).assert_accepted();
    // Of very many Pods, the API server deletes what it can within the time of a request.
    let words = format!("delete --raw {}", path("pods"));
    eventually("the Pods are gone", soon, || {
        world.kubectl.run(&words);
        let left = world
            .kubectl
            .run(&format!("get pods -n {NAMESPACE} -o name"))
            .out;
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{} left", left.lines().count()))
        }
    });
    scan_again(world);
    assert_eq!(rows(world), expected, "what is deleted comes back");
    assert_eq!(
        ours().len(),
        expected.len(),
        "the reports stay while it may"
    );
}

/// In the mode in which Events are written.
pub(crate) fn an_event_tells_of_a_series(world: &World) {
    const NEWS: &str = "series-news";
    world.kubectl.create_namespace(NEWS);
    let words = format!("label namespace {NEWS} undock.dev/mode=warn");
    world.kubectl.run(&words).assert_accepted();
    scan_again(world);
    for pod in [run(), build("k2j3h4g5")] {
        let words = format!("create -n {NEWS} -f -");
        world.kubectl.run_with(&words, &pod).assert_accepted();
    }
    let expected = ["Pod/build-*", "gitlab-runner/runner-abcdefghi-*"];
    eventually("Events tell of both", SOON, || {
        let events = world
            .kubectl
            .json(&format!("get events.events.k8s.io -n {NEWS}"));
        let events = events["items"].as_array().into_iter().flatten();
        let ours = events.filter(|event| event["reason"] == "DockerDependencyFound");
        let mut about: Vec<String> = ours
            .map(|event| {
                let part = |name: &str| event["regarding"][name].as_str().unwrap_or_default();
                format!("{}/{}", part("kind"), part("name"))
            })
            .collect();
        about.sort();
        if about == expected {
            Ok(())
        } else {
            Err(format!("{about:?}"))
        }
    });
}
