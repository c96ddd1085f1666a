//! Exemptions and namespace settings: the same verdict from webhook, check, scan and report, and words about what does not hold.

#[allow(
    dead_code,
    reason = "made for the tests of the scan, which ask it for more"
)]
use std::sync::Arc;

use crate::support::fake_api::FakeApi;
use serde_json::Value;
use undock::admission::review;
use undock::check::{Input, check};
use undock::config::Config;
use undock::decision::cluster_state::ClusterState;
use undock::decision::namespace::NamespaceSettings;
use undock::decision::{Mode, Policy};

const TODAY: &str = "2026-11-23";

fn policy(mode: Mode, config: &str) -> Policy {
    let config = Config::parse(config, std::path::Path::new("undock.yaml")).unwrap();
    Policy {
        today: || TODAY.parse().unwrap(),
        ..config.policy(Some(mode))
    }
}

/// A Deployment that mounts the Docker socket, with this annotation on its pod template.
fn workload(annotation: &str) -> String {
    let annotations = if annotation.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{{annotation}}}")
    };
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"runner","namespace":"ci"}},"spec":{{"template":{{
        "metadata":{{"annotations":{annotations}}},"spec":{{"containers":[{{"name":"a","image":"x/y","volumeMounts":[{{"name":"s","mountPath":"/s"}}]}}],
        "volumes":[{{"name":"s","hostPath":{{"path":"/run/docker.sock"}}}}]}}}}}}}}"#
    )
}

fn namespace(labels: &str, annotations: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"ci","labels":{{{labels}}},"annotations":{{{annotations}}}}}}}"#
    )
}

/// Decision, first note and record of the webhook, whose watch knows the namespace.
fn by_webhook(
    policy: &Policy,
    labels: &str,
    annotations: &str,
    workload: &str,
) -> (String, String, Value) {
    let cluster_state = ClusterState::default();
    cluster_state.set_watching();
    cluster_state.set_warm();
    let pairs = |text: &str| -> Vec<(String, String)> {
        let map: std::collections::BTreeMap<String, String> =
            serde_json::from_str(&format!("{{{text}}}")).unwrap();
        map.into_iter().collect()
    };
    let (labels, annotations) = (pairs(labels), pairs(annotations));
    fn refer(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
        pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
    cluster_state.set_namespace(
        "ci",
        Some(NamespaceSettings::read(refer(&labels), refer(&annotations))),
    );
    let policy = Policy {
        cluster_state: Arc::new(cluster_state),
        ..policy.clone()
    };
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","resource":{{"group":"apps","version":"v1","resource":"deployments"}},
        "namespace":"ci","operation":"CREATE","userInfo":{{"username":"ann","groups":["builders"]}},"object":{workload}}}}}"#
    );
    let reviewed = review(body.as_bytes(), &policy).unwrap();
    let decision = &reviewed.decision;
    let said = decision.doubts.iter().chain(&decision.notes).next();
    let record = serde_json::to_value(&reviewed.record).unwrap();
    (
        decision.outcome.as_str().to_owned(),
        said.cloned().unwrap_or_default(),
        record,
    )
}

fn by_check(policy: &Policy, labels: &str, annotations: &str, workload: &str) -> String {
    let text = format!("{workload}\n{}", namespace(labels, annotations));
    let checked = check(&[Input::new("a.json", text)], "", policy);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    checked.objects[0].outcome.as_str().to_owned()
}

