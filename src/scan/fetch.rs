//! Reading lists of the API server, a page at a time: a page that is lost is asked for again, a list that grew too old from its start.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::page::Page;

/// Attempts for one page.
const ATTEMPTS: u32 = 4;
/// Times that a list is begun again because its token expired.
const RESTARTS: u32 = 2;

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// RBAC.
    #[error("{0}")]
    Forbidden(String),
    /// Who asks is not known.
    #[error("the API server does not accept the credentials: {0}")]
    Unauthorized(String),
    /// There is no such list.
    #[error("{0}")]
    NotFound(String),
    /// The token of the next page is too old.
    #[error("the list changed faster than it could be read")]
    Expired {
        /// A token that goes on with newer objects; may be empty.
        token: String,
    },
    /// The API server answered something else.
    #[error("{code}: {message}")]
    Status {
        /// HTTP status.
        code: u16,
        /// What it said.
        message: String,
    },
    /// No answer.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// The answer is no JSON.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
}

impl ReadError {
    /// The word used in outputs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Unauthorized(_) => "unauthorized",
            Self::NotFound(_) => "not-found",
            Self::Expired { .. } => "expired",
            Self::Status { .. } => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Unreadable(_) => "unreadable",
        }
    }

    fn is_passing(&self) -> bool {
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
}

/// What came next of a list.
pub(crate) enum Step<'p> {
    /// Items.
    Items(&'p [&'p RawValue]),
    /// The list begins again: what was counted of it counts no more.
    Restart,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
    metadata: StatusMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusMetadata {
    #[serde(rename = "continue")]
    token: String,
}

/// Reads the list at `path` and gives it page by page to `take`.
///
/// # Errors
/// See [`ReadError`]; what was given before stays given.
pub(crate) async fn list(
    client: &Client,
    path: &str,
    selector: &str,
    limit: usize,
    mut take: impl FnMut(Step<'_>),
) -> Result<(), ReadError> {
    let (mut token, mut restarts) = (String::new(), 0);
    loop {
        let mut uri = format!("{path}?limit={limit}");
        for (name, value) in [("labelSelector", selector), ("continue", &token)] {
            if !value.is_empty() {
                uri.push_str(&format!("&{name}={}", escape(value)));
            }
        }
        let body = match get(client, &uri).await {
            Ok(body) => body,
            Err(ReadError::Expired { .. }) if restarts < RESTARTS && !token.is_empty() => {
                restarts += 1;
                token.clear();
                take(Step::Restart);
                continue;
            }
            // Lists that never end in time go on with newer objects; the API server keeps the order of names.
            Err(ReadError::Expired { token: newer }) if !newer.is_empty() && newer != token => {
                token = newer;
                continue;
            }
            Err(error) => return Err(error),
        };
        let page = Page::parse(&body).map_err(|error| ReadError::Unreadable(error.to_string()))?;
        take(Step::Items(&page.items));
        token = page.token;
        if token.is_empty() {
            return Ok(());
        }
    }
}

/// Reads `uri`; failures that may pass are tried again.
///
/// # Errors
/// See [`ReadError`].
pub(crate) async fn get(client: &Client, uri: &str) -> Result<Bytes, ReadError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match get_once(client, uri).await {
            Err(error) if error.is_passing() && attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
            }
            other => return other,
        }
    }
}

/// Reads `uri` without a second attempt.
///
/// # Errors
/// See [`ReadError`].
pub(crate) async fn get_once(client: &Client, uri: &str) -> Result<Bytes, ReadError> {
    let request = Request::get(uri)
        .header("Accept", "application/json")
        .body(Body::empty());
    let request = request.map_err(|error| ReadError::Unreadable(error.to_string()))?;
    let (status, body) = answer(client, request).await?.into_parts();
    let status = status.status;
    if status.is_success() {
        Ok(body)
    } else {
        Err(refused(status, &body))
    }
}

/// Sends `request` and collects what comes back, whatever its status.
///
/// # Errors
/// Where there is no whole answer.
pub(crate) async fn answer(
    client: &Client,
    request: Request<Body>,
) -> Result<Response<Bytes>, ReadError> {
    let response = client
        .send(request)
        .await
        .map_err(|error| ReadError::Unreachable(causes(&error)))?;
    let (head, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| ReadError::Unreachable(causes(&error)))?
        .to_bytes();
    Ok(Response::from_parts(head, body))
}

/// What a refusal means.
fn refused(code: StatusCode, body: &[u8]) -> ReadError {
    let status: Status = serde_json::from_slice(body).unwrap_or_default();
    let message = if status.message.is_empty() {
        code.to_string()
    } else {
        status.message
    };
    match code {
        StatusCode::FORBIDDEN => ReadError::Forbidden(message),
        StatusCode::UNAUTHORIZED => ReadError::Unauthorized(message),
        StatusCode::NOT_FOUND => ReadError::NotFound(message),
        StatusCode::GONE => ReadError::Expired {
            token: status.metadata.token,
        },
        code => ReadError::Status {
            code: code.as_u16(),
            message,
        },
    }
}

/// An error with what caused it, each cause once.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
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

/// A value of a query.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
