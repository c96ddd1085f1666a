//! Single requests to the API server: reads that are tried again, writes that are not, and what a
//! refusal means.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Method, Request, Response, StatusCode};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Client;
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::MAX_OBJECT;

/// Attempts for one read.
pub(super) const ATTEMPTS: u32 = 4;
/// A write that takes longer is given up.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the API server did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// RBAC, or an admission policy.
    #[error("{0}")]
    Forbidden(String),
    /// The API server does not know who asks.
    #[error("the API server does not accept the credentials: {0}")]
    Unauthorized(String),
    /// The object, its namespace or its kind does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The object exists already, or has changed since it was read.
    #[error("{0}")]
    Conflict(String),
    /// The namespace accepts no new objects.
    #[error("the namespace is being deleted")]
    Terminating,
    /// The token of the next page, or the version to watch from, is too old.
    #[error("the list changed faster than it could be read")]
    Expired {
        /// A token that continues with newer objects; may be empty.
        token: String,
    },
    /// Another status.
    #[error("{code}: {message}")]
    Status {
        /// HTTP status.
        code: u16,
        /// Its message.
        message: String,
    },
    /// No answer.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// The answer is not the JSON that was expected.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// The answer is larger than [`MAX_OBJECT`].
    #[error("the answer is larger than {} MiB", MAX_OBJECT >> 20)]
    TooLarge,
}

impl ApiError {
    /// The word used in outputs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Unauthorized(_) => "unauthorized",
            Self::NotFound(_) => "not-found",
            Self::Conflict(_) => "conflict",
            Self::Terminating => "terminating",
            Self::Expired { .. } => "expired",
            Self::Status { .. } => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Unreadable(_) => "unreadable",
            Self::TooLarge => "too-large",
        }
    }

    /// True if the same request may succeed a moment later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_)
                | Self::Unreadable(_)
                | Self::Status {
                    code: 429 | 500..=599,
                    ..
                }
        )
    }

    /// What a refusal means.
    pub(super) fn from_status(code: StatusCode, body: &[u8]) -> Self {
        let status: Status = serde_json::from_slice(body).unwrap_or_default();
        let causes = status.details.and_then(|details| details.causes);
        let is_terminating = causes
            .iter()
            .flatten()
            .any(|cause| cause.reason.as_deref() == Some("NamespaceTerminating"));
        let message = status.message.filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| code.to_string());
        match code {
            StatusCode::FORBIDDEN if is_terminating => Self::Terminating,
            StatusCode::FORBIDDEN => Self::Forbidden(message),
            StatusCode::UNAUTHORIZED => Self::Unauthorized(message),
            StatusCode::NOT_FOUND => Self::NotFound(message),
            StatusCode::CONFLICT => Self::Conflict(message),
            StatusCode::GONE => Self::Expired {
                token: status.metadata.continue_.unwrap_or_default(),
            },
            code => Self::Status {
                code: code.as_u16(),
                message,
            },
        }
    }
}

/// Reads `uri`; failures that may pass are tried again.
///
/// # Errors
/// See [`ApiError`].
pub async fn get(client: &Client, uri: &str) -> Result<Bytes, ApiError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match get_once(client, uri).await {
            Err(error) if error.is_passing() && attempt < ATTEMPTS => pause(attempt).await,
            other => return other,
        }
    }
}

/// The pause after a failed attempt.
pub(super) async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
}

/// Reads `uri` without a second attempt.
///
/// # Errors
/// See [`ApiError`].
pub async fn get_once(client: &Client, uri: &str) -> Result<Bytes, ApiError> {
    get_as(client, uri, "application/json").await
}

/// Reads the metadata of the object at `path` and nothing else of it, without a second attempt.
///
/// # Errors
/// See [`ApiError`].
pub async fn get_metadata(client: &Client, path: &str) -> Result<Bytes, ApiError> {
    let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    get_as(client, path, accept).await
}

async fn get_as(client: &Client, uri: &str, accept: &str) -> Result<Bytes, ApiError> {
    let request = Request::get(uri)
        .header("Accept", accept)
        .body(Body::empty())
        .map_err(|error| ApiError::Unreadable(error.to_string()))?;
    successful(send(client, request).await?)
}

/// Reads the object at `path`, without a second attempt.
///
/// # Errors
/// See [`ApiError`].
pub async fn read<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T, ApiError> {
    let body = get_once(client, path).await?;
    serde_json::from_slice(&body).map_err(|error| ApiError::Unreadable(error.to_string()))
}

/// Sends `body` to `path`, within [`WRITE_TIMEOUT`] and without a second attempt.
///
/// # Errors
/// See [`ApiError`].
pub async fn write(
    client: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(), ApiError> {
    let body = body.map(ToString::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .body(Body::from(body.into_bytes()))
        .map_err(|error| ApiError::Unreadable(error.to_string()))?;
    let answer = timeout(WRITE_TIMEOUT, send(client, request)).await;
    let late = |_| ApiError::Unreachable(format!("nothing within {WRITE_TIMEOUT:?}"));
    successful(answer.map_err(late)??).map(drop)
}

fn successful(response: Response<Bytes>) -> Result<Bytes, ApiError> {
    let (head, body) = response.into_parts();
    if head.status.is_success() {
        Ok(body)
    } else {
        Err(ApiError::from_status(head.status, &body))
    }
}

/// Sends `request` and collects the answer, whatever its status.
///
/// # Errors
/// If there is no whole answer, or one larger than [`MAX_OBJECT`].
pub async fn send(client: &Client, request: Request<Body>) -> Result<Response<Bytes>, ApiError> {
    let (head, mut body) = begin(client, request).await?.into_parts();
    let mut collected = Vec::new();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if collected.len() + chunk.len() > MAX_OBJECT {
            return Err(ApiError::TooLarge);
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(Response::from_parts(head, collected.into()))
}

/// Sends `request`; the body of the answer is yet to be read.
pub(super) async fn begin(
    client: &Client,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    client
        .send(request)
        .await
        .map_err(|error| ApiError::Unreachable(causes(&error)))
}

/// The next part of a body; `None` at its end.
pub(super) async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, ApiError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::Unreachable(causes(&error)))?;
        if let Ok(data) = frame.into_data() {
            // A body that never makes its reader wait must not keep others waiting.
            tokio::task::yield_now().await;
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// An error with what caused it, each cause once.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