fn by_scan(policy: &Policy, labels: &str, annotations: &str, workload: &str) -> String {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let api = FakeApi::new()
        .with(
            "/api/v1/namespaces",
            vec![read(&namespace(labels, annotations))],
        )
        .with("/apis/apps/v1/deployments", vec![read(workload)]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let scanned = runtime
        .block_on(async {
            undock::scan::scan(&api.client(), &Default::default(), policy, &mut |_| ()).await
        })
        .unwrap();
    assert_eq!((scanned.errors.len(), scanned.owners.len()), (0, 1));
    scanned.owners[0].outcome.as_str().to_owned()
}

/// The status in the report on the webhook's record.
fn by_report(mut record: Value) -> String {
    record["@timestamp"] = format!("{TODAY}T10:00:00.000Z").into();
    let mut reporter = undock::report::Reporter::new(Default::default());
    reporter.read("records", format!("{record}\n").as_bytes());
    let mut report = Vec::new();
    undock::report::json::write(&mut report, &reporter.finish()).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    report["findings"][0]["status"]
        .as_str()
        .unwrap_or_else(|| panic!("{report:#}"))
        .to_owned()
}

const GOOD: &str = r#""exempt.undock.dev/DKR101":"until=2026-12-31; reason=moving; ref=PLAT-412""#;
const ALLOW: &str = r#""undock.dev/workload-exemptions":"allow""#;

#[test]
fn webhook_check_scan_and_report_agree() {
    // Labels and annotations of the namespace, annotation of the workload, decision in enforce mode, a word of the note.
    let cases = [
        ("", "", "", "deny", ""),
        ("", GOOD, "", "exempt", ""),
        (
            "",
            r#""exempt.undock.dev/all":"until=2027-06-30; reason=x""#,
            "",
            "exempt",
            "",
        ),
        (
            "",
            r#""exempt.undock.dev/DKR201":"until=2027-06-30; reason=x""#,
            "",
            "deny",
            "",
        ),
        (
            "",
            r#""exempt.undock.dev/DKR101":"until=2026-11-22; reason=x""#,
            "",
            "deny",
            "ended on 2026-11-22",
        ),
        (
            "",
            r#""exempt.undock.dev/DKR101":"until=2026-11-23; reason=x""#,
            "",
            "exempt",
            "ends in 0 days",
        ),
        (
            "",
            r#""exempt.undock.dev/DKR101":"until=2026-12-07; reason=x""#,
            "",
            "exempt",
            "ends in 14 days",
        ),
        (
            "",
            r#""exempt.undock.dev/DKR101":"until=soon; reason=x""#,
            "",
            "deny",
            "YYYY-MM-DD",
        ),
        (
            "",
            r#""exempt.undock.dev/DKR101":"until=2026-12-31""#,
            "",
            "deny",
            "reason",
        ),
        ("", "", GOOD, "deny", "workload-exemptions=allow"),
        (ALLOW, "", GOOD, "exempt", ""),
        (
            r#""undock.dev/workload-exemptions":"deny""#,
            "",
            GOOD,
            "deny",
            "workload-exemptions=allow",
        ),
        (
            r#""undock.dev/workload-exemptions":"yes""#,
            "",
            GOOD,
            "deny",
            "write allow or deny",
        ),
        (
            ALLOW,
            "",
            r#""exempt.undock.dev/DKR101":"until=2020-01-01; reason=x""#,
            "deny",
            "ended",
        ),
    ];
    let policy = policy(Mode::Enforce, "");
    for (labels, annotations, own, decision, word) in cases {
        let workload = workload(own);
        let (webhook, note, record) = by_webhook(&policy, labels, annotations, &workload);
        assert_eq!(webhook, decision, "webhook: {labels} {annotations} {own}");
        assert!(note.contains(word), "{note:?} does not hold {word:?}");
        assert_eq!(
            by_check(&policy, labels, annotations, &workload),
            decision,
            "check: {labels} {annotations} {own}"
        );
        assert_eq!(
            by_scan(&policy, labels, annotations, &workload),
            decision,
            "scan: {labels} {annotations} {own}"
        );
        // What was refused, and never stood, is blocked in a report.
        let status = if decision == "deny" {
            "blocked"
        } else {
            decision
        };
        assert_eq!(
            by_report(record),
            status,
            "report: {labels} {annotations} {own}"
        );
    }
}

#[test]
fn the_label_sets_the_mode_and_mistakes_leave_the_default() {
    let policy = policy(Mode::Warn, "");
    for (label, decision, word) in [
        ("", "warn", ""),
        (r#""undock.dev/mode":"enforce""#, "deny", ""),
        (r#""undock.dev/mode":"audit""#, "record", ""),
        (r#""undock.dev/mode":"off""#, "skipped", ""),
        (
            r#""undock.dev/mode":"Enforce""#,
            "warn",
            "write enforce, freeze, warn, audit or off",
        ),
    ] {
        let (outcome, note, _) = by_webhook(&policy, label, "", &workload(""));
        assert_eq!(outcome, decision, "{label}");
        assert!(note.contains(word), "{note}");
    }
}

#[test]
fn a_cold_watch_is_said_and_the_default_applies() {
    let cluster_state = ClusterState::default();
    cluster_state.set_watching();
    assert!(!cluster_state.is_ready());
    let policy = Policy {
        cluster_state: Arc::new(cluster_state),
        ..policy(Mode::Enforce, "")
    };
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","resource":{{"group":"apps","version":"v1","resource":"deployments"}},
        "namespace":"ci","operation":"CREATE","object":{}}}}}"#,
        workload("")
    );
    let reviewed = review(body.as_bytes(), &policy).unwrap();
    assert_eq!(reviewed.decision.outcome.as_str(), "deny");
    assert!(String::from_utf8_lossy(&reviewed.response).contains("have not been listed yet"));
}

