//! `undock::scan` against an API server of the test's own: pages, expired tokens, forbidden parts, owners once, volumes behind claims.

mod injected;
mod outputs;

use crate::support::fake_api::{FakeApi, GROUPS, object};
use serde_json::{Value, json};
use undock::api::ApiError;
use undock::config::Config;
use undock::decision::{Mode, Outcome, Policy};
use undock::kinds::KINDS;
use undock::scan::{ExemptionStatus, Scanned, Scope, scan};

fn policy() -> Policy {
    Config::default().policy(Some(Mode::Enforce))
}

fn run(api: &FakeApi) -> Scanned {
    run_in(api, &Scope::default())
}

fn run_in(api: &FakeApi, scope: &Scope) -> Scanned {
    try_run(api, scope).expect("the API server answers")
}

fn try_run(api: &FakeApi, scope: &Scope) -> Result<Scanned, ApiError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { scan(&api.client(), scope, &policy(), &mut |_| ()).await })
}

fn socket_spec() -> Value {
    json!({"volumes": [{"name": "sock", "hostPath": {"path": "/var/run/docker.sock"}}],
           "containers": [{"name": "app", "image": "registry.example/app:1", "volumeMounts": [{"name": "sock", "mountPath": "/sock"}]}]})
}

fn clean_spec() -> Value {
    json!({"containers": [{"name": "app", "image": "registry.example/app:1"}]})
}

fn pod(namespace: &str, name: &str, spec: Value) -> Value {
    object(namespace, name, json!({"spec": spec}))
}

fn controlled(mut object: Value, kind: &str, name: &str) -> Value {
    object["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": true}]);
    object
}

fn template(namespace: &str, name: &str, spec: Value) -> Value {
    object(
        namespace,
        name,
        json!({"spec": {"template": {"spec": spec}}}),
    )
}

fn titles(scanned: &Scanned) -> Vec<String> {
    scanned
        .owners
        .iter()
        .map(|owner| format!("{} {}", owner.title(), owner.codes().join(",")))
        .collect()
}

fn node(name: &str, runtime: &str) -> Value {
    object(
        "",
        name,
        json!({"status": {"nodeInfo": {"containerRuntimeVersion": runtime, "kubeletVersion": "v1.34.1"}}}),
    )
}

#[test]
fn lists_are_read_in_pages_of_500() {
    let pods: Vec<_> = (0..1234)
        .map(|n| pod("ci", &format!("p{n:04}"), socket_spec()))
        .collect();
    let api = FakeApi::new().with("/api/v1/pods", pods);
    let scanned = run(&api);
    assert_eq!(
        (
            scanned.pods,
            scanned.owners.len(),
            scanned.count(Outcome::Deny)
        ),
        (1234, 1234, 1234)
    );
    let pages: Vec<_> = api
        .requests()
        .into_iter()
        .filter(|uri| uri.starts_with("/api/v1/pods?"))
        .collect();
    assert_eq!(pages.len(), 3, "{pages:?}");
    assert!(
        pages.iter().all(|uri| uri.contains("limit=500")),
        "{pages:?}"
    );
    assert!(
        scanned.errors.is_empty() && scanned.parts.iter().all(|part| part.complete),
        "{:?}",
        scanned.errors
    );
}

#[test]
fn an_expired_token_begins_the_list_again() {
    let pods: Vec<_> = (0..1200)
        .map(|n| {
            controlled(
                pod("ci", &format!("p{n:04}"), socket_spec()),
                "DaemonSet",
                "agent",
            )
        })
        .collect();
    let sets = vec![template("ci", "agent", socket_spec())];
    let api = FakeApi::new()
        .with("/apis/apps/v1/daemonsets", sets)
        .with("/api/v1/pods", pods)
        .expiring("/api/v1/pods", 1);
    let scanned = run(&api);
    assert_eq!(scanned.errors, []);
    // Nothing is counted twice.
    assert_eq!(
        (scanned.pods, scanned.owners.len(), scanned.owners[0].pods),
        (1200, 1, 1200)
    );
    assert_eq!(scanned.owners[0].findings.len(), 1);
}

