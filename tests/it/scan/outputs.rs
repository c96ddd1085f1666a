//! What a scan prints: the guide's order, `undock.scan/v1`, and the formats of `check`.

use serde_json::{Value, json};
use undock::output::{sarif, scan_json, scan_table as table};
use undock::scan::{Scanned, Scope};

use super::{FakeApi, clean_spec, node, object, pod, policy, run, socket_spec};
use crate::support::json_schema::breaks;

fn scanned() -> Scanned {
    let mut runner = socket_spec();
    runner["containers"][0]["command"] = json!(["docker", "ps"]);
    runner["containers"][0]["securityContext"] = json!({"privileged": true});
    let api = FakeApi::new()
        .with(
            "/api/v1/nodes",
            vec![
                node("a", "docker://27.3.1"),
                node("b", "containerd://2.1.4"),
            ],
        )
        .with(
            "/api/v1/pods",
            vec![
                pod("ci", "runner", runner),
                pod("ci", "builder", socket_spec()),
                pod("ci", "web\u{1b}[31m", clean_spec()),
            ],
        )
        .with(
            "/api/v1/configmaps",
            vec![object("ci", "plain", json!({"data": {"a": "b"}}))],
        )
        .failing("/apis/apps/v1/deployments", 403);
    run(&api)
}

#[test]
fn the_table_answers_in_the_order_of_the_guide() {
    let mut out = Vec::new();
    table::write(&mut out, &scanned(), &policy(), false).unwrap();
    let text = String::from_utf8(out).unwrap();
    let order = [
        "Nodes by runtime",
        "containerd://2.1.4      1",
        "docker://27.3.1         1",
        "The guide's checks",
        "1 Nodes whose runtime is not done: 2",
        "2 Pods that use the node's Docker: 2 (1 of them privileged",
        "3 Node set-up that expects Docker: 0; scripts on the nodes",
        "4 Agents that watch Docker: 0; agents installed on hosts",
        "A Metrics that change: 0",
        "B docker ps, exec, logs and inspect that see nothing: 1",
        "ci Pod/runner  DKR401",
        "Findings by owner",
        "ci Pod/builder",
        "deny DKR101 volume \"sock\" mounts /var/run/docker.sock",
        "To look at by hand",
        "error: deployments.apps (forbidden): not allowed here",
        "Scanned 5 owners and 3 Pods. In mode enforce: 2 refused",
        "incomplete, 1 error.",
    ];
    let mut rest = text.as_str();
    for part in order {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part:?} is not there, or not in this order:\n{text}"));
        rest = &rest[at..];
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

fn as_json(scanned: &Scanned) -> Value {
    let mut out = Vec::new();
    let scope = Scope::default();
    let about = scan_json::About {
        cluster: "prod",
        time: "2026-11-23T00:00:00Z".to_owned(),
        scope: &scope,
    };
    scan_json::write(&mut out, scanned, &policy(), &about).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn json_tells_whose_an_owner_is_and_fits_its_schema() {
    let mut runner = object(
        "ci",
        "runner",
        json!({"spec": {"schedule": "0 3 1 * *", "jobTemplate": {"spec": {"template": {"spec": socket_spec()}}}}}),
    );
    runner["metadata"]["labels"] = json!({"team": "build"});
    runner["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "runners"});
    let fields = |manager: &str, subresource: &str, time: &str| json!({"manager": manager, "subresource": subresource, "time": time, "fieldsV1": {"f:spec": {}}});
    runner["metadata"]["managedFields"] = json!([
        fields("kubectl-edit", "", "2026-11-01T10:00:00Z"),
        fields("argocd-controller", "", "2026-11-02T10:00:00Z"),
        fields("kube-controller-manager", "status", "2026-11-03T10:00:00Z"),
    ]);
    let mut namespace = object("", "ci", json!({}));
    let terms = json!("until=2999-01-01; reason=moving; ref=PLAT-4");
    namespace["metadata"]["annotations"] =
        json!({"exempt.undock.dev/DKR101": terms, "exempt.undock.dev/DKR201": "soon"});
    namespace["metadata"]["labels"] =
        json!({"undock.dev/mode": "enfroce", "undock.dev/mod": "enforce"});
    let api = FakeApi::new()
        .with("/api/v1/namespaces", vec![namespace])
        .with("/apis/batch/v1/cronjobs", vec![runner]);
    let report = as_json(&run(&api));
    let flaws = report["namespaces"][0]["labelFlaws"].as_array().unwrap();
    let flaws: Vec<&str> = flaws.iter().map(|flaw| flaw.as_str().unwrap()).collect();
    assert_eq!(
        flaws,
        [
            "label undock.dev/mode is \"enfroce\"; write enforce, freeze, warn, audit or off",
            "no label undock.dev/mod is known: write undock.dev/mode or undock.dev/workload-exemptions"
        ]
    );
    let owner = &report["objects"][0];
    let told = ["team", "managedBy", "release", "manager", "schedule"]
        .map(|key| owner[key].as_str().unwrap());
    assert_eq!(
        told,
        ["build", "helm", "runners", "argocd-controller", "0 3 1 * *"]
    );
    let finding = &owner["findings"][0];
    assert_eq!(
        (
            &finding["action"],
            &finding["denies"],
            &finding["exempt"]["ref"]
        ),
        (&json!("record"), &json!(true), &json!("PLAT-4"))
    );
    let schema: Value =
        serde_json::from_slice(&std::fs::read("docs/scan.schema.json").unwrap()).unwrap();
    for report in [report, as_json(&scanned())] {
        let mut found = Vec::new();
        breaks(&schema, &report, "$", &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn json_has_every_owner_and_says_what_is_missing() {
    let report = as_json(&scanned());
    assert_eq!(
        (&report["schema"], &report["cluster"], &report["mode"]),
        (&json!("undock.scan/v1"), &json!("prod"), &json!("enforce"))
    );
    let decisions: Vec<_> = report["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| (&object["kind"], &object["decision"]))
        .collect();
    let expected = json!([
        ["Node", "record"],
        ["Node", "record"],
        ["Pod", "deny"],
        ["Pod", "deny"],
        ["Pod", "clean"]
    ]);
    assert_eq!(json!(decisions), expected);
    let ids: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["1", "2", "3", "4", "A", "B", "+"]);
    assert_eq!(report["checks"][1]["privileged"], 1);
    assert_eq!(report["errors"][0]["part"], "deployments.apps");
    let finding = &report["objects"][2]["findings"][0];
    assert_eq!(
        (
            &finding["rule"],
            finding["fingerprint"].as_str().unwrap().len()
        ),
        (&json!("DKR101"), 16)
    );
}

#[test]
fn the_formats_of_check_take_it_too() {
    let mut out = Vec::new();
    sarif::write(&mut out, &scanned().to_checked()).unwrap();
    let log: Value = serde_json::from_slice(&out).unwrap();
    let result = &log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|result| result["ruleId"] == "DKR101")
        .unwrap()
        .clone();
    assert_eq!(
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "ci/Pod/builder"
    );
}
