//! Lists of the API server, page by page and item by item.
//!
//! A page that is lost before its first item is asked for again. One that breaks off later, or a
//! token that grew too old, begins the list again. Pages get smaller where objects are large, so
//! that the API server, too, holds little at a time.

use std::ops::ControlFlow;

use hyper::Request;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::items::{Item, Items, name_of};
use super::path::encode;
use super::request::{ATTEMPTS, begin, next_chunk, pause};
use super::{ApiError, MAX_OBJECT};

/// Items of a page at most, as kubectl asks for.
const PAGE_ITEMS: usize = 500;
/// Bytes of a page, by the items of the pages before.
const PAGE_BYTES: usize = 8 << 20;
/// How often a list is begun again.
const RESTARTS: u32 = 2;

/// What is listed.
#[derive(Clone, Debug)]
pub struct List<'l> {
    /// Path of the list; see [`super::path::resource`].
    pub path: &'l str,
    /// Label selector; empty for everything.
    pub labels: &'l str,
    /// Field selector; empty for everything.
    pub fields: &'l str,
    /// True for nothing but the metadata of the objects.
    pub is_metadata: bool,
    /// Bytes of an item; larger ones are passed over.
    pub max_item: usize,
}

impl<'l> List<'l> {
    /// Everything at `path`.
    pub fn of(path: &'l str) -> Self {
        Self {
            path,
            labels: "",
            fields: "",
            is_metadata: false,
            max_item: MAX_OBJECT,
        }
    }

    /// The URI with `parameters` besides the selectors.
    pub(super) fn uri(&self, parameters: &[(&str, &str)]) -> String {
        let selectors = [
            ("labelSelector", self.labels),
            ("fieldSelector", self.fields),
        ];
        let query = parameters
            .iter()
            .chain(&selectors)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)));
        format!("{}?{}", self.path, query.collect::<Vec<_>>().join("&"))
    }

    /// A request for `uri` in the form that is wanted, of `kind` where only metadata is.
    pub(super) fn request(&self, uri: &str, kind: &str) -> Result<Request<Body>, ApiError> {
        let json = "application/json";
        let accept = match self.is_metadata {
            true => format!("{json};as={kind};g=meta.k8s.io;v=v1"),
            false => json.to_owned(),
        };
        Request::get(uri)
            .header("Accept", accept)
            .body(Body::empty())
            .map_err(|error| ApiError::Unreadable(error.to_string()))
    }
}

/// What comes next of a list.
#[derive(Debug)]
pub enum Step<'s> {
    /// An item.
    Item(&'s RawValue),
    /// The name of an item that is larger than [`List::max_item`].
    TooLarge(String),
    /// The list begins again: what was given of it does not count.
    Restart,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    metadata: Option<ListMeta>,
}

/// Reads `list` and gives it to `take`, which may end it. Returns the version of the list, from
/// which a watch continues; empty if `take` ended it.
///
/// # Errors
/// See [`ApiError`]; what was given before stays given.
pub async fn list(
    client: &Client,
    list: &List<'_>,
    mut take: impl FnMut(Step<'_>) -> ControlFlow<()>,
) -> Result<String, ApiError> {
    let (mut token, mut restarts, mut attempt, mut limit) = (String::new(), 0, 0, PAGE_ITEMS);
    loop {
        attempt += 1;
        let mut read = Read::default();
        let uri = list.uri(&[("limit", &limit.to_string()), ("continue", &token)]);
        match page(client, list, &uri, &mut read, &mut take).await {
            Ok(None) => return Ok(String::new()),
            Ok(Some(metadata)) => {
                if let Some(average) = read.bytes.checked_div(read.items) {
                    limit = (PAGE_BYTES / average.max(1)).clamp(1, PAGE_ITEMS);
                }
                attempt = 0;
                token = metadata.continue_.unwrap_or_default();
                if token.is_empty() {
                    return Ok(metadata.resource_version.unwrap_or_default());
                }
            }
            Err(error) if error.is_passing() && read.items == 0 && attempt < ATTEMPTS => {
                pause(attempt).await;
            }
            Err(error)
                if restarts < RESTARTS
                    && (error.is_passing() && read.items > 0
                        || matches!(error, ApiError::Expired { .. }) && !token.is_empty()) =>
            {
                restarts += 1;
                token.clear();
                if take(Step::Restart).is_break() {
                    return Ok(String::new());
                }
            }
            // A list that never ends in time continues with newer objects; the API server keeps the
            // order of names.
            Err(ApiError::Expired { token: newer }) if !newer.is_empty() && newer != token => {
                token = newer;
            }
            Err(error) => return Err(error),
        }
    }
}

/// What was read of a page.
#[derive(Default)]
struct Read {
    items: usize,
    bytes: usize,
}

/// Reads one page; `None` if `take` ended it.
async fn page(
    client: &Client,
    list: &List<'_>,
    uri: &str,
    read: &mut Read,
    take: &mut impl FnMut(Step<'_>) -> ControlFlow<()>,
) -> Result<Option<ListMeta>, ApiError> {
    let request = list.request(uri, "PartialObjectMetadataList")?;
    let (head, mut body) = begin(client, request).await?.into_parts();
    let mut items = Items::new(list.max_item);
    let mut broken = None;
    while let Some(chunk) = next_chunk(&mut body).await? {
        read.bytes += chunk.len();
        let flow = items.push(&chunk, |item| {
            read.items += 1;
            match item {
                Item::TooLarge(head) => take(Step::TooLarge(name_of(head))),
                Item::Whole(json) => match serde_json::from_slice::<&RawValue>(json) {
                    Ok(item) => take(Step::Item(item)),
                    Err(error) => {
                        broken = Some(error);
                        ControlFlow::Break(())
                    }
                },
            }
        })?;
        if let Some(error) = broken {
            return Err(ApiError::Unreadable(error.to_string()));
        }
        if flow.is_break() {
            return Ok(None);
        }
    }
    let outside = items.finish();
    if !head.status.is_success() {
        return Err(ApiError::from_status(head.status, &outside));
    }
    let page: Page = serde_json::from_slice(&outside)
        .map_err(|error| ApiError::Unreadable(error.to_string()))?;
    Ok(Some(page.metadata.unwrap_or_default()))
}
