//! Series: what one maker makes again and again is one owner, one fingerprint and one row, wherever
//! it is met.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use undock::admission::review;
use undock::check::{Input, check};
use undock::decision::{Mode, Policy};
use undock::report::{Options, Reporter};

use crate::cpu_time::cpu_time_of;
use crate::support::fake_api::FakeApi;

/// Owner and fingerprint.
type Identity = (String, String);

const RUNNER: &str = "gitlab-runner/runner-abcdefghi-*";

/// A Pod with Docker's socket.
fn pod(metadata: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {
            "containers": [{"name": "build", "image": "registry.example/tool:1",
                "volumeMounts": [{"name": "s", "mountPath": "/s"}]}],
            "volumes": [{"name": "s", "hostPath": {"path": "/var/run/docker.sock"}}],
        },
    })
}

/// The same without the socket.
fn clean_pod(metadata: Value) -> Value {
    let mut pod = pod(metadata);
    pod["spec"]["volumes"] = json!([{"name": "s", "emptyDir": {}}]);
    pod
}

fn build(number: usize) -> Value {
    let name = format!(
        "runner-abcdefghi-project-7-concurrent-{}-x{number:07}",
        number % 10
    );
    json!({"name": name, "namespace": "ci"})
}

fn controlled(name: &str, kind: &str, controller: &str, labels: Value) -> Value {
    json!({
        "name": name, "namespace": "ci", "labels": labels,
        "ownerReferences": [{"apiVersion": "x.example/v1", "kind": kind, "name": controller,
            "uid": "3f0c9a2e-0000-4000-8000-000000000001", "controller": true}],
    })
}

fn policy() -> Policy {
    Policy {
        mode: Mode::Warn,
        ..Policy::default()
    }
}

/// The answer to the review of `object` by `user`, and its record.
fn reviewed(object: &Value, user: &str, uid: &str) -> (Value, Value) {
    let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    let body = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": uid, "resource": {"group": "", "version": "v1", "resource": plural},
            "operation": "CREATE", "namespace": "ci", "userInfo": {"username": user},
            "object": object},
    });
    let reviewed = review(body.to_string().as_bytes(), &policy()).unwrap();
    let answer: Value = serde_json::from_slice(&reviewed.response).unwrap();
    (
        answer["response"]["auditAnnotations"].clone(),
        serde_json::to_value(&reviewed.record).unwrap(),
    )
}

/// An audit event of the creation of `object` by `user`, with the annotations of its review.
fn created(object: &Value, user: &str, time: &str) -> Value {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    // Annotations hold 64 characters of it.
    let uid = format!("{time}{}", &name[name.len().saturating_sub(20)..]);
    let (annotations, _) = reviewed(object, user, &uid);
    let annotations = annotations.as_object().unwrap().iter();
    let annotations: serde_json::Map<String, Value> = annotations
        .map(|(key, value)| (format!("pods.undock.dev/{key}"), value.clone()))
        .collect();
    event("create", name, user, time, Value::Object(annotations))
}

fn event(verb: &str, name: &str, user: &str, time: &str, annotations: Value) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
        "auditID": format!("{verb}-{time}-{name}"), "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/ci/pods", "verb": verb, "user": {"username": user},
        "objectRef": {"resource": "pods", "namespace": "ci", "name": name, "apiVersion": "v1"},
        "responseStatus": {"code": 201}, "stageTimestamp": format!("{time}Z"),
        "annotations": annotations,
    })
}

fn deleted(object: &Value, user: &str, time: &str) -> Value {
    let name = object["metadata"]["name"].as_str().unwrap();
    let mut event = event("delete", name, user, time, json!({}));
    event["responseStatus"]["code"] = json!(200);
    event
}

fn report(lines: &[Value]) -> Value {
    let mut text = String::new();
    lines
        .iter()
        .for_each(|line| text.push_str(&format!("{line}\n")));
    let mut reporter = Reporter::new(Options::default());
    reporter.read("log", text.as_bytes());
    serde_json::to_value(reporter.finish()).unwrap()
}

fn findings(report: &Value) -> &[Value] {
    report["findings"].as_array().unwrap()
}

fn owner_of(finding: &Value) -> String {
    let owner = &finding["owner"];
    format!(
        "{}/{}",
        owner["kind"].as_str().unwrap(),
        owner["name"].as_str().unwrap()
    )
}

