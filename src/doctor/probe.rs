//! A Pod with a docker.sock mount, as a dry run: does undock say anything?

use hyper::{Request, StatusCode};
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::{Check, Installation, read};
use crate::api::request;
use crate::decision::namespace::MODE_LABEL;

const ID: &str = "probe";

/// Sends the probe. Nothing is stored, and undock marks the review as a dry run.
pub(super) async fn examine(client: &Client, installation: &Installation) -> Check {
    let namespace = &installation.probe_namespace;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "undock-doctor-"},
        "spec": {
            "volumes": [{"name": "sock", "hostPath": {"path": "/var/run/docker.sock"}}],
            "containers": [{"name": "probe", "image": "registry.example/probe:1",
                            "volumeMounts": [{"name": "sock",
                            "mountPath": "/var/run/docker.sock"}]}],
        },
    });
    let uri = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All&fieldManager=undock-doctor");
    let request = Request::post(uri)
        .header("Content-Type", "application/json")
        .body(Body::from(pod.to_string().into_bytes()));
    let answer = match request {
        Ok(request) => request::send(client, request).await,
        Err(error) => {
            return Check::fail(
                ID,
                error.to_string(),
                "name another namespace with --probe-namespace",
            );
        }
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Check::unread(ID, &error),
    };
    let warnings = answer
        .headers()
        .get_all("warning")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let is_warned = warnings
        .into_iter()
        .any(|warning| warning.contains("DKR101"));
    let status: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let message = status["message"].as_str().unwrap_or_default();
    match answer.status() {
        code if code.is_success() && is_warned => Check::ok(
            ID,
            format!("a dry run with docker.sock in namespace {namespace} was warned about"),
        ),
        code if code.is_success() => silent(client, namespace).await,
        StatusCode::FORBIDDEN if message.contains("DKR101") => Check::ok(
            ID,
            format!("a dry run with docker.sock in namespace {namespace} was refused"),
        ),
        _ if message.contains("failed calling webhook") => Check::fail(
            ID,
            format!("the API server does not reach undock: {message}"),
            "see the checks service, endpoints, ca-bundle and certificate",
        ),
        StatusCode::FORBIDDEN if message.contains("cannot create resource") => {
            let cure = "run it as somebody who may create Pods there; a dry run stores nothing";
            Check {
                is_incomplete: true,
                ..Check::skipped(ID, message, cure)
            }
        }
        code => {
            let cure = "name a namespace that takes Pods with a hostPath with --probe-namespace";
            Check {
                is_incomplete: true,
                ..Check::skipped(
                    ID,
                    format!("the probe was refused by something else ({code}): {message}"),
                    cure,
                )
            }
        }
    }
}

/// The probe passed without a word, which two modes ask for.
async fn silent(client: &Client, namespace: &str) -> Check {
    let labels = read::<Namespace>(client, &format!("/api/v1/namespaces/{namespace}")).await;
    let labels = labels
        .ok()
        .and_then(|namespace| namespace.metadata.labels)
        .unwrap_or_default();
    match labels.get(MODE_LABEL).map(String::as_str) {
        Some(mode @ ("audit" | "off")) => Check::skipped(
            ID,
            format!("namespace {namespace} is in mode {mode}, in which nothing is said"),
            "name a namespace in mode warn, freeze or enforce with --probe-namespace",
        ),
        _ => Check::fail(
            ID,
            format!(
                "a dry run with docker.sock passed in namespace {namespace} without a word: \
                 undock was not asked, or did not answer in time"
            ),
            "see the other checks; a default mode of audit or off, or a namespaceSelector, has \
             the same effect",
        ),
    }
}
