//! The rehearsal of a stricter mode: what it says, and where it stops.

#[allow(
    dead_code,
    reason = "made for the tests of the scan, which ask it for more"
)]
use std::time::{Duration, Instant};

use crate::support::fake_api::{FakeApi, object};
use kube::Client;
use serde_json::{Value, json};
use undock::cluster::rehearsal::rehearse;
use undock::decision::namespace::NamespaceSettings;
use undock::decision::{Mode, Policy};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/ci/deployments";

fn deployment(name: &str, image: &str) -> Value {
    object(
        "ci",
        name,
        json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}),
    )
}

/// The lines under `enforce`, with the settings that the Namespace is to have.
fn rehearsed(
    client: impl FnOnce() -> Client,
    settings: &NamespaceSettings,
    timeout: Duration,
) -> Vec<String> {
    rehearsed_as(Mode::Enforce, client, settings, timeout)
}

fn rehearsed_as(
    mode: Mode,
    client: impl FnOnce() -> Client,
    settings: &NamespaceSettings,
    timeout: Duration,
) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        rehearse(&client(), "ci", mode, settings, &Policy::default(), timeout).await
    })
}

fn lines(api: &FakeApi) -> Vec<String> {
    rehearsed(
        || api.client(),
        &NamespaceSettings::default(),
        Duration::from_secs(10),
    )
}

#[test]
fn owners_are_grouped_by_what_is_found() {
    let docker = |name: &str| deployment(name, "docker:27-cli");
    let api = FakeApi::new().with(
        DEPLOYMENTS,
        vec![
            docker("a"),
            docker("b"),
            docker("c"),
            deployment("d", "registry.example/app:1"),
        ],
    );
    assert_eq!(
        lines(&api),
        [
            "undock: Deployment/a (and 2 others) would be refused: DKR201",
            "undock: running Pods stay, and no new one of these starts"
        ]
    );
    assert_eq!(
        lines(&FakeApi::new()),
        ["undock: 0 objects checked, none has findings under enforce"]
    );
}

#[test]
fn no_more_than_three_thousand_objects_are_looked_at() {
    // With nothing in them to evaluate, because the time has a limit as well.
    let many = (0..3_400)
        .map(|number| object("ci", &format!("d{number:04}"), json!({})))
        .collect();
    let api = FakeApi::new().with(DEPLOYMENTS, many).with(
        "/api/v1/namespaces/ci/pods",
        vec![deployment("pod", "docker:27-cli")],
    );
    assert_eq!(
        lines(&api),
        ["undock: only 3000 objects checked: there are more"]
    );
    assert_eq!(
        api.requests().len(),
        7,
        "pages of 500, and the one after the last that counts"
    );
}

#[test]
fn what_may_not_be_listed_is_said() {
    let api = FakeApi::new()
        .with(DEPLOYMENTS, vec![deployment("a", "docker:27-cli")])
        .failing("/api/v1/namespaces/ci/pods", 403);
    let lines = lines(&api);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[2].starts_with("undock: only 1 object checked: cannot list Pod objects: "),
        "{lines:?}"
    );
}

#[test]
fn an_exemption_that_comes_with_the_mode_counts() {
    let api = FakeApi::new().with(DEPLOYMENTS, vec![deployment("a", "docker:27-cli")]);
    let exemption = [(
        "exempt.undock.dev/DKR201",
        "until=2999-12-31; reason=moving",
    )];
    let settings = NamespaceSettings::read(std::iter::empty(), exemption.into_iter());
    let lines = rehearsed(|| api.client(), &settings, Duration::from_secs(10));
    assert_eq!(
        lines,
        ["undock: 1 object checked, none has findings under enforce"]
    );
}

/// A Pod that the `kind` of this name controls.
fn controlled_pod(name: &str, kind: &str, owner: &str) -> Value {
    let (group, hash) = match kind {
        "ReplicaSet" => ("apps/v1", owner.rsplit('-').next().unwrap()),
        _ => ("example.com/v1", ""),
    };
    let mut pod = object(
        "ci",
        name,
        json!({"spec": {"containers": [{"name": "app", "image": "docker:27-cli"}]}}),
    );
    pod["metadata"]["labels"] = json!({"pod-template-hash": hash});
    pod["metadata"]["ownerReferences"] = json!([
        {"apiVersion": group, "kind": kind, "name": owner, "uid": "u", "controller": true}
    ]);
    pod
}

