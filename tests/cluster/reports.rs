//! The two APIs for reports, as far as undock uses them: definitions for the API server, and what it holds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kubectl::Kubectl;
use crate::process::eventually;

/// Reports and ClusterReports of openreports.io/v1alpha1.
pub(crate) fn open_reports() -> Vec<Value> {
    let names = [
        ("reports", "Report", "Namespaced"),
        ("clusterreports", "ClusterReport", "Cluster"),
    ];
    names
        .map(|(plural, kind, scope)| {
            definition("openreports.io", "v1alpha1", plural, kind, scope, true)
        })
        .into()
}

/// PolicyReports and ClusterPolicyReports of wgpolicyk8s.io/v1alpha2.
pub(crate) fn policy_reports() -> Vec<Value> {
    let names = [
        ("policyreports", "PolicyReport", "Namespaced"),
        ("clusterpolicyreports", "ClusterPolicyReport", "Cluster"),
    ];
    names
        .map(|(plural, kind, scope)| {
            definition("wgpolicyk8s.io", "v1alpha2", plural, kind, scope, false)
        })
        .into()
}

/// Installs `definitions`, unless they are there already, and waits until they are served.
pub(crate) fn install(kubectl: &Kubectl, definitions: &[Value]) {
    for definition in definitions {
        kubectl.run_with("apply -f -", definition).assert_accepted();
        let name = definition["metadata"]["name"]
            .as_str()
            .expect("it has a name");
        eventually("the kind is served", Duration::from_secs(20), || {
            kubectl.run(&format!("get {name}")).accepted()
        });
    }
}

/// Takes `definitions` away, with all their objects.
pub(crate) fn remove(kubectl: &Kubectl, definitions: &[Value]) {
    for definition in definitions {
        let name = definition["metadata"]["name"]
            .as_str()
            .expect("it has a name");
        kubectl.run(&format!("delete crd {name}")).assert_accepted();
    }
}

/// All reports of the cluster by namespace and name, with their versions.
pub(crate) fn versions(kubectl: &Kubectl) -> BTreeMap<String, String> {
    let list = kubectl.json("get reports.openreports.io,clusterreports.openreports.io -A");
    let text = |item: &Value, field: &str| {
        item["metadata"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let items = list["items"].as_array().into_iter().flatten();
    items
        .map(|item| {
            (
                format!("{}/{}", text(item, "namespace"), text(item, "name")),
                text(item, "resourceVersion"),
            )
        })
        .collect()
}

/// As their authors define it: what is not in the schema is dropped by the API server, as it would be in a real cluster.
fn definition(
    group: &str,
    version: &str,
    plural: &str,
    kind: &str,
    scope: &str,
    has_source: bool,
) -> Value {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
    let words = |words: &[&str]| json!({"type": "string", "enum": words});
    let fields = [
        "apiVersion",
        "fieldPath",
        "kind",
        "name",
        "namespace",
        "resourceVersion",
        "uid",
    ];
    let fields: serde_json::Map<String, Value> = fields
        .iter()
        .map(|name| ((*name).to_owned(), text.clone()))
        .collect();
    let reference =
        json!({"type": "object", "properties": fields, "x-kubernetes-map-type": "atomic"});
    let result = json!({"type": "object", "required": ["policy"], "properties": {
        "category": text, "message": text, "policy": text, "rule": text, "source": text, "scored": {"type": "boolean"},
        "properties": {"type": "object", "additionalProperties": text},
        "resources": {"type": "array", "items": reference},
        "result": words(&["pass", "fail", "warn", "error", "skip"]),
        "severity": words(&["critical", "high", "low", "medium", "info"]),
        "timestamp": {"type": "object", "required": ["nanos", "seconds"], "properties": {
            "nanos": {"type": "integer", "format": "int32"}, "seconds": {"type": "integer", "format": "int64"}}}}});
    let counts =
        json!({"error": number, "fail": number, "pass": number, "skip": number, "warn": number});
    let mut properties = json!({"apiVersion": text, "kind": text, "metadata": {"type": "object"}, "scope": reference,
        "results": {"type": "array", "items": result}, "summary": {"type": "object", "properties": counts}});
    if has_source {
        properties["source"] = text.clone();
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": scope,
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{"name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}}]}})
}
