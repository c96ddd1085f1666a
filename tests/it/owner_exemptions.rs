//! Exemptions on a workload hold for what is made from it: the webhook asks the owner, and believes no reference that
//! anybody can write.

use serde_json::{Value, json};
use undock::admission;
use undock::check::{Input, check};
use undock::config::Config;
use undock::decision::namespace::NamespaceSettings;
use undock::decision::{Mode, Policy};

use crate::support::fake_api::FakeApi;
use crate::support::reviews::{bytes, clean_pod, create, deployment, socket_pod, with};
use crate::support::server::{Server, Settings};

const TERMS: &str = "until=2999-12-31; reason=moving; ref=PLAT-412";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/ci/deployments/runner";
const REPLICA_SET: &str = "/apis/apps/v1/namespaces/ci/replicasets/runner-7c9f";
const CRON_JOB: &str = "/apis/batch/v1/namespaces/ci/cronjobs/nightly";
const JOB: &str = "/apis/batch/v1/namespaces/ci/jobs/nightly-29000000";

/// The metadata of an object, as the API server sends it.
fn metadata(name: &str, annotations: Value, owner: Value) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
        "metadata": {"name": name, "namespace": "ci", "uid": format!("uid-of-{name}"),
                     "annotations": annotations, "ownerReferences": owner},
    })
}

fn reference(api_version: &str, kind: &str, name: &str) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": format!("uid-of-{name}"), "controller": true}])
}

fn exempt() -> Value {
    json!({"exempt.undock.dev/docker-socket-mount": TERMS})
}

/// A server that knows the namespace `ci`, where workloads may exempt themselves, and this cluster.
fn server(api: FakeApi, mode: Mode) -> Server {
    let server = Server::with(Settings {
        mode,
        api: Some(api),
        ..Settings::default()
    });
    let facts = &server.app.policy.load().facts;
    facts.set_watching();
    facts.set_warm();
    let allow = [("undock.dev/workload-exemptions", "allow")];
    facts.set_namespace(
        "ci",
        Some(NamespaceSettings::read(
            allow.into_iter(),
            std::iter::empty(),
        )),
    );
    server
}

fn by(controller: &str, object: Value, owner: Value) -> Value {
    let mut object = object;
    object["metadata"]["ownerReferences"] = owner;
    let user = format!("system:serviceaccount:kube-system:{controller}");
    with(create(object), "userInfo.username", json!(user))
}

fn pod_of_replica_set() -> Value {
    by(
        "replicaset-controller",
        socket_pod(),
        reference("apps/v1", "ReplicaSet", "runner-7c9f"),
    )
}

fn cluster(deployment: Value) -> FakeApi {
    let above = reference("apps/v1", "Deployment", "runner");
    FakeApi::new()
        .with_object(REPLICA_SET, metadata("runner-7c9f", json!({}), above))
        .with_object(DEPLOYMENT, metadata("runner", deployment, json!([])))
}

#[test]
fn a_pod_of_an_exempt_deployment_is_let_through() {
    for mode in [Mode::Enforce, Mode::Warn, Mode::Freeze, Mode::Audit] {
        let api = cluster(exempt());
        let server = server(api.clone(), mode);
        let answer = server.review(&pod_of_replica_set());
        assert!(answer.allowed, "{mode:?}");
        assert_eq!(answer.decision(), "exempt", "{mode:?}");
        assert_eq!(
            answer.annotations["exempt"],
            "DKR101 by=workload until=2999-12-31 ref=PLAT-412"
        );
        assert_eq!(api.requests(), [REPLICA_SET, DEPLOYMENT]);
        assert_eq!(server.records(1)[0]["findings"][0]["status"], "exempt");
    }
}

#[test]
fn pods_and_jobs_of_an_exempt_cron_job_are_let_through() {
    let above = reference("batch/v1", "CronJob", "nightly");
    let api = FakeApi::new()
        .with_object(JOB, metadata("nightly-29000000", json!({}), above.clone()))
        .with_object(CRON_JOB, metadata("nightly", exempt(), json!([])));
    let server = server(api, Mode::Enforce);
    let of_job = reference("batch/v1", "Job", "nightly-29000000");
    assert!(
        server
            .review(&by("job-controller", socket_pod(), of_job))
            .allowed
    );
    let mut job = deployment(&socket_pod());
    (job["apiVersion"], job["kind"]) = (json!("batch/v1"), json!("Job"));
    assert!(server.review(&by("cronjob-controller", job, above)).allowed);
}