#[test]
fn freeze_keeps_what_exists_and_says_what_it_refuses() {
    let api = FakeApi::new()
        .with(DEPLOYMENTS, vec![deployment("a", "docker:27-cli")])
        .with(
            "/api/v1/namespaces/ci/pods",
            vec![
                controlled_pod("a-7c9f-x", "ReplicaSet", "a-7c9f"),
                controlled_pod("build-1", "Workflow", "build"),
            ],
        );
    let settings = NamespaceSettings::default();
    let lines = rehearsed_as(
        Mode::Freeze,
        || api.client(),
        &settings,
        Duration::from_secs(10),
    );
    assert_eq!(
        lines,
        [
            "undock: Workflow/build would be refused: DKR201",
            "undock: Deployment/a would be kept, and refused if it were new: DKR201",
            "undock: what runs stays, and Deployments and the like get new Pods; what is new is refused",
        ]
    );
}

#[test]
fn an_exemption_on_a_deployment_holds_for_its_pods() {
    let mut exempt = deployment("a", "docker:27-cli");
    exempt["metadata"]["annotations"] =
        json!({"exempt.undock.dev/docker-cli-image": "until=2999-12-31; reason=moving"});
    let api = FakeApi::new().with(DEPLOYMENTS, vec![exempt]).with(
        "/api/v1/namespaces/ci/pods",
        vec![controlled_pod("a-7c9f-x", "ReplicaSet", "a-7c9f")],
    );
    let allow = [("undock.dev/workload-exemptions", "allow")];
    let settings = NamespaceSettings::read(allow.into_iter(), std::iter::empty());
    assert_eq!(
        rehearsed(|| api.client(), &settings, Duration::from_secs(10)),
        ["undock: 2 objects checked, none has findings under enforce"]
    );
}

#[test]
fn half_of_the_time_is_left_for_the_answer() {
    let silent = || {
        let never = |_| {
            std::future::pending::<
                Result<
                    hyper::Response<http_body_util::Full<bytes::Bytes>>,
                    std::convert::Infallible,
                >,
            >()
        };
        Client::new(tower::service_fn(never), "default")
    };
    for (timeout, most) in [
        (Duration::from_secs(30), 1_000),
        (Duration::from_millis(600), 300),
    ] {
        let began = Instant::now();
        let lines = rehearsed(silent, &NamespaceSettings::default(), timeout);
        let took = began.elapsed().as_millis();
        assert!((most..most + 250).contains(&took), "{took} ms");
        assert_eq!(lines, ["undock: only 0 objects checked: time ran out"]);
    }
}

#[test]
fn a_large_object_is_passed_over_and_named() {
    let mut large = deployment("large", "docker:27-cli");
    large["metadata"]["annotations"] = json!({"padding": "x".repeat(5 << 20)});
    let api = FakeApi::new().with(
        DEPLOYMENTS,
        vec![large, deployment("small", "docker:27-cli")],
    );
    let lines = lines(&api);
    assert_eq!(
        lines[0],
        "undock: Deployment/small would be refused: DKR201"
    );
    assert!(
        lines[2].contains("only 1 object checked") && lines[2].contains("larger than 4 MiB"),
        "{lines:?}"
    );
}

#[test]
fn a_name_that_is_none_of_a_namespace_asks_for_nothing() {
    for name in ["kube-system/configmaps?x=", "..", "", "a%2Fb", "A"] {
        let api = FakeApi::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let lines = runtime.block_on(async {
            let (settings, policy) = (NamespaceSettings::default(), Policy::default());
            let timeout = Duration::from_secs(10);
            rehearse(
                &api.client(),
                name,
                Mode::Enforce,
                &settings,
                &policy,
                timeout,
            )
            .await
        });
        assert_eq!((lines, api.requests()), (Vec::new(), Vec::new()), "{name}");
    }
}