#[test]
fn a_list_that_always_expires_goes_on_with_newer_objects() {
    let pods: Vec<_> = (0..1200)
        .map(|n| pod("ci", &format!("p{n:04}"), clean_spec()))
        .collect();
    let scanned = run(&FakeApi::new()
        .with("/api/v1/pods", pods)
        .expiring("/api/v1/pods", 99));
    assert_eq!((scanned.pods, scanned.errors.len()), (1200, 0));
}

#[test]
fn forbidden_parts_are_listed_and_the_scan_goes_on() {
    let api = FakeApi::new().with("/api/v1/pods", vec![pod("ci", "builder", socket_spec())]);
    let api = api
        .failing("/api/v1/nodes", 403)
        .failing("/api/v1/persistentvolumes", 403);
    let scanned = run(&api);
    let errors: Vec<_> = scanned
        .errors
        .iter()
        .map(|error| (error.part.as_str(), error.reason))
        .collect();
    assert_eq!(
        errors,
        [("persistentvolumes", "forbidden"), ("nodes", "forbidden")]
    );
    assert_eq!(titles(&scanned), ["ci Pod/builder DKR101"]);
    let incomplete: Vec<_> = scanned
        .parts
        .iter()
        .filter(|part| !part.complete)
        .map(|part| part.part.as_str())
        .collect();
    assert_eq!(incomplete, ["persistentvolumes", "nodes"]);
}

#[test]
fn what_fails_once_is_asked_again() {
    let api = FakeApi::new()
        .with("/api/v1/pods", vec![pod("ci", "builder", socket_spec())])
        .failing_once("/api/v1/pods", 503);
    assert_eq!(run(&api).errors, []);
    let scanned = run(&FakeApi::new().failing("/api/v1/pods", 500));
    assert_eq!(
        (scanned.errors.len(), scanned.errors[0].reason),
        (1, "refused")
    );
}

#[test]
fn the_clock_is_that_of_the_api_server() {
    let time = |api: &FakeApi| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(async { undock::scan::server_time(&api.client()).await })
            .map(|time| time.to_string())
    };
    assert_eq!(
        time(&FakeApi::new().dated("Sun, 22 Nov 2026 08:49:37 GMT")).as_deref(),
        Some("2026-11-22T08:49:37Z")
    );
    assert_eq!(
        (time(&FakeApi::new()), time(&FakeApi::new().dated("noon"))),
        (None, None)
    );
}

#[test]
fn without_credentials_nothing_is_scanned() {
    let error = try_run(&FakeApi::new().failing("/apis", 401), &Scope::default()).unwrap_err();
    assert!(matches!(error, ApiError::Unauthorized(_)), "{error:?}");
}

#[test]
fn an_owner_is_told_once_whatever_was_made_from_it() {
    let mut replicas = controlled(
        template("ci", "web-abc", socket_spec()),
        "Deployment",
        "web",
    );
    replicas["metadata"]["labels"] = json!({"pod-template-hash": "abc"});
    let pods = (0..3).map(|n| {
        let mut pod = controlled(
            pod("ci", &format!("web-abc-{n}"), socket_spec()),
            "ReplicaSet",
            "web-abc",
        );
        pod["metadata"]["labels"] = json!({"pod-template-hash": "abc"});
        pod
    });
    let job = controlled(
        template("ci", "prune-28400000", socket_spec()),
        "CronJob",
        "prune",
    );
    let run_of_job = controlled(
        pod("ci", "prune-28400000-x", socket_spec()),
        "Job",
        "prune-28400000",
    );
    let cron = object(
        "ci",
        "prune",
        json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": socket_spec()}}}}}),
    );
    let api = FakeApi::new()
        .with(
            "/apis/apps/v1/deployments",
            vec![template("ci", "web", socket_spec())],
        )
        .with("/apis/apps/v1/replicasets", vec![replicas])
        .with("/apis/batch/v1/cronjobs", vec![cron])
        .with("/apis/batch/v1/jobs", vec![job])
        .with(
            "/api/v1/pods",
            pods.chain([run_of_job, pod("ci", "bare", socket_spec())])
                .collect(),
        );
    let scanned = run(&api);
    assert_eq!(
        titles(&scanned),
        [
            "ci CronJob/prune DKR101",
            "ci Deployment/web DKR101",
            "ci Pod/bare DKR101"
        ]
    );
    assert_eq!(
        scanned
            .owners
            .iter()
            .map(|owner| owner.pods)
            .collect::<Vec<_>>(),
        [1, 3, 1]
    );
    assert!(scanned.owners.iter().all(|owner| owner.findings.len() == 1));
}

