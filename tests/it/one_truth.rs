//! One truth: webhook, record, audit log, check, scan and report say the same of the same object.
//!
//! Each case is one object with what is right about it. Whatever judges it must give these findings, actions, this owner
//! and this status, with the same fingerprints.

mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cases::{Case, cases};
use serde_json::{Value, json};
use undock::admission::review_within;
use undock::check::{Input, check};
use undock::config::Config;
use undock::decision::exemption::{Exemption, Scope};
use undock::decision::facts::ClusterFacts;
use undock::decision::namespace::NamespaceSettings;
use undock::decision::{Mode, OwnerExemptions, Policy};
use undock::output::scan_json;
use undock::report::Reporter;
use undock::scan::Scanned;
use undock::workload::budget::Budget;

use crate::support::fake_api::FakeApi;
use crate::support::reviews;

const TODAY: &str = "2026-11-23";

/// A finding as every output tells it: rule, fingerprint, action, and whether `enforce` refuses it.
type Told = (String, String, String, bool);

/// What one output tells: the owner, and the findings.
#[derive(Debug, Default, PartialEq)]
struct Telling {
    owner: String,
    findings: BTreeSet<Told>,
}

fn policy(case: &Case, mode: Mode) -> Policy {
    let config = Config::parse(&case.config, std::path::Path::new("undock.yaml")).unwrap();
    Policy {
        today: || TODAY.parse().unwrap(),
        ..config.policy(Some(mode))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pairs(map: &Value) -> Vec<(String, String)> {
    let map = map.as_object().into_iter().flatten();
    map.map(|(key, value)| (key.clone(), text(value))).collect()
}

/// The policy with a watch that knows the namespace.
fn watching(case: &Case) -> Policy {
    let facts = ClusterFacts::default();
    facts.set_watching();
    facts.set_warm();
    let (labels, annotations) = (pairs(&case.labels), pairs(&case.annotations));
    let refer = |(key, value): &(String, String)| (key.clone(), value.clone());
    let labels: Vec<_> = labels.iter().map(refer).collect();
    let settings = NamespaceSettings::read(
        labels
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
        annotations
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    );
    facts.set_namespace("ci", Some(settings));
    Policy {
        facts: Arc::new(facts),
        ..policy(case, case.mode)
    }
}

/// The answer of the webhook and the record of it.
fn by_webhook(case: &Case) -> (Value, Option<Value>) {
    let request = json!({
        "uid": reviews::UID,
        "resource": {"group": case.group(), "version": "v1", "resource": case.resource()},
        "subResource": case.sub_resource,
        "name": case.object["metadata"]["name"],
        "namespace": "ci",
        "operation": if case.old.is_null() { "CREATE" } else { "UPDATE" },
        "userInfo": {"username": case.user, "groups": ["builders"]},
        "object": case.object,
        "oldObject": case.old,
    });
    let review = json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request,
    });
    let owner = (!case.owner_annotations.is_null()).then(|| OwnerExemptions {
        exemptions: pairs(&case.owner_annotations)
            .iter()
            .filter_map(|(key, value)| Exemption::from_annotation(key, value, Scope::Workload))
            .collect(),
        problem: None,
    });
    let policy = watching(case);
    let body = reviews::bytes(&review);
    let first = review_within(&body, &policy, Budget::OBJECT, None).unwrap();
    assert_eq!(
        first.decision.unread_owner.is_some(),
        owner.is_some(),
        "{}: its owner is asked exactly where it has a say",
        case.name
    );
    let reviewed = match &owner {
        Some(owner) => review_within(&body, &policy, Budget::OBJECT, Some(owner)).unwrap(),
        None => first,
    };
    let mut record = reviewed
        .record
        .map(|record| serde_json::to_value(record).unwrap());
    if let Some(record) = &mut record {
        record["@timestamp"] = json!(format!("{TODAY}T10:00:00.000Z"));
    }
    let answer: Value = serde_json::from_slice(&reviewed.response).unwrap();
    (answer["response"].clone(), record)
}

/// What the audit annotations tell.
fn annotated(response: &Value) -> Telling {
    let annotations = &response["auditAnnotations"];
    let owner = text(&annotations["owner"]);
    let path = owner.split(' ').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let findings = text(&annotations["findings"]);
    let told = findings
        .split("; ")
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let words: Vec<&str> = entry.split(' ').collect();
            let (action, enforced) = words[2].split_once('/').unwrap_or((words[2], words[2]));
            (
                words[0].to_owned(),
                words[1].to_owned(),
                action.to_owned(),
                enforced == "deny",
            )
        });
    Telling {
        owner: if parts.len() == 4 {
            format!("{}/{}", parts[1], parts[3])
        } else {
            String::new()
        },
        findings: told.collect(),
    }
}