const GITLAB: &str = "system:serviceaccount:ci:gitlab-runner";

fn by_webhook(object: &Value) -> Identity {
    let (annotations, record) = reviewed(object, GITLAB, "u");
    let owner = annotations["owner"].as_str().unwrap();
    let path = owner.strip_suffix(" series").unwrap();
    let parts: Vec<&str> = path.splitn(4, '/').collect();
    let owner = format!("{}/{}", parts[1], parts[3]);
    let told = annotations["findings"].as_str().unwrap();
    let fingerprint = told.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(record["findings"][0]["fingerprint"], *fingerprint);
    assert_eq!(record["owner.source"], "series");
    let recorded =
        [&record["owner.kind"], &record["owner.name"]].map(|part| part.as_str().unwrap());
    assert_eq!(recorded.join("/"), owner);
    (owner, fingerprint)
}

fn by_check(object: &Value) -> Identity {
    let checked = check(
        &[Input::new("pod.json", object.to_string())],
        "ci",
        &policy(),
    );
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let found = &checked.objects[0];
    let fingerprint = found.findings[0].judged.fingerprint.clone();
    (
        format!("{}/{}", found.owner_kind, found.owner_name),
        fingerprint,
    )
}

fn scanned(pods: Vec<Value>) -> undock::scan::Scanned {
    let namespace = json!({"metadata": {"name": "ci", "uid": "uid-of-ci"}});
    let api = FakeApi::new()
        .with("/api/v1/namespaces", vec![namespace])
        .with("/api/v1/pods", pods);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let scan = async {
        let (client, policy) = (api.client(), policy());
        undock::scan::scan(&client, &Default::default(), &policy, &mut |_| ()).await
    };
    let scanned = runtime
        .enable_all()
        .build()
        .unwrap()
        .block_on(scan)
        .unwrap();
    assert!(scanned.errors.is_empty(), "{:?}", scanned.errors);
    scanned
}

fn by_scan(object: &Value) -> Identity {
    let mut object = object.clone();
    object["metadata"]["namespace"] = json!("ci");
    let scanned = scanned(vec![object]);
    let owner = &scanned.owners[0];
    let fingerprint = owner.findings[0].judged.fingerprint.clone();
    assert!(
        owner.is_series && owner.uid.starts_with("series-"),
        "{owner:?}"
    );
    (format!("{}/{}", owner.kind, owner.name), fingerprint)
}

