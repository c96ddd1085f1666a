//! ConfigMaps of the controller in undock's own namespace, written only where they differ.

use hyper::Method;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use serde_json::json;

use super::{LeaderGuard, write_outcome};
use crate::api::ApiError;
use crate::api::path::resource;
use crate::api::request::{read, write};

/// Bytes of text in a ConfigMap, of which the API server takes 1 MiB.
const MAX_TEXT: usize = 1_000_000;
/// The key of the lines.
const KEY: &str = "list";

/// The lines of ConfigMap `name`; none if it does not exist.
///
/// # Errors
/// See [`ApiError`].
pub(super) async fn lines(client: &Client, name: &str) -> Result<Vec<String>, ApiError> {
    match read::<ConfigMap>(client, &path(client, name)).await {
        Ok(map) => Ok(list_of(&map).lines().map(str::to_owned).collect()),
        Err(ApiError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Makes ConfigMap `name` hold `lines`. What does not fit is left out and logged.
///
/// # Errors
/// See [`ApiError`].
pub(super) async fn keep(
    client: &Client,
    name: &str,
    lines: impl Iterator<Item = String>,
    guard: &LeaderGuard<'_>,
) -> Result<(), ApiError> {
    let (mut list, mut left_out) = (String::new(), 0);
    for line in lines {
        if list.len() + line.len() < MAX_TEXT {
            list.push_str(&line);
            list.push('\n');
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        tracing::warn!(name, left_out, "the ConfigMap is full");
    }
    let path = path(client, name);
    let before = match read::<ConfigMap>(client, &path).await {
        Ok(map) if list_of(&map) == list => return Ok(()),
        Ok(map) => Some(map.metadata.resource_version),
        Err(ApiError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    if !guard.is_held() {
        return Ok(());
    }
    let mut map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {KEY: list},
        "metadata": {
            "name": name,
            "labels": {
                "app.kubernetes.io/name": "undock",
                "app.kubernetes.io/managed-by": "undock",
            },
        },
    });
    let written = match before {
        Some(version) => {
            map["metadata"]["resourceVersion"] = version.into();
            write(client, Method::PUT, &path, Some(&map)).await
        }
        None => {
            let all = resource("", "v1", client.default_namespace(), "configmaps", "");
            write(client, Method::POST, &all, Some(&map)).await
        }
    };
    let outcome = written.as_ref().map_or_else(write_outcome, |()| "updated");
    guard.count("configmap", outcome);
    written
}

fn list_of(map: &ConfigMap) -> &str {
    let data = map.data.as_ref();
    data.and_then(|data| data.get(KEY))
        .map_or("", String::as_str)
}

fn path(client: &Client, name: &str) -> String {
    resource("", "v1", client.default_namespace(), "configmaps", name)
}
