//! One engine: an object gets the same findings from the webhook and from the check of files.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use undock::admission;
use undock::check::{Input, check};
use undock::decision::{Judged, Mode, Policy};
use undock::finding::{Context, Target};

/// What must be equal: everything of a finding that people or programs see.
fn essence(judged: &Judged) -> String {
    let finding = &judged.finding;
    format!(
        "{} {} {} {} {} {:?} {} | {} | {}",
        finding.rule.code,
        finding.field,
        finding.certainty,
        finding.impact,
        judged.action,
        finding.container,
        judged.fingerprint,
        finding.evidence,
        finding.message()
    )
}

fn by_check(text: &str, policy: &Policy) -> Vec<String> {
    let checked = check(&[Input::new("file", text)], "team", policy);
    assert!(checked.errors.is_empty(), "{:?} in\n{text}", checked.errors);
    checked
        .objects
        .iter()
        .flat_map(|object| &object.findings)
        .map(|placed| essence(&placed.judged))
        .collect()
}

fn by_webhook(object: &Value, policy: &Policy) -> Vec<String> {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "7f0c9a2e-0000-4000-8000-000000000001",
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE",
            "namespace": "team",
            "userInfo": {"username": "ada"},
            "object": object
        }
    });
    let reviewed = admission::review(review.to_string().as_bytes(), policy).unwrap();
    assert!(
        reviewed.failure.is_none(),
        "{:?} in\n{object}",
        reviewed.decision.error
    );
    reviewed.decision.findings.iter().map(essence).collect()
}

/// Kinds whose texts only the check reads: no webhook is registered for them.
const BY_TEXTS: [&str; 47] = [
    "AdmissionPolicy",
    "Application",
    "ApplicationSet",
    "BuildConfig",
    "ChaosBlade",
    "ChaosEngine",
    "Cluster",
    "ClusterConfig",
    "ClusterInput",
    "ClusterPolicy",
    "ConfigManagementPlugin",
    "ConfigMap",
    "ContainerNodePool",
    "DatadogAgent",
    "DatadogMetric",
    "EC2NodeClass",
    "FluentbitAgent",
    "GrafanaDashboard",
    "HelmChart",
    "HelmChartConfig",
    "HelmRelease",
    "HorizontalPodAutoscaler",
    "InitConfiguration",
    "InstanceGroup",
    "K8sPSPHostFilesystem",
    "K8sPSPSeccomp",
    "KThreesConfigTemplate",
    "KubeadmConfig",
    "KubeadmConfigTemplate",
    "KubeadmControlPlane",
    "Kustomization",
    "LaunchTemplate",
    "MachineConfig",
    "MutatingAdmissionPolicy",
    "Node",
    "OpenTelemetryCollector",
    "PodSecurityPolicy",
    "PolicyException",
    "PrometheusRule",
    "Provisioner",
    "ScaledObject",
    "Secret",
    "SecurityContextConstraints",
    "ServiceMonitor",
    "Shoot",
    "VMRule",
    "ValidatingAdmissionPolicy",
];

/// Custom resources whose pods lie elsewhere than in a pod template of their own: the webhook meets those pods as Pods.
const BY_INNER_PODS: [&str; 8] = [
    "Beat",
    "Plan",
    "ScaledJob",
    "SparkApplication",
    "StepAction",
    "Task",
    "Workflow",
    "WorkflowTemplate",
];

/// The objects of `document`, lists unwrapped.
fn objects(document: Value) -> Vec<Value> {
    match document.get("items") {
        Some(Value::Array(items)) => items.iter().cloned().flat_map(objects).collect(),
        _ => vec![document],
    }
}

fn fixtures() -> Vec<Value> {
    let mut found = Vec::new();
    for folder in
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules")).unwrap()
    {
        for file in ["flags.yaml", "passes.yaml"] {
            let text = fs::read_to_string(folder.as_ref().unwrap().path().join(file)).unwrap();
            for document in text.split("\n---\n") {
                found.extend(objects(
                    serde_saphyr::from_str(document)
                        .unwrap_or_else(|error| panic!("{error} in\n{document}")),
                ));
            }
        }
    }
    let is_common = |kind: &str| !BY_TEXTS.contains(&kind) && !BY_INNER_PODS.contains(&kind);
    found.retain(|object| object["kind"].as_str().is_some_and(is_common));
    found
}

#[test]
fn webhook_and_check_agree_on_every_fixture() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 300, "only {} objects", fixtures.len());
    let mut findings = 0;
    for target in [Target::Containerd, Target::CriO, Target::CriDockerd] {
        for mode in [Mode::Enforce, Mode::Warn] {
            let policy = Policy {
                mode,
                context: Context { target },
                ..Policy::default()
            };
            for object in &fixtures {
                let webhook = by_webhook(object, &policy);
                // The same text, laid out for people and for machines.
                assert_eq!(webhook, by_check(&object.to_string(), &policy), "{object}");
                assert_eq!(
                    webhook,
                    by_check(&serde_json::to_string_pretty(object).unwrap(), &policy),
                    "{object}"
                );
                assert_eq!(
                    webhook,
                    by_check(&serde_saphyr::to_string(object).unwrap(), &policy),
                    "{object}"
                );
                findings += webhook.len();
            }
        }
    }
    assert!(findings > 1000, "only {findings} findings were compared");
}

#[test]
fn the_same_bytes_twice_give_the_same_answer() {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    for object in fixtures().iter().take(60) {
        assert_eq!(by_webhook(object, &policy), by_webhook(object, &policy));
    }
}

#[test]
fn escapes_of_json_hide_nothing() {
    let path: String = "/var/run/docker.sock"
        .chars()
        .map(|c| format!("\\u{:04x}", u32::from(c)))
        .collect();
    let text = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{{\"containers\":[{{\"name\":\"a\",\"image\":\"x\",\"volumeMounts\":[{{\"name\":\"s\",\"mountPath\":\"/s\"}}]}}],\
         \"volumes\":[{{\"name\":\"s\",\"hostPath\":{{\"path\":\"{path}\"}}}}]}}}}"
    );
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    let found = by_check(&text, &policy);
    assert!(
        found[0].starts_with("DKR101 spec.volumes[0].hostPath.path "),
        "{found:?}"
    );
    let body = format!(
        "{{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{{\"uid\":\"1\",\"resource\":{{\"resource\":\"pods\"}},\
         \"operation\":\"CREATE\",\"namespace\":\"team\",\"object\":{text}}}}}"
    );
    let reviewed = admission::review(body.as_bytes(), &policy).unwrap();
    assert_eq!(
        reviewed
            .decision
            .findings
            .iter()
            .map(essence)
            .collect::<Vec<_>>(),
        found
    );
}