#[test]
fn the_configuration_exempts_whom_it_names() {
    let entry =
        "exemptions:\n- rules: [docker-socket-mount]\n  until: 2026-12-31\n  reason: move\n";
    for (who, decision) in [
        ("", "exempt"),
        ("  namespaces: [ci*]\n", "exempt"),
        ("  namespaces: [prod]\n", "deny"),
        ("  owners: [Deployment/run*]\n", "exempt"),
        ("  owners: [DaemonSet/*]\n", "deny"),
        ("  users: [ann]\n  groups: [builders]\n", "exempt"),
        ("  groups: [others]\n", "deny"),
        ("  images: [x/*]\n", "exempt"),
        ("  images: [z/*]\n", "deny"),
    ] {
        let policy = policy(Mode::Enforce, &format!("{entry}{who}"));
        assert_eq!(
            by_webhook(&policy, "", "", &workload("")).0,
            decision,
            "{who}"
        );
    }
    let parse = |text: &str| {
        Config::parse(text, std::path::Path::new("undock.yaml"))
            .unwrap_err()
            .to_string()
    };
    assert!(
        parse("exemptions:\n- {rules: [DKR101], until: soon, reason: x}\n")
            .contains("exemptions[0]")
    );
    assert!(
        parse("exemptions:\n- {rules: [DKR999], until: 2026-12-31, reason: x}\n")
            .contains("DKR999")
    );
    assert!(
        parse("exemptions:\n- {rules: [], until: 2026-12-31, reason: x}\n")
            .contains("rules is empty")
    );
    assert!(parse("exemptions:\n- {until: 2026-12-31, reason: x}\n").contains("rules"));
}

#[test]
fn the_answer_tells_of_the_exemption() {
    let policy = policy(Mode::Enforce, "");
    let cluster_state = ClusterState::default();
    cluster_state.set_watching();
    cluster_state.set_warm();
    let annotation = [(
        "exempt.undock.dev/DKR101",
        "until=2026-12-01; reason=moving; ref=PLAT-412",
    )];
    cluster_state.set_namespace(
        "ci",
        Some(NamespaceSettings::read(
            std::iter::empty(),
            annotation.into_iter(),
        )),
    );
    let policy = Policy {
        cluster_state: Arc::new(cluster_state),
        ..policy
    };
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","resource":{{"group":"apps","version":"v1","resource":"deployments"}},
        "namespace":"ci","operation":"CREATE","object":{}}}}}"#,
        workload("")
    );
    let reviewed = review(body.as_bytes(), &policy).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&reviewed.response).unwrap();
    let response = &answer["response"];
    assert_eq!(response["allowed"], true);
    assert_eq!(response["auditAnnotations"]["decision"], "exempt");
    assert_eq!(
        response["auditAnnotations"]["exempt"],
        "DKR101 by=namespace until=2026-12-01 ref=PLAT-412"
    );
    assert_eq!(
        response["warnings"][0],
        "undock: exemption for DKR101 ends in 8 days (2026-12-01)"
    );
    let record = serde_json::to_value(reviewed.record.unwrap()).unwrap();
    assert_eq!(
        (record["event.name"].as_str(), record["decision"].as_str()),
        (Some("undock.review.exempted"), Some("exempt"))
    );
    assert_eq!(record["findings"][0]["status"], "exempt");
    assert_eq!(record["findings"][0]["exempt.ref"], "PLAT-412");
}