fn recorded(record: &Value) -> Telling {
    let findings = record["findings"].as_array().unwrap().iter();
    Telling {
        owner: format!(
            "{}/{}",
            text(&record["owner.kind"]),
            text(&record["owner.name"])
        ),
        findings: findings
            .map(|finding| {
                let code = text(&finding["rule.id"]);
                told(&code, finding, finding["denies"].as_bool().unwrap())
            })
            .collect(),
    }
}

fn told(code: &str, finding: &Value, denies: bool) -> Told {
    (
        code.to_owned(),
        text(&finding["fingerprint"]),
        text(&finding["action"]),
        denies,
    )
}

/// What a check in mode `enforce` tells of the object, beside its Namespace.
fn by_check(case: &Case) -> Telling {
    let text = format!("{}\n{}", case.object, case.namespace());
    let checked = check(
        &[Input::new("a.json", text)],
        "ci",
        &policy(case, Mode::Enforce),
    );
    assert!(
        checked.errors.is_empty(),
        "{}: {:?}",
        case.name,
        checked.errors
    );
    let mut out = Vec::new();
    undock::output::check_json::write(&mut out, &checked).unwrap();
    let report: Value = serde_json::from_slice(&out).unwrap();
    let object = &report["objects"][0];
    let findings = object["findings"].as_array().unwrap();
    let owner = match findings.iter().find(|finding| !finding["owner"].is_null()) {
        Some(finding) => &finding["owner"],
        None => &object["owner"],
    };
    let judged = checked.objects[0].findings.iter();
    Telling {
        owner: format!(
            "{}/{}",
            owner["kind"].as_str().unwrap(),
            owner["name"].as_str().unwrap()
        ),
        findings: findings
            .iter()
            .zip(judged)
            .map(|(finding, placed)| {
                let denies = placed.judged.unlimited == undock::finding::Action::Deny;
                told(finding["rule"].as_str().unwrap(), finding, denies)
            })
            .collect(),
    }
}

/// A scan in mode `enforce` of a cluster that holds the object, and whatever stands beside it.
fn by_scan(case: &Case) -> (Scanned, Policy) {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut stored = case.object.clone();
    stored["metadata"]["uid"] = json!("u");
    for object in std::iter::once(&stored).chain(&case.beside) {
        lists
            .entry(Case::path_of(object))
            .or_default()
            .push(object.clone());
    }
    let namespaces = FakeApi::new().with("/api/v1/namespaces", vec![case.namespace()]);
    let api = lists
        .into_iter()
        .fold(namespaces, |api, (path, objects)| api.with(&path, objects));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let policy = policy(case, Mode::Enforce);
    let scanned = runtime.block_on(async {
        let scope = Default::default();
        undock::scan::scan(&api.client(), &scope, &policy, &mut |_| ()).await
    });
    (scanned.unwrap(), policy)
}

fn scan_document(scanned: &Scanned, policy: &Policy) -> Value {
    let mut out = Vec::new();
    let scope = undock::scan::Scope::default();
    let about = scan_json::About {
        cluster: "",
        time: format!("{TODAY}T10:00:00Z"),
        scope: &scope,
    };
    scan_json::write(&mut out, scanned, policy, &about).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn scanned(document: &Value, owner: &str) -> Telling {
    let objects = document["objects"].as_array().unwrap().iter();
    let title = |object: &Value| format!("{}/{}", text(&object["kind"]), text(&object["name"]));
    let Some(object) = objects.clone().find(|object| title(object) == owner) else {
        return Telling::default();
    };
    let findings = object["findings"].as_array().unwrap().iter();
    Telling {
        owner: title(object),
        findings: findings
            .map(|finding| {
                let code = text(&finding["rule"]);
                told(&code, finding, finding["denies"].as_bool().unwrap())
            })
            .collect(),
    }
}

/// Owner, fingerprint, whether `enforce` refuses it, and status of every finding of a report on `input`.
fn by_report(input: &Value) -> BTreeSet<(String, String, bool, String)> {
    let mut reporter = Reporter::new(Default::default());
    reporter.read("input", format!("{input}\n").as_bytes());
    let mut report = Vec::new();
    undock::report::json::write(&mut report, &reporter.finish()).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let owner = &finding["owner"];
            (
                format!("{}/{}", text(&owner["kind"]), text(&owner["name"])),
                text(&finding["fingerprint"]),
                finding["denies"].as_bool().unwrap(),
                text(&finding["status"]),
            )
        })
        .collect()
}