#[test]
fn names_that_mislead_are_resolved_from_the_objects() {
    // A ReplicaSet of a Rollout that is not in the API, and a Job that only looks like a CronJob's.
    let replicas = controlled(
        template("ci", "canary-77", socket_spec()),
        "Rollout",
        "canary",
    );
    let of_rollout = controlled(
        pod("ci", "canary-77-x", socket_spec()),
        "ReplicaSet",
        "canary-77",
    );
    let of_job = controlled(
        pod("ci", "import-20260101-x", socket_spec()),
        "Job",
        "import-20260101",
    );
    let api = FakeApi::new()
        .with("/apis/apps/v1/replicasets", vec![replicas])
        .with(
            "/apis/batch/v1/jobs",
            vec![template("ci", "import-20260101", socket_spec())],
        )
        .with("/api/v1/pods", vec![of_rollout, of_job]);
    let scanned = run(&api);
    assert_eq!(
        titles(&scanned),
        ["ci Job/import-20260101 DKR101", "ci Rollout/canary DKR101"]
    );
    assert_eq!(
        scanned
            .owners
            .iter()
            .map(|owner| owner.pods)
            .collect::<Vec<_>>(),
        [1, 1]
    );
}

#[test]
fn pods_speak_for_owners_that_cannot_be_read() {
    let pods = (0..4)
        .map(|n| {
            controlled(
                pod("ci", &format!("agent-{n}"), socket_spec()),
                "DaemonSet",
                "agent",
            )
        })
        .collect();
    let scanned = run(&FakeApi::new()
        .with("/api/v1/pods", pods)
        .failing("/apis/apps/v1/daemonsets", 403));
    assert_eq!(titles(&scanned), ["ci DaemonSet/agent DKR101"]);
    assert_eq!(
        (scanned.owners[0].pods, scanned.owners[0].findings.len()),
        (4, 1)
    );
    assert_eq!(
        scanned.owners[0].findings[0].object.as_deref(),
        Some("Pod/agent-0")
    );
}

#[test]
fn a_debugging_container_is_seen_behind_a_clean_template() {
    let mut spec = clean_spec();
    spec["ephemeralContainers"] = json!([{"name": "debug", "image": "docker:27-cli"}]);
    let api = FakeApi::new()
        .with(
            "/apis/apps/v1/statefulsets",
            vec![template("ci", "db", clean_spec())],
        )
        .with(
            "/api/v1/pods",
            vec![controlled(pod("ci", "db-0", spec), "StatefulSet", "db")],
        );
    assert_eq!(
        titles(&run(&api)),
        ["ci Pod/db-0 DKR201", "ci StatefulSet/db "]
    );
}

#[test]
fn a_claim_leads_to_the_volume_behind_it() {
    let volume = |name: &str, claim: Value| {
        object(
            "",
            name,
            json!({"spec": {"hostPath": {"path": "/var/run/docker.sock"}, "claimRef": claim}}),
        )
    };
    let user = |name: &str, claim: &str| {
        let spec = json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}],
            "containers": [{"name": "app", "image": "registry.example/app:1", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]});
        pod("ci", name, spec)
    };
    let api = FakeApi::new()
        .with(
            "/api/v1/persistentvolumes",
            vec![
                volume("bound", json!({"namespace": "ci", "name": "a"})),
                volume("free", Value::Null),
            ],
        )
        .with(
            "/api/v1/persistentvolumeclaims",
            vec![object("ci", "b", json!({"spec": {"volumeName": "free"}}))],
        )
        .with(
            "/api/v1/pods",
            vec![
                user("by-claim-ref", "a"),
                user("by-name", "b"),
                user("unknown", "c"),
            ],
        );
    let expected = [
        "PersistentVolume/bound DKR101",
        "PersistentVolume/free DKR101",
        "ci Pod/by-claim-ref DKR112",
        "ci Pod/by-name DKR112",
        // A claim that is not there yet can get the volume that is still free.
        "ci Pod/unknown DKR112",
    ];
    assert_eq!(titles(&run(&api)), expected);
}