#[test]
fn the_table_of_a_check_says_what_is_exempt_and_what_is_not() {
    let policy = policy(Mode::Enforce, "");
    let table = |labels: &str, annotations: &str| {
        let text = format!("{}\n{}", workload(""), namespace(labels, annotations));
        let checked = check(&[Input::new("a.json", text)], "", &policy);
        let mut out = Vec::new();
        undock::output::check_table::write(&mut out, &checked, false).unwrap();
        String::from_utf8(out).unwrap()
    };
    let exempt = table(
        "",
        r#""exempt.undock.dev/DKR101":"until=2026-12-31; reason=x""#,
    );
    assert!(
        exempt.contains("= exempt until 2026-12-31 by the namespace")
            && exempt.contains("1 exempt"),
        "{exempt}"
    );
    let flawed = table(
        r#""undock.dev/mode":"loud""#,
        r#""exempt.undock.dev/DKR101":"until=2026-01-01; reason=x""#,
    );
    for part in [
        "note: exemption DKR101 ended on 2026-01-01",
        "note: label undock.dev/mode is \"loud\"",
        "Namespace ci",
        "1 denied",
    ] {
        assert!(flawed.contains(part), "{part} in\n{flawed}");
    }
}

#[test]
fn a_denial_says_why_an_exemption_did_not_help() {
    let policy = policy(Mode::Enforce, "");
    let answer = |annotation: &str| {
        let body = format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","resource":{{"group":"apps","version":"v1","resource":"deployments"}},
            "namespace":"ci","operation":"CREATE","object":{}}}}}"#,
            workload(annotation)
        );
        serde_json::from_slice::<Value>(&review(body.as_bytes(), &policy).unwrap().response)
            .unwrap()["response"]
            .clone()
    };
    let refused = answer(r#""exempt.undock.dev/DKR101":"until=2027-01-01; reason=x""#);
    assert_eq!(refused["allowed"], false);
    assert!(
        refused["warnings"][0]
            .as_str()
            .unwrap()
            .starts_with("undock: exemptions on workloads count only where"),
        "{refused}"
    );
    assert_eq!(answer("")["warnings"], Value::Null);
}

#[test]
fn who_writes_an_exemption_of_a_namespace_hears_what_is_wrong_with_it() {
    let policy = policy(Mode::Enforce, "");
    let notes = |annotation: &str| {
        let body = format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","resource":{{"group":"","version":"v1","resource":"namespaces"}},
            "name":"ci","namespace":"ci","operation":"CREATE","object":{}}}}}"#,
            namespace("", annotation)
        );
        let answer: Value =
            serde_json::from_slice(&review(body.as_bytes(), &policy).unwrap().response).unwrap();
        assert_eq!(answer["response"]["allowed"], true);
        answer["response"]["warnings"].clone()
    };
    for (annotation, word) in [
        (
            r#""exempt.undock.dev/DKR101":"until=2026-99-99; reason=x""#,
            "not YYYY-MM-DD",
        ),
        (
            r#""exempt.undock.dev/DKR101":"until=2026-01-01; reason=x""#,
            "ended on 2026-01-01",
        ),
        (
            r#""exempt.undock.dev/DKR999":"until=2027-01-01; reason=x""#,
            "there is no such rule",
        ),
        (
            r#""exempt.undock.dev/all":"until=2027-01-01""#,
            "\"reason\" is missing",
        ),
    ] {
        let told = notes(annotation);
        assert!(
            told[0].as_str().is_some_and(|note| note.contains(word)),
            "{annotation}: {told}"
        );
    }
    assert_eq!(
        notes(r#""exempt.undock.dev/DKR101":"until=2027-01-01; reason=x""#),
        Value::Null
    );
}

#[test]
fn a_label_that_looks_like_ours_and_says_nothing_is_told() {
    let label = r#""undock.dev/mod":"enforce""#;
    let body = crate::support::reviews::bytes(&crate::support::reviews::create(
        serde_json::from_str(&namespace(label, "")).unwrap(),
    ));
    let reviewed = review(&body, &policy(Mode::Warn, "")).unwrap();
    let answer = crate::support::answer::Answer::parse(&reviewed.response);
    assert!(answer.allowed);
    let warning = &answer.warnings[0];
    assert!(
        warning.contains("undock.dev/mod is known") && warning.len() <= 120,
        "{warning}"
    );
}