/// The event of the audit log.
fn event(case: &Case, response: &Value) -> Value {
    let webhook = if case.resource() == "pods" {
        "pods"
    } else {
        "workloads"
    };
    let annotations: BTreeMap<String, &Value> = response["auditAnnotations"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (format!("{webhook}.undock.dev/{key}"), value))
        .collect();
    let is_allowed = response["allowed"] == true;
    let code = if is_allowed { 201 } else { 403 };
    let time = format!("{TODAY}T10:00:00.000000Z");
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a",
        "stage": "ResponseComplete", "verb": if case.old.is_null() { "create" } else { "update" },
        "user": {"username": case.user}, "annotations": annotations,
        "objectRef": {
            "resource": case.resource(), "namespace": "ci", "name": case.object["metadata"]["name"],
            "apiGroup": case.group(), "apiVersion": "v1", "subresource": case.sub_resource,
        },
        "responseStatus": {"code": code}, "requestReceivedTimestamp": time, "stageTimestamp": time,
    })
}

/// Codes and actions alone.
fn actions(telling: &Telling) -> Vec<(&str, &str)> {
    let findings = telling.findings.iter();
    findings
        .map(|(code, _, action, _)| (code.as_str(), action.as_str()))
        .collect()
}

/// Everything but the actions: these depend on mode, writer and time.
fn identities(telling: &Telling) -> BTreeSet<(&str, &str, bool)> {
    let findings = telling.findings.iter();
    findings
        .map(|(code, fingerprint, _, denies)| (code.as_str(), fingerprint.as_str(), *denies))
        .collect()
}

#[test]
fn everything_says_the_same_of_the_same_object() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    for case in &cases {
        verify(case);
    }
}

fn verify(case: &Case) {
    let name = case.name;
    let (response, record) = by_webhook(case);
    assert_eq!(
        response["auditAnnotations"]["decision"], case.decision,
        "{name}: {response}"
    );
    assert_eq!(response["allowed"], case.decision != "deny", "{name}");
    let annotated = annotated(&response);
    assert_eq!(actions(&annotated), case.actions, "{name}: webhook");
    assert_eq!(record.is_some(), !case.actions.is_empty(), "{name}: record");
    // What was not looked for is not called clean without a word.
    let is_off = case.config.contains("DKR101: off");
    let rules = text(&response["auditAnnotations"]["rules"]);
    assert_eq!(rules.contains("DKR101=off"), is_off, "{name}: {rules}");

    // What the questions of check and scan are about: the object as such, under `enforce`.
    let checked = by_check(case);
    assert_eq!(actions(&checked), case.asked, "{name}: check");
    let (scan, policy) = by_scan(case);
    let off = scan_document(&scan, &policy)["rulesOff"].clone();
    assert_eq!(off == json!(["DKR101"]), is_off, "{name}: {off}");
    assert!(scan.errors.is_empty(), "{name}: {:?}", scan.errors);
    let document = scan_document(&scan, &policy);
    let scanned = scanned(&document, case.owner);
    assert_eq!(actions(&scanned), case.asked, "{name}: scan");
    assert_eq!(
        identities(&checked),
        identities(&scanned),
        "{name}: check and scan"
    );
    if !case.asked.is_empty() {
        assert_eq!(
            (checked.owner.as_str(), scanned.owner.as_str()),
            (case.owner, case.owner),
            "{name}"
        );
    }

    let of_scan: BTreeSet<_> = by_report(&document)
        .into_iter()
        .filter(|(owner, ..)| *owner == case.owner)
        .map(|(_, fingerprint, denies, _)| (fingerprint, denies))
        .collect();
    let of_findings = |telling: &Telling| -> BTreeSet<_> {
        let findings = telling.findings.iter();
        findings
            .map(|(_, fingerprint, _, denies)| (fingerprint.clone(), *denies))
            .collect()
    };
    assert_eq!(of_scan, of_findings(&scanned), "{name}: report on the scan");

    let of_log = by_report(&event(case, &response));
    let Some(record) = record else {
        assert!(of_log.is_empty(), "{name}: {of_log:?}");
        return;
    };
    let recorded = recorded(&record);
    assert_eq!(recorded, annotated, "{name}: record and audit annotations");
    assert_eq!(recorded.owner, case.owner, "{name}");
    if !case.asked.is_empty() {
        assert_eq!(
            identities(&recorded),
            identities(&checked),
            "{name}: webhook and check"
        );
    }
    let expected: BTreeSet<_> = of_findings(&recorded)
        .into_iter()
        .map(|(fingerprint, denies)| {
            (
                case.owner.to_owned(),
                fingerprint,
                denies,
                case.status.to_owned(),
            )
        })
        .collect();
    assert_eq!(by_report(&record), expected, "{name}: report on the record");
    assert_eq!(of_log, expected, "{name}: report on the audit log");
}
