//! The story of `examples/`: three weeks of a small cluster, played in two minutes against the real API server.
//!
//! The audit events, the records and the scan are what kube-apiserver and undock wrote. Only their moments are moved, to the day on which the
//! story has them, and what the story is not about (the control plane's own writes, statuses) is left out.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jiff::{Span, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::control_plane::{self, Assets};
use crate::process::{eventually, say};
use crate::scenarios_scan::undock;
use crate::world::World;

/// The folder that the example is written to, when this is set.
const FOLDER: &str = "UNDOCK_CLUSTER_EXAMPLE";

/// Days of the story. The last is the day on which it is played, so that exemptions end when the story says.
const DAYS: i64 = 20;

const ARGO: &str = "system:serviceaccount:argocd:argocd-application-controller";
const RUNNER: &str = "system:serviceaccount:ci:gitlab-runner";
const NAMESPACES: [&str; 4] = ["ci", "logging", "payments", "web"];

/// The folder, if an example was asked for.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// Something that happens at a moment of the story: its day, its time of day, and what is done.
type Step = (i64, &'static str, Box<dyn Fn(&World)>);

/// Plays the story and writes what came of it.
pub(crate) fn play(root: &Path, assets: &Assets, folder: &Path) {
    let world = World::start(assets, root);
    let steps = story();
    let mut moments = Vec::new();
    for (day, clock, act) in &steps {
        let began = Timestamp::now();
        act(&world);
        // Controllers have their say, and the next step has a millisecond of its own.
        thread::sleep(Duration::from_millis(1200));
        moments.push(Moved {
            began,
            shift: story_time(*day, clock)
                .since(began)
                .expect("two moments of this century"),
        });
        say(&format!("day {day} {clock}"));
    }
    let scan = undock(world.kubeconfig(), "scan -o json");
    fs::create_dir_all(folder).expect("the folder can be made");
    let write = |name: &str, text: String| {
        fs::write(folder.join(name), text).expect("the folder can be written")
    };
    write("audit.log", audit_log(root, &moments));
    write("records.log", records(root, &moments));
    let time = scan.json()["time"]
        .as_str()
        .expect("a scan has a time")
        .to_owned();
    write(
        "scan.json",
        scan.out
            .replace(&time, &story_time(DAYS, "07:00:00").to_string()),
    );
    say(&format!("written to {}", folder.display()));
}

/// Everything from a moment on, until the next step, is moved by so much.
struct Moved {
    began: Timestamp,
    shift: Span,
}

fn story_time(day: i64, clock: &str) -> Timestamp {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = today
        .checked_sub((DAYS - day).days())
        .expect("a day of this century");
    format!("{day}T{clock}Z").parse().expect("a moment")
}

/// `time` where the story has it; empty for what was before the story.
fn moved(moments: &[Moved], time: &str) -> String {
    let time: Timestamp = time.parse().expect("the inputs have RFC 3339");
    let step = moments.iter().rev().find(|step| step.began <= time);
    step.map_or_else(String::new, |step| {
        format!(
            "{:.6}",
            time.checked_add(step.shift)
                .expect("a moment of this century")
        )
    })
}

fn records(root: &Path, moments: &[Moved]) -> String {
    let pods = fs::read_dir(root.join("pods"))
        .expect("the Pods have folders")
        .map(|entry| entry.expect("a folder").path().join("stdout"));
    let texts: Vec<String> = pods
        .map(|file| fs::read_to_string(file).unwrap_or_default())
        .collect();
    let mut lines: Vec<(String, String)> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            let record: Value = serde_json::from_str(line).ok()?;
            let is_ours = NAMESPACES
                .iter()
                .any(|name| record["k8s.namespace.name"] == *name)
                && record["review.dry_run"] == false;
            let time = record["@timestamp"].as_str()?;
            let now = moved(moments, time);
            (is_ours && !now.is_empty()).then(|| (now.clone(), line.replace(time, &now)))
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

fn audit_log(root: &Path, moments: &[Moved]) -> String {
    let text =
        fs::read_to_string(control_plane::audit_log(root)).expect("the API server has written it");
    let mut lines: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            let object = &event["objectRef"];
            let resource = object["resource"].as_str()?;
            let place = if resource == "namespaces" {
                &object["name"]
            } else {
                &object["namespace"]
            };
            let is_told = matches!(
                resource,
                "namespaces" | "pods" | "deployments" | "daemonsets" | "replicasets" | "cronjobs"
            );
            let is_ours = NAMESPACES.iter().any(|name| place == name)
                && is_told
                && object["subresource"].is_null();
            let (received, answered) = (
                event["requestReceivedTimestamp"].as_str()?,
                event["stageTimestamp"].as_str()?,
            );
            let (first, last) = (moved(moments, received), moved(moments, answered));
            (is_ours && !first.is_empty()).then(|| {
                (
                    last.clone(),
                    line.replace(received, &first).replace(answered, &last),
                )
            })
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

fn story() -> Vec<Step> {
    let mut steps: Vec<Step> = vec![
        (
            0,
            "08:00:00",
            Box::new(|world| {
                NAMESPACES
                    .iter()
                    .for_each(|name| world.kubectl.create_namespace(name))
            }),
        ),
        (
            0,
            "09:10:00",
            Box::new(|world| {
                create(
                    world,
                    ARGO,
                    "ci",
                    &labelled(
                        deployment("runner", "gitlab/gitlab-runner:v16.1.0", SOCKET),
                        "build",
                        "gitlab-runner",
                    ),
                );
                create(
                    world,
                    ARGO,
                    "ci",
                    &labelled(
                        deployment("image-builder", "docker:24-cli", SOCKET),
                        "build",
                        "",
                    ),
                );
                create(world, ARGO, "ci", &labelled(prune(), "build", ""));
            }),
        ),
        (
            0,
            "09:25:00",
            Box::new(|world| {
                let logs = "/var/lib/docker/containers";
                create(
                    world,
                    ARGO,
                    "logging",
                    &labelled(
                        daemon_set("fluentd", "fluent/fluentd:v1.16-1", logs),
                        "observability",
                        "fluentd",
                    ),
                );
                create(
                    world,
                    ARGO,
                    "web",
                    &labelled(
                        deployment("shop", "registry.example/shop:4", ""),
                        "storefront",
                        "shop",
                    ),
                );
                create(
                    world,
                    "alice@example.com",
                    "web",
                    &labelled(
                        deployment("top", "registry.example/container-top:2", SOCKET),
                        "storefront",
                        "",
                    ),
                );
                create(
                    world,
                    ARGO,
                    "payments",
                    &labelled(
                        deployment("ledger", "registry.example/ledger:9", ""),
                        "payments",
                        "ledger",
                    ),
                );
                create(
                    world,
                    ARGO,
                    "payments",
                    &labelled(month_end(), "payments", "ledger"),
                );
            }),
        ),
        (
            4,
            "14:02:00",
            Box::new(|world| {
                let fixed = labelled(
                    daemon_set("fluentd", "fluent/fluentd:v1.16-1", "/var/log/pods"),
                    "observability",
                    "fluentd",
                );
                replace(world, "bob@example.com", "logging", &fixed);
            }),
        ),
        (
            8,
            "10:41:00",
            Box::new(|world| {
                run(
                    world,
                    "lead@example.com",
                    "label namespace ci undock.dev/workload-exemptions=allow",
                );
                let mut runner = labelled(
                    deployment("runner", "gitlab/gitlab-runner:v16.1.0", SOCKET),
                    "build",
                    "gitlab-runner",
                );
                runner["metadata"]["annotations"]["exempt.undock.dev/DKR101"] = json!(terms(
                    DAYS + 11,
                    "builds move to BuildKit in the first week",
                    "PLAT-412"
                ));
                replace(world, ARGO, "ci", &runner);
                annotate(
                    world,
                    "web",
                    "DKR301",
                    &terms(DAYS + 60, "kubelet flags of the old image", "PLAT-377"),
                );
                annotate(
                    world,
                    "logging",
                    "DKR501",
                    &terms(DAYS - 5, "until the new fluentd is out", "PLAT-390"),
                );
            }),
        ),
        (
            11,
            "16:20:00",
            Box::new(|world| {
                let fixed = labelled(
                    deployment("image-builder", "moby/buildkit:v0.23.0-rootless", ""),
                    "build",
                    "",
                );
                replace(world, "carol@example.com", "ci", &fixed);
            }),
        ),
        (
            13,
            "11:05:00",
            Box::new(|world| {
                run(
                    world,
                    "alice@example.com",
                    "delete deployment top -n web --wait=false",
                )
            }),
        ),
        (
            15,
            "02:30:00",
            Box::new(|world| {
                world.kubelet.crash_all();
                create(
                    world,
                    "dave@example.com",
                    "payments",
                    &labelled(
                        deployment("report-export", "registry.example/export:1", ""),
                        "payments",
                        "",
                    ),
                );
                world.kubelet.restart_all();
                eventually("undock is asked again", Duration::from_secs(30), || {
                    let answer = world.kubectl.run_with(
                        "create -n default --dry-run=server -f -",
                        &crate::objects::pod_on_docker_socket("back"),
                    );
                    if answer.warnings().is_empty() {
                        Err("no warning".to_owned())
                    } else {
                        Ok(())
                    }
                });
            }),
        ),
        (
            16,
            "09:00:00",
            Box::new(|world| {
                run(
                    world,
                    "lead@example.com",
                    "label namespace web undock.dev/mode=enforce",
                )
            }),
        ),
        (
            18,
            "13:37:00",
            Box::new(|world| {
                let pod = pod("debug", "docker:24-cli", SOCKET);
                world
                    .kubectl
                    .run_with(&as_user("erin@example.com", "create -n web -f -"), &pod)
                    .assert_refused();
            }),
        ),
    ];
    // The builds of a pipeline come and go.
    for day in (1..DAYS).step_by(2) {
        steps.push((
            day,
            "22:15:00",
            Box::new(move |world| {
                let build = labelled(
                    pod(
                        &format!("build-{}", 4100 + day * 7),
                        "docker:24-cli",
                        SOCKET,
                    ),
                    "build",
                    "",
                );
                create(world, RUNNER, "ci", &build);
                run(
                    world,
                    RUNNER,
                    &format!(
                        "delete pod build-{} -n ci --force --grace-period=0",
                        4100 + day * 7
                    ),
                );
            }),
        ));
    }
    steps.sort_by_key(|(day, clock, _)| (*day, *clock));
    steps
}

const SOCKET: &str = "/var/run/docker.sock";

fn terms(last_day: i64, reason: &str, reference: &str) -> String {
    let until = story_time(last_day, "00:00:00")
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    format!("until={until}; reason={reason}; ref={reference}")
}

fn as_user(user: &str, words: &str) -> String {
    format!("{words} --as={user} --as-group=system:masters")
}

fn run(world: &World, user: &str, words: &str) {
    world.kubectl.run(&as_user(user, words)).assert_accepted();
}

fn annotate(world: &World, namespace: &str, rule: &str, terms: &str) {
    let patch = json!({"metadata": {"annotations": {format!("exempt.undock.dev/{rule}"): terms}}});
    world
        .kubectl
        .patch(
            &as_user("lead@example.com", &format!("patch namespace {namespace}")),
            &patch,
        )
        .assert_accepted();
}

fn create(world: &World, user: &str, namespace: &str, object: &Value) {
    world
        .kubectl
        .run_with(
            &as_user(user, &format!("create -n {namespace} -f -")),
            object,
        )
        .assert_accepted();
}

fn replace(world: &World, user: &str, namespace: &str, object: &Value) {
    world
        .kubectl
        .run_with(
            &as_user(user, &format!("replace -n {namespace} -f -")),
            object,
        )
        .assert_accepted();
}

/// `object` with the labels and annotations that tell whose it is.
fn labelled(mut object: Value, team: &str, release: &str) -> Value {
    object["metadata"]["labels"] = json!({"team": team});
    if !release.is_empty() {
        object["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("Helm");
        object["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": release});
    }
    object
}

/// A Pod's spec with `path` of the host mounted, unless that is empty.
fn spec(image: &str, path: &str) -> Value {
    let mut container = json!({"name": "main", "image": image});
    if path.is_empty() {
        return json!({"containers": [container]});
    }
    container["volumeMounts"] = json!([{"name": "host", "mountPath": path}]);
    json!({"containers": [container], "volumes": [{"name": "host", "hostPath": {"path": path}}]})
}

fn pod(name: &str, image: &str, path: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec(image, path)})
}

fn selected(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}, "spec": spec}}})
}

fn deployment(name: &str, image: &str, path: &str) -> Value {
    selected("Deployment", name, &spec(image, path))
}

fn daemon_set(name: &str, image: &str, path: &str) -> Value {
    selected("DaemonSet", name, &spec(image, path))
}

fn cron_job(name: &str, schedule: &str, mut spec: Value) -> Value {
    spec["restartPolicy"] = json!("Never");
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": spec}}}}})
}

fn prune() -> Value {
    let mut spec = spec("docker:24-cli", SOCKET);
    spec["containers"][0]["command"] = json!(["sh", "-c", "docker system prune --force"]);
    cron_job("prune", "30 4 * * *", spec)
}

fn month_end() -> Value {
    cron_job(
        "month-end",
        "0 3 1 * *",
        spec("registry.example/ledger:9", ""),
    )
}
