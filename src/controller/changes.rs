//! What makes a new scan worth while: something that a person edits is made, changed or gone.
//!
//! Only metadata is sent for it. The work of controllers, and what they write into `status`, is no
//! change.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use futures::future::join_all;
use kube::Client;
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Notify;

use crate::api::list::List;
use crate::api::path::list_path;
use crate::api::watch::{Event, watch as watch_objects};
use crate::decision::exemption::ANNOTATION_PREFIX;
use crate::kinds::{Handling, KINDS, Kind};

/// What labels and annotations begin with that matter to a scan.
const PREFIXES: [&str; 3] = ["undock.dev/", ANNOTATION_PREFIX, "pv.kubernetes.io/"];

/// The parts of a scan that are watched. Claims and the configuration of other programs wait for
/// the next hour.
pub fn watched() -> impl Iterator<Item = &'static Kind> {
    let is_watched = |handling| {
        matches!(
            handling,
            Handling::Template | Handling::Pod | Handling::Namespace | Handling::Volume
        )
    };
    KINDS
        .iter()
        .filter(move |kind| kind.is_built_in() && is_watched(kind.handling))
}

/// Tells `changed` of every change, until it is dropped. `errors` counts interruptions.
pub(super) async fn watch(client: &Client, changed: &Notify, errors: &Counter) {
    join_all(watched().map(|kind| follow(client, kind, changed, errors))).await;
}

async fn follow(client: &Client, kind: &Kind, changed: &Notify, errors: &Counter) {
    let path = list_path(kind, "");
    let objects = List {
        is_metadata: true,
        ..List::of(&path)
    };
    let (mut known, mut is_logged) = (Known::default(), false);
    watch_objects(client, &objects, |event| {
        if let Event::Interrupted(error) = event {
            errors.inc();
            if !std::mem::replace(&mut is_logged, true) {
                tracing::warn!(%error, part = kind.resource(), "changes are not watched; scans \
                    continue every hour");
            }
            return;
        }
        is_logged = false;
        if known.take(event) {
            changed.notify_one();
        }
    })
    .await;
}

/// The metadata of an object, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Object<'o> {
    #[serde(borrow)]
    metadata: Metadata<'o>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata<'o> {
    #[serde(borrow)]
    uid: Cow<'o, str>,
    generation: i64,
    #[serde(borrow)]
    labels: Option<BTreeMap<Cow<'o, str>, Cow<'o, str>>>,
    #[serde(borrow)]
    annotations: Option<BTreeMap<Cow<'o, str>, Cow<'o, str>>>,
    owner_references: Option<Vec<OwnerReference>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OwnerReference {
    controller: Option<bool>,
}

/// The objects without a controller, by a digest of the uid, each with a digest of what is worth a
/// scan.
#[derive(Default)]
struct Known {
    digests: HashMap<u64, u64>,
    /// What the list that is being read has named.
    listed: Option<HashSet<u64>>,
    is_different: bool,
    was_listed: bool,
}

impl Known {
    /// True if the event tells of a change.
    fn take(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::Listing => {
                self.listed = Some(HashSet::new());
                false
            }
            Event::Listed => {
                let listed = self.listed.take().unwrap_or_default();
                let before = self.digests.len();
                self.digests.retain(|uid, _| listed.contains(uid));
                let is_different = std::mem::take(&mut self.is_different);
                // The scan at the start sees what the first list tells.
                let is_first = !std::mem::replace(&mut self.was_listed, true);
                !is_first && (is_different || self.digests.len() < before)
            }
            Event::Applied(object) => {
                let Some((uid, digest)) = digests(object) else {
                    return false;
                };
                let is_new = self.digests.insert(uid, digest) != Some(digest);
                match &mut self.listed {
                    Some(listed) => {
                        listed.insert(uid);
                        self.is_different |= is_new;
                        false
                    }
                    None => is_new,
                }
            }
            Event::Deleted(object) => {
                digests(object).is_some_and(|(uid, _)| self.digests.remove(&uid).is_some())
            }
            Event::TooLarge(_) | Event::Interrupted(_) => false,
        }
    }
}

/// Digests of the uid and of the content of an object that no controller keeps. The API server
/// counts changes of a spec in `generation`; modes are labels, exemptions and bindings of volumes
/// are annotations.
fn digests(object: &RawValue) -> Option<(u64, u64)> {
    let Metadata {
        uid,
        generation,
        labels,
        annotations,
        owner_references,
    } = serde_json::from_str::<Object<'_>>(object.get())
        .ok()?
        .metadata;
    let mut owners = owner_references.iter().flatten();
    if uid.is_empty() || owners.any(|owner| owner.controller == Some(true)) {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    generation.hash(&mut hasher);
    for pair in labels.iter().flatten().chain(annotations.iter().flatten()) {
        if PREFIXES.iter().any(|prefix| pair.0.starts_with(prefix)) {
            pair.hash(&mut hasher);
        }
    }
    let content = hasher.finish();
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    Some((hasher.finish(), content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uid: &str, generation: i64, exemption: &str, controlled: bool) -> Box<RawValue> {
        let object = serde_json::json!({"metadata": {
            "name": uid, "uid": uid, "generation": generation,
            "annotations": {"exempt.undock.dev/all": exemption, "seen": uid},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "r", "controller": controlled}],
        }});
        serde_json::value::to_raw_value(&object).unwrap()
    }

    #[test]
    fn only_what_people_edit_is_a_change() {
        let mut known = Known::default();
        let mut list = |objects: &[Box<RawValue>]| {
            let events = std::iter::once(Event::Listing)
                .chain(objects.iter().map(|object| Event::Applied(object)))
                .chain([Event::Listed]);
            events
                .map(|event| known.take(event))
                .fold(false, |any, one| any | one)
        };
        let (a, b) = (object("a", 1, "", false), object("b", 1, "", false));
        let pod = object("pod", 1, "", true);
        assert!(
            !list(std::slice::from_ref(&a)),
            "the scan at the start has seen it"
        );
        assert!(!list(std::slice::from_ref(&a)), "the same list again");
        assert!(list(&[a, b.clone()]), "one more");
        assert!(list(std::slice::from_ref(&b)), "one less");
        let mut applied = |object: &RawValue| known.take(Event::Applied(object));
        assert!(!applied(&b), "a status");
        assert!(applied(&object("b", 2, "", false)), "a spec");
        assert!(
            applied(&object("b", 2, "until=2026-12-31", false)),
            "an exemption"
        );
        assert!(!applied(&pod), "the work of a controller");
        assert!(!known.take(Event::Deleted(&pod)));
        assert!(known.take(Event::Deleted(&b)));
    }
}