#[test]
fn nodes_are_grouped_and_judged_when_all_are_known() {
    let mut bound = clean_spec();
    bound["nodeName"] = json!("a");
    let api = FakeApi::new()
        .with(
            "/api/v1/nodes",
            vec![
                node("a", "docker://27.3.1"),
                node("b", "docker://27.3.1"),
                node("c", "containerd://2.1.4"),
            ],
        )
        .with("/api/v1/pods", vec![pod("ci", "web", bound)]);
    let scanned = run(&api);
    let groups: Vec<_> = scanned
        .nodes
        .iter()
        .map(|group| (group.runtime.as_str(), group.names.len(), group.pods))
        .collect();
    assert_eq!(
        groups,
        [("containerd://2.1.4", 1, 0), ("docker://27.3.1", 2, 1)]
    );
    assert_eq!(
        titles(&scanned),
        [
            "Node/a NOD903,NOD906",
            "Node/b NOD903,NOD906",
            "Node/c NOD906",
            "ci Pod/web "
        ]
    );
}

#[test]
fn exemptions_are_told_used_unused_and_expired() {
    let namespace = |name: &str, annotations: Value| {
        let mut namespace = object("", name, json!({}));
        namespace["metadata"]["annotations"] = annotations;
        namespace["metadata"]["labels"] = json!({"undock.dev/mode": "off"});
        namespace
    };
    let terms = |until: &str| format!("until={until}; reason=moving");
    let api = FakeApi::new()
        .with(
            "/api/v1/namespaces",
            vec![
                namespace("late", json!({"exempt.undock.dev/DKR101": terms("2020-01-01")})),
                namespace(
                    "used",
                    json!({"exempt.undock.dev/DKR101": terms("2999-01-01"), "exempt.undock.dev/DKR201": terms("2999-01-01")}),
                ),
            ],
        )
        .with("/api/v1/pods", vec![pod("late", "x", socket_spec()), pod("used", "x", socket_spec())]);
    let scanned = run(&api);
    let outcomes: Vec<_> = scanned.owners.iter().map(|owner| owner.outcome).collect();
    assert_eq!(outcomes, [Outcome::Deny, Outcome::Exempt]);
    let listed: Vec<_> = scanned
        .exemptions
        .iter()
        .map(|listed| {
            (
                listed.namespace.as_str(),
                listed.status.clone(),
                listed.uses,
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            ("late", ExemptionStatus::Expired, 0),
            ("used", ExemptionStatus::InUse, 1),
            ("used", ExemptionStatus::Unused, 0)
        ]
    );
    assert_eq!(scanned.namespaces["used"], Some(Mode::Off));
    assert!(
        scanned.owners[0]
            .notes
            .iter()
            .any(|note| note.contains("ended on 2020-01-01")),
        "{:?}",
        scanned.owners[0].notes
    );
}

#[test]
fn a_broken_item_costs_only_itself() {
    let mut broken = pod("ci", "broken", clean_spec());
    broken["spec"]["containers"] = json!("none");
    let scanned = run(&FakeApi::new().with(
        "/api/v1/pods",
        vec![broken, pod("ci", "builder", socket_spec())],
    ));
    assert_eq!(titles(&scanned), ["ci Pod/builder DKR101"]);
    assert_eq!(
        (scanned.errors.len(), scanned.errors[0].reason),
        (1, "unreadable")
    );
    assert!(
        scanned.errors[0].message.starts_with("Pod broken: "),
        "{}",
        scanned.errors[0].message
    );
}

#[test]
fn what_is_too_large_to_be_evaluated_is_told() {
    let script = "docker $X;".repeat(200_000);
    let mut dear = clean_spec();
    dear["containers"][0]["command"] = json!(["sh", "-c", script]);
    let scanned = run(&FakeApi::new().with("/api/v1/pods", vec![pod("ci", "dear", dear)]));
    let error = &scanned.errors[0];
    assert_eq!(
        (error.namespace.as_str(), error.reason),
        ("ci", "too_large")
    );
    assert!(
        error.message.starts_with("Pod dear: it is too large"),
        "{}",
        error.message
    );
}

#[test]
fn custom_resources_are_read_where_their_group_is_there() {
    let rule = object(
        "mon",
        "docker",
        json!({"spec": {"groups": [{"rules": [{"expr": "container_cpu{name=~\"k8s_POD_.*\"}"}]}]}}),
    );
    let rollout = template("ci", "canary", socket_spec());
    let api = FakeApi::new()
        .with(
            GROUPS,
            vec![
                json!({"name": "monitoring.coreos.com", "preferredVersion": {"version": "v1"}}),
                json!({"name": "argoproj.io", "preferredVersion": {"version": "v1alpha1"}}),
            ],
        )
        .with("/apis/monitoring.coreos.com/v1/prometheusrules", vec![rule])
        .with("/apis/argoproj.io/v1alpha1/rollouts", vec![rollout]);
    let scanned = run(&api);
    assert_eq!(scanned.errors, []);
    assert_eq!(
        titles(&scanned),
        [
            "ci Rollout/canary DKR101",
            "mon PrometheusRule/docker DKR702"
        ]
    );
    assert!(!api.requests().iter().any(|uri| uri.contains("kyverno")));
}

#[test]
fn namespaces_and_selectors_narrow_what_is_asked_for() {
    let api = FakeApi::new()
        .with(
            "/api/v1/namespaces/ci/pods",
            vec![pod("ci", "builder", socket_spec())],
        )
        .with("/api/v1/namespaces/ci", vec![object("", "ci", json!({}))]);
    let scope = Scope {
        namespaces: vec!["ci".to_owned()],
        selector: "app in (a,b)".to_owned(),
    };
    let scanned = run_in(&api, &scope);
    assert_eq!(titles(&scanned), ["ci Pod/builder DKR101"]);
    let requests = api.requests();
    assert!(
        requests.iter().any(|uri| uri
            == "/api/v1/namespaces/ci/pods?limit=500&labelSelector=app%20in%20%28a%2Cb%29"),
        "{requests:?}"
    );
    assert!(
        !requests
            .iter()
            .any(|uri| uri.starts_with("/api/v1/pods")
                || uri.starts_with("/apis/apps/v1/deployments"))
    );
    assert!(requests.contains(&"/api/v1/nodes?limit=500".to_owned()));
}

/// Ten thousand Pods of a thousand owners. What is kept of them does not grow with their number.
#[test]
fn ten_thousand_pods_are_read_a_page_at_a_time() {
    let filler = "x".repeat(4096);
    let spec = |n: usize| match n % 2 {
        0 => socket_spec(),
        _ => clean_spec(),
    };
    let pods = (0..10_000).map(|n| {
        let mut pod = controlled(
            pod("ci", &format!("p{n:05}"), spec(n)),
            "DaemonSet",
            &format!("agent-{}", n % 1000),
        );
        pod["metadata"]["annotations"] = json!({"filler": filler});
        pod
    });
    let sets = (0..1000).map(|n| template("ci", &format!("agent-{n}"), spec(n)));
    let api = FakeApi::new()
        .with("/apis/apps/v1/daemonsets", sets.collect())
        .with("/api/v1/pods", pods.collect());
    let scanned = run(&api);
    assert_eq!(
        (scanned.pods, scanned.owners.len(), scanned.flagged()),
        (10_000, 1000, 500)
    );
    assert!(scanned.owners.iter().all(|owner| owner.pods == 10));
    assert_eq!(
        api.requests()
            .iter()
            .filter(|uri| uri.starts_with("/api/v1/pods?"))
            .count(),
        20
    );
    assert_eq!(
        api.most_bodies_at_once(),
        1,
        "a page is let go before the next is asked for"
    );
}

/// The role allows what a scan reads, and nothing else.
#[test]
fn the_shipped_role_is_what_a_scan_reads() {
    let role: Value = serde_saphyr::from_str(
        &std::fs::read_to_string("manifests/scan/clusterrole.yaml").unwrap(),
    )
    .unwrap();
    let texts = |value: &Value| {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut allowed = std::collections::BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        assert_eq!(texts(&rule["verbs"]), ["get", "list"]);
        for group in texts(&rule["apiGroups"]) {
            allowed.extend(
                texts(&rule["resources"])
                    .into_iter()
                    .map(|resource| (group.clone(), resource)),
            );
        }
    }
    let read: std::collections::BTreeSet<_> = KINDS
        .iter()
        .map(|kind| (kind.group.to_owned(), kind.plural.to_owned()))
        .collect();
    assert_eq!(allowed, read);
}
