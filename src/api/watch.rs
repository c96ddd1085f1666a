//! Watches: a list, then every change of it, for as long as the process lives.
//!
//! kube's own watcher holds whole pages and whole objects, of sizes that users choose. This one
//! gives every object to its reader as it arrives, and keeps none.

use std::ops::ControlFlow;
use std::time::Duration;

use kube::Client;
use memchr::memchr;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::items::{keep_head, name_of};
use super::list::{List, Step, list};
use super::request::{begin, next_chunk};
use super::{ApiError, MAX_OBJECT};

/// The first pause after an interruption. It doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The API server ends a watch after so many seconds; a connection that died unnoticed is replaced
/// then.
const WATCH_SECONDS: &str = "290";

/// What a watch tells.
#[derive(Debug)]
pub enum Event<'e> {
    /// A list begins. What it does not name until [`Event::Listed`] does not exist any more.
    Listing,
    /// The list is complete.
    Listed,
    /// An object that exists, was made or was changed.
    Applied(&'e RawValue),
    /// An object that was deleted.
    Deleted(&'e RawValue),
    /// The name of an object that is too large to be read.
    TooLarge(String),
    /// The watch was interrupted and begins again.
    Interrupted(&'e ApiError),
}

#[derive(Deserialize)]
struct Line<'l> {
    r#type: &'l str,
    #[serde(borrow)]
    object: &'l RawValue,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Versioned {
    metadata: VersionedMetadata,
    /// Of a Status.
    code: u16,
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VersionedMetadata {
    resource_version: String,
}

/// Watches `objects` and gives every event to `take`, until it is dropped.
pub async fn watch(client: &Client, objects: &List<'_>, mut take: impl FnMut(Event<'_>)) {
    let mut wait = FIRST_PAUSE;
    loop {
        take(Event::Listing);
        let listed = list(client, objects, |step| {
            match step {
                Step::Item(item) => take(Event::Applied(item)),
                Step::TooLarge(name) => take(Event::TooLarge(name)),
                Step::Restart => take(Event::Listing),
            }
            ControlFlow::Continue(())
        });
        let error = match listed.await {
            Ok(version) => {
                take(Event::Listed);
                follow(client, objects, version, &mut wait, &mut take).await
            }
            Err(error) => error,
        };
        take(Event::Interrupted(&error));
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_PAUSE);
    }
}

/// Follows the changes from `version` on, until that fails.
async fn follow(
    client: &Client,
    objects: &List<'_>,
    mut version: String,
    wait: &mut Duration,
    take: &mut impl FnMut(Event<'_>),
) -> ApiError {
    loop {
        match changes(client, objects, &mut version, wait, take).await {
            Ok(()) => {}
            Err(error) => return error,
        }
    }
}

/// Follows the changes until the API server ends the watch in due time. `version` is that of the
/// last change.
async fn changes(
    client: &Client,
    objects: &List<'_>,
    version: &mut String,
    wait: &mut Duration,
    take: &mut impl FnMut(Event<'_>),
) -> Result<(), ApiError> {
    let uri = objects.uri(&[
        ("watch", "1"),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", WATCH_SECONDS),
        ("resourceVersion", version),
    ]);
    let request = objects.request(&uri, "PartialObjectMetadata")?;
    let (head, mut body) = begin(client, request).await?.into_parts();
    let (mut line, mut is_too_large, mut seen) = (Vec::new(), false, false);
    while let Some(chunk) = next_chunk(&mut body).await? {
        if !head.status.is_success() {
            return Err(ApiError::from_status(head.status, &chunk));
        }
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let end = memchr(b'\n', rest);
            let part = &rest[..end.unwrap_or(rest.len())];
            rest = end.map_or(&[], |end| &rest[end + 1..]);
            if line.len() + part.len() > objects.max_item.min(MAX_OBJECT) {
                is_too_large = true;
                keep_head(&mut line, part);
            }
            if !is_too_large {
                line.extend_from_slice(part);
            }
            if end.is_none() {
                continue;
            }
            if is_too_large {
                take(Event::TooLarge(name_of(&line)));
            } else if !line.trim_ascii().is_empty() {
                event(&line, version, take)?;
            }
            (*wait, seen, is_too_large) = (FIRST_PAUSE, true, false);
            line = Vec::new();
        }
    }
    if !head.status.is_success() {
        return Err(ApiError::from_status(head.status, &[]));
    }
    if !seen {
        // A proxy that ends every watch at once must not be asked in a loop.
        sleep(FIRST_PAUSE).await;
    }
    Ok(())
}

fn event(
    line: &[u8],
    version: &mut String,
    take: &mut impl FnMut(Event<'_>),
) -> Result<(), ApiError> {
    let unreadable = |error: serde_json::Error| ApiError::Unreadable(error.to_string());
    let Line { r#type, object } = serde_json::from_slice(line).map_err(unreadable)?;
    let about: Versioned = serde_json::from_str(object.get()).map_err(unreadable)?;
    match r#type {
        "ADDED" | "MODIFIED" => take(Event::Applied(object)),
        "DELETED" => take(Event::Deleted(object)),
        "ERROR" if about.code == 410 => {
            return Err(ApiError::Expired {
                token: String::new(),
            });
        }
        "ERROR" => {
            return Err(ApiError::Status {
                code: about.code,
                message: about.message,
            });
        }
        _ => {}
    }
    if !about.metadata.resource_version.is_empty() {
        *version = about.metadata.resource_version;
    }
    Ok(())
}
