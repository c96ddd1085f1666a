//! The objects that the scenarios write: one minimal object per kind, plus what a scenario needs.

use serde_json::{Value, json};

/// The host path that everything is about.
pub(crate) const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// A Pod that nothing is wrong with.
pub(crate) fn clean_pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": clean_spec()})
}

/// A bare Pod that mounts the socket of the node's Docker.
pub(crate) fn pod_on_docker_socket(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec_on_docker_socket()})
}

/// A Deployment that nothing is wrong with.
pub(crate) fn clean_deployment(name: &str, replicas: u8) -> Value {
    deployment(name, replicas, &clean_spec())
}

/// A Deployment whose Pods mount the socket of the node's Docker.
pub(crate) fn deployment_on_docker_socket(name: &str, replicas: u8) -> Value {
    deployment(name, replicas, &spec_on_docker_socket())
}

/// The same as every kind of workload that the API has, with its resource. None of them runs more than a node's worth of Pods.
pub(crate) fn workloads_on_docker_socket(name: &str) -> Vec<(&'static str, Value)> {
    let labels = json!({"app": name});
    let spec = spec_on_docker_socket();
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("Never");
    let selected = json!({"selector": {"matchLabels": labels}, "template": template});
    let replicated =
        json!({"replicas": 0, "selector": {"matchLabels": labels}, "template": template});
    let object = |api_version: &str, kind: &str, spec: &Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec});
    vec![
        ("deployments", object("apps/v1", "Deployment", &replicated)),
        ("daemonsets", object("apps/v1", "DaemonSet", &selected)),
        (
            "statefulsets",
            object("apps/v1", "StatefulSet", &replicated),
        ),
        ("replicasets", object("apps/v1", "ReplicaSet", &replicated)),
        (
            "replicationcontrollers",
            object(
                "v1",
                "ReplicationController",
                &json!({"replicas": 0, "selector": labels, "template": template}),
            ),
        ),
        (
            "podtemplates",
            json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, "template": template}),
        ),
        (
            "jobs",
            object(
                "batch/v1",
                "Job",
                &json!({"suspend": true, "template": once}),
            ),
        ),
        (
            "cronjobs",
            object(
                "batch/v1",
                "CronJob",
                &json!({"schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": {"spec": {"template": once}}}),
            ),
        ),
    ]
}

/// A PersistentVolume that is the socket of the node's Docker.
pub(crate) fn volume_on_docker_socket(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "none",
        "hostPath": {"path": DOCKER_SOCKET}}})
}

/// A strategic merge patch that mounts the socket into container `app` of a Deployment.
pub(crate) fn patch_that_mounts_docker_socket() -> Value {
    json!({"spec": {"template": {"spec": {
        "volumes": [{"name": "sock", "hostPath": {"path": DOCKER_SOCKET}}],
        "containers": [{"name": "app", "volumeMounts": [{"name": "sock", "mountPath": DOCKER_SOCKET}]}]}}}})
}

fn clean_spec() -> Value {
    // No Pod of the scenarios is ever bound to a node, so there is nothing to wait for when one is deleted.
    json!({"containers": [{"name": "app", "image": "registry.example/app:1"}]})
}

fn spec_on_docker_socket() -> Value {
    json!({
        "volumes": [{"name": "sock", "hostPath": {"path": DOCKER_SOCKET}}],
        "containers": [{"name": "app", "image": "registry.example/app:1",
                        "volumeMounts": [{"name": "sock", "mountPath": DOCKER_SOCKET}]}]})
}

fn deployment(name: &str, replicas: u8, spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": spec}}})
}
