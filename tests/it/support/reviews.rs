//! Bodies as an API server sends them: objects, reviews around them, and Go's order of fields.

use std::path::PathBuf;

use serde_json::{Value, json};

/// The uid of every review made here.
pub(crate) const UID: &str = "2f069c3b-24c9-4d50-b7a5-73a194d1e60e";

/// A Pod that nothing is wrong with.
pub(crate) fn clean_pod() -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "web", "namespace": "ci"},
        "spec": {"containers": [{"name": "app", "image": "nginx:1.29"}]},
    })
}

/// A Pod that mounts the Docker socket, and nothing else.
pub(crate) fn socket_pod() -> Value {
    let mut pod = clean_pod();
    pod["metadata"]["name"] = json!("builder");
    pod["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "sock", "mountPath": "/var/run/docker.sock"}]);
    pod["spec"]["volumes"] =
        json!([{"name": "sock", "hostPath": {"path": "/var/run/docker.sock"}}]);
    pod
}

/// `pod` in a Deployment.
pub(crate) fn deployment(pod: &Value) -> Value {
    json!({
        "kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": {"name": "runner", "namespace": "ci"},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "runner"}}, "spec": pod["spec"]}},
    })
}

/// A Pod with `count` containers, each of which mounts the Docker socket through a volume of its own.
pub(crate) fn socket_pod_times(count: usize) -> Value {
    let mut pod = clean_pod();
    let names = 0..count;
    pod["spec"]["containers"] = names
        .clone()
        .map(|i| json!({"name": format!("c{i}"), "image": "nginx:1.29", "volumeMounts": [{"name": format!("v{i}"), "mountPath": "/s"}]}))
        .collect();
    pod["spec"]["volumes"] = names
        .map(|i| json!({"name": format!("v{i}"), "hostPath": {"path": "/var/run/docker.sock"}}))
        .collect();
    pod
}

/// The CREATE of `object` by a person.
pub(crate) fn create(object: Value) -> Value {
    let (group, resource) = match object["kind"].as_str() {
        Some("Deployment") => ("apps", "deployments"),
        Some("Namespace") => ("", "namespaces"),
        _ => ("", "pods"),
    };
    json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": UID,
            "kind": {"group": group, "version": "v1", "kind": object["kind"]},
            "resource": {"group": group, "version": "v1", "resource": resource},
            "name": object["metadata"]["name"],
            "namespace": "ci",
            "operation": "CREATE",
            "userInfo": {"username": "admin", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
        },
    })
}

/// The UPDATE of `old` to `new` by a person.
pub(crate) fn update(old: Value, new: Value) -> Value {
    let mut review = create(new);
    review["request"]["operation"] = json!("UPDATE");
    review["request"]["oldObject"] = old;
    review
}

/// `review` with another value at a JSON pointer below `request`; the field is made where there is none.
pub(crate) fn with(mut review: Value, field: &str, value: Value) -> Value {
    let mut place = &mut review["request"];
    for key in field.split('.') {
        place = match key.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[key],
        };
    }
    *place = value;
    review
}

/// The fields of a request in the order in which Go writes them (k8s.io/api: admission/v1/types.go).
const ORDER: [&str; 13] = [
    "uid",
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "object",
    "oldObject",
    "dryRun",
];

/// The body of `review`, its fields in Go's order: the uid comes long before the object.
pub(crate) fn bytes(review: &Value) -> Vec<u8> {
    let request = review["request"].as_object().expect("a request");
    assert!(
        request.keys().all(|key| ORDER.contains(&key.as_str())),
        "a field without a place"
    );
    let fields: Vec<String> = ORDER
        .iter()
        .filter_map(|key| Some(format!("\"{key}\":{}", request.get(*key)?)))
        .collect();
    let body = format!(
        "{{\"kind\":{},\"apiVersion\":{},\"request\":{{{}}}}}\n",
        review["kind"],
        review["apiVersion"],
        fields.join(",")
    );
    body.into_bytes()
}

/// The folder of captured reviews, if it is there: `$UNDOCK_TEST_SHARED/captures/reviews`, or beside the checkout.
pub(crate) fn captured() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("UNDOCK_TEST_SHARED").map_or(beside, PathBuf::from);
    let folder = shared.join("captures/reviews");
    folder.is_dir().then_some(folder)
}
