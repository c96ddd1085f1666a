//! One write to the API server: what it came to, and nothing that waits for long.

use std::time::Duration;

use hyper::{Method, Request, StatusCode};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use crate::scan::fetch;

/// A write that takes longer is given up.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// Why a write did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WriteError {
    /// RBAC, or an admission policy.
    #[error("{0}")]
    Forbidden(String),
    /// The namespace takes nothing new, because it is being deleted.
    #[error("the namespace is being deleted")]
    Terminating,
    /// It is there already, or has changed since it was read.
    #[error("{0}")]
    Conflict(String),
    /// It, its namespace or its kind is gone.
    #[error("{0}")]
    NotFound(String),
    /// The API server refuses it or has another problem.
    #[error("{0}")]
    Failed(String),
}

impl WriteError {
    /// The word in metrics and logs.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Conflict(_) => "conflict",
            Self::Terminating | Self::NotFound(_) => "gone",
            Self::Failed(_) => "failed",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    causes: Vec<Cause>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
}

/// Sends `body` to `path`.
///
/// # Errors
/// See [`WriteError`].
pub(super) async fn send(
    client: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(), WriteError> {
    let body = body.map(ToString::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Accept", "application/json")
        .header("Content-Type", "application/json");
    let request = request
        .body(Body::from(body.into_bytes()))
        .map_err(|error| WriteError::Failed(error.to_string()))?;
    let answer = timeout(TIMEOUT, fetch::answer(client, request)).await;
    let answer = answer.map_err(|_| WriteError::Failed(format!("no answer within {TIMEOUT:?}")))?;
    let (head, body) = answer
        .map_err(|error| WriteError::Failed(error.to_string()))?
        .into_parts();
    if head.status.is_success() {
        Ok(())
    } else {
        Err(refused(head.status, &body))
    }
}

/// What a refusal means.
fn refused(code: StatusCode, body: &[u8]) -> WriteError {
    let status: Status = serde_json::from_slice(body).unwrap_or_default();
    let is_terminating = status
        .details
        .unwrap_or_default()
        .causes
        .iter()
        .any(|cause| cause.reason == "NamespaceTerminating");
    let message = if status.message.is_empty() {
        code.to_string()
    } else {
        status.message
    };
    match code {
        StatusCode::FORBIDDEN if is_terminating => WriteError::Terminating,
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => WriteError::Forbidden(message),
        StatusCode::CONFLICT => WriteError::Conflict(message),
        StatusCode::NOT_FOUND => WriteError::NotFound(message),
        _ => WriteError::Failed(message),
    }
}