#[test]
fn an_owner_that_is_not_exempt_does_not_help() {
    let foreign = metadata("runner-7c9f", exempt(), json!([]));
    let replaced = {
        let mut object = metadata("runner-7c9f", exempt(), json!([]));
        object["metadata"]["uid"] = json!("another");
        object
    };
    for (what, api, allowed, said) in [
        ("no exemption", cluster(json!({})), false, ""),
        (
            "another rule",
            cluster(json!({"exempt.undock.dev/DKR201": TERMS})),
            false,
            "",
        ),
        (
            "ended",
            cluster(json!({"exempt.undock.dev/DKR101": "until=2020-01-01; reason=x"})),
            false,
            "ended on",
        ),
        (
            "a ReplicaSet that nothing owns",
            FakeApi::new().with_object(REPLICA_SET, foreign),
            true,
            "",
        ),
        (
            "another object of that name",
            FakeApi::new().with_object(REPLICA_SET, replaced),
            false,
            "cannot read the exemptions of ReplicaSet runner-7c9f: it was made again since",
        ),
        (
            "not allowed",
            FakeApi::new().failing(REPLICA_SET, 403),
            false,
            "cannot read the exemptions of ReplicaSet runner-7c9f: not allowed here",
        ),
    ] {
        let answer = server(api, Mode::Enforce).review(&pod_of_replica_set());
        assert_eq!(answer.allowed, allowed, "{what}");
        let error = answer.annotations.get("error").cloned().unwrap_or_default();
        assert!(error.contains(said), "{what}: {error}");
    }
}

#[test]
fn nobody_is_asked_without_need() {
    let spoofed = with(pod_of_replica_set(), "userInfo.username", json!("ann"));
    let clean = by(
        "replicaset-controller",
        clean_pod(),
        reference("apps/v1", "ReplicaSet", "runner-7c9f"),
    );
    let elsewhere = {
        let mut review = pod_of_replica_set();
        review["request"]["namespace"] = json!("other");
        review["request"]["object"]["metadata"]["namespace"] = json!("other");
        review
    };
    let own = {
        let mut review = pod_of_replica_set();
        review["request"]["object"]["metadata"]["annotations"] = exempt();
        review
    };
    for (review, allowed) in [
        (spoofed, false),
        (clean, true),
        (elsewhere, false),
        (own, true),
    ] {
        let api = cluster(exempt());
        let answer = server(api.clone(), Mode::Enforce).review(&review);
        assert_eq!(
            (answer.allowed, api.requests()),
            (allowed, Vec::new()),
            "{review}"
        );
    }
}

/// What is said to the writer of `object` in a namespace where workloads may exempt themselves.
fn notes(config_text: &str, object: Value) -> Vec<String> {
    let config = Config::parse(config_text, std::path::Path::new("undock.yaml")).unwrap();
    let policy = config.policy(Some(Mode::Enforce));
    policy.facts.set_watching();
    policy.facts.set_warm();
    let allow = [("undock.dev/workload-exemptions", "allow")];
    policy.facts.set_namespace(
        "ci",
        Some(NamespaceSettings::read(
            allow.into_iter(),
            std::iter::empty(),
        )),
    );
    let reviewed = admission::review(&bytes(&create(object.clone())), &policy).unwrap();
    // Beside a denial, too: it says why the exemption did not help.
    let answer: Value = serde_json::from_slice(&reviewed.response).unwrap();
    let warnings: Vec<String> =
        serde_json::from_value(answer["response"]["warnings"].clone()).unwrap();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "ci", "labels": {"undock.dev/workload-exemptions": "allow"}}});
    let text = format!("{object}\n{namespace}");
    let policy = Policy {
        facts: Default::default(),
        ..policy
    };
    let checked = check(&[Input::new("a.json", text)], "ci", &policy);
    for note in &checked.objects[0].notes {
        assert!(
            warnings.contains(&format!("undock: {note}")),
            "{note} not in {warnings:?}"
        );
    }
    // A check knows no writer.
    assert_eq!(checked.objects[0].notes.is_empty(), !config_text.is_empty());
    warnings
}

#[test]
fn what_exempts_nothing_is_told() {
    let mut job_template = deployment(&socket_pod());
    let template = job_template["spec"]["template"].take();
    (job_template["apiVersion"], job_template["kind"]) = (json!("batch/v1"), json!("CronJob"));
    job_template["spec"] = json!({"schedule": "0 3 * * *", "jobTemplate": {
        "metadata": {"annotations": exempt()}, "spec": {"template": template}}});
    assert_eq!(
        notes("", job_template),
        [
            "undock: exemption DKR101 on spec.jobTemplate.metadata has no effect: write it on the CronJob's own metadata"
        ]
    );
    for object in [socket_pod(), clean_pod()] {
        let mut typo = object;
        typo["metadata"]["annotations"] = json!({"exempt.undock.dev/docker-sock": TERMS});
        assert_eq!(
            notes("", typo),
            ["undock: exemption docker-sock ignored: there is no such rule"]
        );
    }
}

#[test]
fn an_exemption_of_a_person_is_told_not_to_hold_for_pods() {
    let config = "exemptions:\n- {rules: [DKR101], until: 2999-12-31, reason: x, users: [admin]}\n";
    let told = notes(config, deployment(&socket_pod()));
    assert_eq!(
        told,
        [
            "undock: exemption for DKR101 is for who writes this; its Pods are written by a controller and not exempt"
        ]
    );
}