fn by_report(object: &Value) -> Identity {
    let report = report(&[created(object, GITLAB, "2026-11-01T08:00:00")]);
    let finding = &findings(&report)[0];
    (
        owner_of(finding),
        finding["fingerprint"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn webhook_check_scan_and_report_say_the_same() {
    let tekton = json!({"tekton.dev/task": "image", "tekton.dev/pipelineRun": "a-x7k2p"});
    let dag = json!({"dag_id": "etl", "task_id": "image", "kubernetes_pod_operator": "True"});
    let prefect = |run: &str| json!({"prefect.io/flow-run-id": "0190046e", "prefect.io/flow-run-name": run, "prefect.io/deployment-name": "nightly"});
    let nextflow = |task: &str| json!({"nextflow.io/app": "nextflow", "nextflow.io/processName": "ALIGN", "nextflow.io/taskName": task});
    let flyte = |run: &str| json!({"execution-id": run, "node-id": "n0", "task-name": "wf-train", "workflow-name": "wf"});
    for (objects, expected) in [
        ([build(1), build(22)], RUNNER),
        (
            [
                json!({"name": "pipeline-12-h8x2k-q9fk1-x7b1t", "labels": {"jenkins": "agent"}}),
                json!({"name": "pipeline-13-a1b2c-d3e4f-g5h6i", "labels": {"jenkins": "agent"}}),
            ],
            "jenkins/pipeline-*",
        ),
        (
            [
                controlled("images-x7k2p-111", "Workflow", "images-x7k2p", json!({})),
                controlled("images-q4m9d-222", "Workflow", "images-q4m9d", json!({})),
            ],
            "Workflow/images-*",
        ),
        (
            [
                controlled(
                    "a-x7k2p-image-pod",
                    "TaskRun",
                    "a-x7k2p-image",
                    tekton.clone(),
                ),
                controlled("b-9bvxz-image-pod", "TaskRun", "b-9bvxz-image", tekton),
            ],
            "Task/image",
        ),
        (
            [
                controlled("pool-8x7wd-aaaaa", "Runner", "pool-8x7wd-aaaaa", json!({})),
                controlled("pool-8x7wd-bbbbb", "Runner", "pool-8x7wd-bbbbb", json!({})),
            ],
            "RunnerDeployment/pool",
        ),
        (
            [
                json!({"name": "etl-image-a1b2c3d4", "labels": dag}),
                json!({"name": "etl-image-z9y8x7w6", "labels": dag}),
            ],
            "airflow/etl.image",
        ),
        (
            [
                json!({"name": "build-x7k2p", "generateName": "build-"}),
                json!({"name": "build-9bvxz", "generateName": "build-"}),
            ],
            "Pod/build-*",
        ),
        (
            [
                json!({"name": "hasty-cougar-x7k2p", "labels": prefect("hasty-cougar")}),
                json!({"name": "calm-newt-9bvxz", "labels": prefect("calm-newt")}),
            ],
            "prefect/nightly",
        ),
        (
            [
                json!({"name": "nf-0c1b2a39485766758493a2b1c0d9e8f7", "labels": nextflow("a_1")}),
                json!({"name": "nf-1c1b2a39485766758493a2b1c0d9e8f7-781ab", "labels": nextflow("a_2")}),
            ],
            "nextflow/ALIGN",
        ),
        (
            [
                controlled(
                    "a10fsh4jwllvoopl3jqf-n0-0",
                    "flyteworkflow",
                    "a10fsh4jwllvoopl3jqf",
                    flyte("a10fsh4jwllvoopl3jqf"),
                ),
                controlled(
                    "f2418a596e73302e955d-n0-0",
                    "flyteworkflow",
                    "f2418a596e73302e955d",
                    flyte("f2418a596e73302e955d"),
                ),
            ],
            "flyte/wf-train",
        ),
        (
            [
                json!({"name": "jupyter-ada", "labels": {"app": "jupyterhub", "component": "singleuser-server", "release": "hub"}}),
                json!({"name": "jupyter-bob", "labels": {"app": "jupyterhub", "component": "singleuser-server", "release": "hub"}}),
            ],
            "jupyterhub/hub",
        ),
    ] {
        let identities: BTreeSet<Identity> = objects
            .into_iter()
            .map(pod)
            .flat_map(|pod| {
                [
                    by_webhook(&pod),
                    by_check(&pod),
                    by_scan(&pod),
                    by_report(&pod),
                ]
            })
            .collect();
        assert_eq!(identities.len(), 1, "{identities:?}");
        assert_eq!(identities.first().unwrap().0, expected);
    }
}

#[test]
fn a_manifest_with_generate_name_is_the_series_that_it_makes() {
    let manifest = pod(json!({"generateName": "build-"}));
    let made = pod(json!({"name": "build-x7k2p", "generateName": "build-"}));
    assert_eq!(by_check(&manifest), by_check(&made));
    // As the webhook of an older API server sees it.
    assert_eq!(by_webhook(&manifest), by_webhook(&made));
}

/// Builds of one runner, each created and deleted, so many a day.
fn builds(count: usize, of: fn(Value) -> Value) -> Vec<Value> {
    let mut lines = Vec::with_capacity(2 * count);
    for number in 0..count {
        let pod = of(build(number));
        let day = 1 + number * 9 / count;
        let clock = |minute| format!("2026-11-{day:02}T08:{minute:02}:{:02}", number % 60);
        lines.push(created(&pod, GITLAB, &clock(0)));
        lines.push(deleted(&pod, GITLAB, &clock(5)));
    }
    lines
}

#[test]
fn the_runs_of_one_runner_are_one_row_that_stays_open() {
    let report = report(&builds(200, pod));
    let [finding] = findings(&report) else {
        panic!("{report:#}");
    };
    assert_eq!(owner_of(finding), RUNNER);
    assert_eq!(
        (
            &finding["status"],
            &finding["objects"],
            &finding["observations"]
        ),
        (&json!("open"), &json!(200), &json!(200))
    );
    assert!(
        finding["lastSeen"]
            .as_str()
            .unwrap()
            .starts_with("2026-11-09T08:00:")
    );
    assert!(
        finding["edit"].as_str().unwrap().contains("config.toml"),
        "{finding}"
    );
    let summary = &report["summary"];
    assert_eq!(
        (&summary["owners"], &summary["open"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&summary["removed"], &summary["fixed"]),
        (&json!(0), &json!(0))
    );
    let namespace = &report["namespaces"][0];
    assert_eq!(
        (&namespace["verdict"], &namespace["owners"]),
        (&json!("BLOCKED"), &json!(1))
    );
    let days = report["burnDown"]["days"].as_array().unwrap();
    assert!(days.iter().all(|day| day["open"] == 1), "{days:?}");
}

/// The CPU time to make the report of `count` runs; that of the better of two.
fn time_of(count: usize) -> Duration {
    // What is reviewed again and again has the same answer but for its name.
    let of = |number| build(number)["name"].as_str().unwrap().to_owned();
    let (time, first) = ("2026-11-01T08:00:00", of(0));
    let line = created(&pod(build(0)), GITLAB, time).to_string();
    let end = |name: &str| name[name.len() - 20..].to_owned();
    let mut text = String::new();
    for number in 0..count {
        let name = of(number);
        let line = line
            .replace(&first, &name)
            .replace(&end(&first), &end(&name));
        let (hour, minute, second) = (number / 3600, number / 60 % 60, number % 60);
        let moment = format!("2026-11-01T{hour:02}:{minute:02}:{second:02}");
        text.push_str(&format!("{}\n", line.replace(time, &moment)));
    }
    let once = || {
        let mut reporter = Reporter::new(Options::default());
        reporter.read("log", text.as_bytes());
        let report = reporter.finish();
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].objects, count as u64);
    };
    (0..2).map(|_| cpu_time_of(once).1).min().unwrap()
}

#[test]
fn twenty_thousand_runs_are_one_row_in_linear_time() {
    let (few, many) = (time_of(2_500), time_of(20_000));
    // Eight times as many; twice that for what else the machine does.
    assert!(
        many < few * 16,
        "{few:?} for 2,500 runs, {many:?} for 20,000"
    );
}

#[test]
fn the_projects_of_a_runner_share_its_row_which_names_them() {
    let of = |project: usize| {
        let name = format!("runner-abcdefghi-project-{project}-concurrent-0-x{project:07}");
        let clock = format!("2026-11-01T08:{project:02}:00");
        created(
            &pod(json!({"name": name, "namespace": "ci"})),
            GITLAB,
            &clock,
        )
    };
    for (projects, expected) in [
        (1..2, ".gitlab-ci.yml of project 1"),
        (1..4, ".gitlab-ci.yml of projects 1, 2, 3"),
        (1..9, ".gitlab-ci.yml of projects 1, 2, 3, 4, 5 and 3 more"),
    ] {
        let lines: Vec<Value> = projects.map(of).collect();
        let report = report(&lines);
        let [finding] = findings(&report) else {
            panic!("{report:#}");
        };
        assert_eq!(owner_of(finding), RUNNER);
        assert_eq!(finding["objects"], lines.len());
        let edit = finding["edit"].as_str().unwrap();
        assert!(edit.ends_with(expected), "{edit}");
    }
    // Another runner is another row, whatever it works for.
    let other = of(1).to_string().replace("abcdefghi", "zzzzzzzzz");
    let lines = [of(1), serde_json::from_str(&other).unwrap()];
    assert_eq!(report(&lines)["summary"]["owners"], 2);
}

#[test]
fn a_clean_build_fixes_the_series_when_the_finding_stays_away() {
    let mut lines = builds(18, pod);
    let clean = |name: usize, time: &str| created(&clean_pod(build(name)), GITLAB, time);
    // The other job of the same pipeline, minutes later.
    lines.push(clean(91, "2026-11-09T08:10:00"));
    let status = |lines: &[Value]| {
        let report = report(lines);
        let finding = &findings(&report)[0];
        assert_eq!(findings(&report).len(), 1, "{report:#}");
        let texts = ["status", "endedAt"].map(|key| finding[key].as_str().unwrap().to_owned());
        texts.join(" ")
    };
    assert_eq!(status(&lines), "open ");
    lines.push(clean(92, "2026-11-10T09:00:00"));
    assert_eq!(status(&lines), "fixed 2026-11-10T09:00:00Z");
    lines.push(created(&pod(build(93)), GITLAB, "2026-11-12T09:00:00"));
    assert_eq!(status(&lines), "open ");
    // It stayed away for longer than that once.
    lines.push(clean(94, "2026-11-14T09:00:00"));
    assert_eq!(status(&lines), "open ");
    lines.push(clean(95, "2026-11-16T09:00:00"));
    assert_eq!(status(&lines), "fixed 2026-11-16T09:00:00Z");
}

#[test]
fn a_clean_build_of_another_project_fixes_nothing() {
    let of = |project: usize, number: usize| {
        let name = format!("runner-abcdefghi-project-{project}-concurrent-0-x{number:07}");
        json!({"name": name, "namespace": "ci"})
    };
    let status = |lines: &[Value]| findings(&report(lines))[0]["status"].clone();
    let clean = |project, number, time| created(&clean_pod(of(project, number)), GITLAB, time);
    let mut lines = vec![created(&pod(of(7, 1)), GITLAB, "2026-11-01T08:00:00")];
    lines.push(clean(12, 2, "2026-11-03T08:00:00"));
    assert_eq!(status(&lines), "open");
    lines.push(clean(7, 3, "2026-11-04T08:00:00"));
    assert_eq!(status(&lines), "fixed");
}

#[test]
fn a_scan_between_two_runs_ends_nothing() {
    let mut bytes = Vec::new();
    let scope = undock::scan::Scope::default();
    let about = undock::output::scan_json::About {
        cluster: "",
        time: "2026-11-10T08:00:00Z".to_owned(),
        scope: &scope,
    };
    undock::output::scan_json::write(&mut bytes, &scanned(Vec::new()), &policy(), &about).unwrap();
    let empty: Value = serde_json::from_slice(&bytes).unwrap();
    let mut lines = builds(18, pod);
    lines.push(empty);
    let report = report(&lines);
    assert_eq!(findings(&report)[0]["status"], "open", "{report:#}");
}

#[test]
fn a_scan_lists_a_series_once_with_its_pods_and_what_to_edit() {
    let scanned = scanned((0..50).map(|number| pod(build(number))).collect());
    let [owner] = scanned.owners.as_slice() else {
        panic!("{:?}", scanned.owners);
    };
    assert_eq!((owner.pods, owner.findings.len()), (50, 1));
    assert!(owner.edit().contains("config.toml"));
    let mut table = Vec::new();
    undock::output::scan_table::write(&mut table, &scanned, &policy(), false).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(
        table.contains(&format!("ci {RUNNER}  (50 Pods)")),
        "{table}"
    );
    assert!(
        table.contains("edit config.toml of the GitLab Runner"),
        "{table}"
    );
}

#[test]
fn what_persons_named_stays_apart() {
    let web = |number: usize| pod(json!({"name": format!("web-{number}"), "namespace": "ci"}));
    // By different people, by one, and by a program.
    for user in ["ada", GITLAB] {
        let lines: Vec<Value> = (1..=12)
            .map(|number| created(&web(number), user, &format!("2026-11-01T08:{number:02}:00")))
            .collect();
        assert_eq!(findings(&report(&lines)).len(), 12, "{user}");
    }
    // Generated by the look of it, but each by another person, or by one at a keyboard.
    let tool = |number: usize| {
        pod(json!({"name": format!("tool-a{number}b{number}c9"), "namespace": "ci"}))
    };
    for name in [
        |_: usize| "ada".to_owned(),
        |number: usize| format!("person-{number}"),
    ] {
        let lines: Vec<Value> = (1..=12)
            .map(|number| {
                created(
                    &tool(number),
                    &name(number),
                    &format!("2026-11-01T08:{number:02}:00"),
                )
            })
            .collect();
        assert_eq!(findings(&report(&lines)).len(), 12);
    }
}

#[test]
fn generated_names_of_one_writer_with_the_same_findings_are_one_series() {
    const WRITER: &str = "system:serviceaccount:ci:woodpecker";
    let metadata = |number: usize| {
        let name = format!("wp-01he8bebctabr3kgk0qj36{number:04}");
        json!({"name": name, "namespace": "ci"})
    };
    let time = |number: usize| format!("2026-11-{:02}T08:00:00", 1 + number);
    let mut lines: Vec<Value> = (0..9)
        .map(|number| created(&pod(metadata(number)), WRITER, &time(number)))
        .collect();
    assert_eq!(findings(&report(&lines)).len(), 9, "too few to tell");
    lines.push(created(&pod(metadata(9)), WRITER, &time(9)));
    lines.push(deleted(&pod(metadata(9)), WRITER, "2026-11-10T08:05:00"));
    // Another writer, other findings: not of it.
    let other = "system:serviceaccount:ci:other";
    lines.push(created(&pod(metadata(50)), other, "2026-11-01T08:00:00"));
    let mut docker = pod(metadata(51));
    docker["spec"]["containers"][0]["image"] = json!("docker:24-cli");
    lines.push(created(&docker, WRITER, "2026-11-01T08:00:00"));
    let joined = report(&lines);
    let series: Vec<&Value> = findings(&joined)
        .iter()
        .filter(|finding| finding["owner"]["name"] == "wp-*")
        .collect();
    assert_eq!(series.len(), 1, "{joined:#}");
    assert_eq!(
        (&series[0]["status"], &series[0]["objects"]),
        (&json!("open"), &json!(10))
    );
    assert!(findings(&joined).len() >= 3, "{joined:#}");
    // Those that come without it belong to it, too.
    lines.push(created(
        &clean_pod(metadata(60)),
        WRITER,
        "2026-11-12T08:00:00",
    ));
    let fixed = report(&lines);
    let series = findings(&fixed)
        .iter()
        .find(|finding| finding["owner"]["name"] == "wp-*");
    assert_eq!(series.unwrap()["status"], "fixed", "{fixed:#}");
    // The order of the lines changes nothing.
    lines.reverse();
    assert_eq!(report(&lines), fixed);
}

#[test]
fn runs_whose_names_look_like_words_by_chance_are_of_the_series_too() {
    const WRITER: &str = "system:serviceaccount:ci:harness";
    let named = |name: &str| pod(json!({"name": name, "namespace": "ci"}));
    let mut lines: Vec<Value> = (0..12)
        .map(|number| {
            let name = format!("build-0d{number:02}jpyu");
            created(
                &named(&name),
                WRITER,
                &format!("2026-11-01T08:{number:02}:00"),
            )
        })
        .collect();
    for (name, writer) in [
        ("build-gvlgqmzu", WRITER),
        ("build-abcdef12", WRITER),
        // Another length, another prefix, another writer, or a person.
        ("build-frontend-x", WRITER),
        ("build-frontends", WRITER),
        ("tests-frontend", WRITER),
        ("build-backends", "system:serviceaccount:ci:other"),
        ("build-frontier", "ada"),
    ] {
        lines.push(created(&named(name), writer, "2026-11-01T09:00:00"));
    }
    let joined = report(&lines);
    let owners: BTreeSet<String> = findings(&joined).iter().map(owner_of).collect();
    let expected = [
        "Pod/build-*",
        "Pod/build-backends",
        "Pod/build-frontend-x",
        "Pod/build-frontends",
        "Pod/build-frontier",
        "Pod/tests-frontend",
    ];
    assert_eq!(owners, expected.map(String::from).into(), "{joined:#}");
    lines.reverse();
    assert_eq!(report(&lines), joined);
}

#[test]
fn a_missed_run_is_made_up_for_by_a_later_one() {
    let missed = |name: usize| {
        let pod = pod(build(name));
        let name = pod["metadata"]["name"].as_str().unwrap();
        event("create", name, GITLAB, "2026-11-09T12:00:00", json!({}))
    };
    let unresolved = |lines: &[Value]| report(lines)["namespaces"][0]["unreviewed"].clone();
    let mut lines = builds(18, pod);
    lines.push(missed(500));
    assert_eq!(unresolved(&lines), 1);
    lines.push(created(
        &clean_pod(build(501)),
        GITLAB,
        "2026-11-10T12:00:00",
    ));
    assert_eq!(unresolved(&lines), 0);
}
