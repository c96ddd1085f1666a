//! What makes a new scan worth while: something that a person edits is made, changed or gone.
//!
//! Only metadata is sent for it. The work of controllers, and what they write into `status`, is no change.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use futures::future::join_all;
use futures::{Stream, TryStreamExt};
use kube::api::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind, PartialObjectMeta};
use kube::runtime::watcher::{Config, Error, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;

use crate::decision::exemption::ANNOTATION_PREFIX;
use crate::scan::parts::{PARTS, Part, Role};

/// The parts of a scan that are watched. Namespaces and volumes are watched for the reviews anyway; configuration of other
/// programs waits for the next hour.
pub fn watched() -> impl Iterator<Item = &'static Part> {
    PARTS
        .iter()
        .filter(|part| part.is_built_in() && matches!(part.role, Role::Template | Role::Pod))
}

/// Tells `changed` of every change, for ever. `errors` counts interruptions.
pub(super) async fn watch(client: &Client, changed: &Notify, errors: &Counter) {
    let watches = watched().map(|part| {
        let kind = GroupVersionKind::gvk(part.group, &part.version, part.kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, part.resource);
        let objects = Api::<PartialObjectMeta<DynamicObject>>::all_with(client.clone(), &resource);
        follow(
            watcher(objects, Config::default()).default_backoff(),
            part,
            changed,
            errors,
        )
    });
    join_all(watches).await;
}

type Metadata = PartialObjectMeta<DynamicObject>;

async fn follow(
    stream: impl Stream<Item = Result<Event<Metadata>, Error>>,
    part: &Part,
    changed: &Notify,
    errors: &Counter,
) {
    let mut stream = std::pin::pin!(stream);
    let mut known = Known::default();
    let mut is_told = false;
    loop {
        match stream.try_next().await {
            Ok(Some(event)) => {
                is_told = false;
                if known.take(event) {
                    changed.notify_one();
                }
            }
            Ok(None) => return,
            Err(error) => {
                errors.inc();
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(%error, part = part.name(), "changes are not watched; scans go on every hour");
                }
            }
        }
    }
}

/// The objects without a controller, each with a digest of what is worth a scan.
#[derive(Default)]
struct Known {
    digests: HashMap<String, u64>,
    listed: HashSet<String>,
    is_different: bool,
    was_listed: bool,
}

impl Known {
    /// True if the event tells of a change.
    fn take(&mut self, event: Event<Metadata>) -> bool {
        match event {
            Event::Init => {
                self.listed.clear();
                self.is_different = false;
                false
            }
            Event::InitApply(object) => {
                if let Some(uid) = uid(&object) {
                    self.listed.insert(uid.to_owned());
                    self.is_different |= self.note(uid, &object);
                }
                false
            }
            Event::InitDone => {
                let before = self.digests.len();
                self.digests.retain(|uid, _| self.listed.contains(uid));
                self.listed = HashSet::new();
                // The scan at the start sees what the first list tells.
                let is_first = !std::mem::replace(&mut self.was_listed, true);
                !is_first && (self.is_different || self.digests.len() < before)
            }
            Event::Apply(object) => uid(&object).is_some_and(|uid| self.note(uid, &object)),
            Event::Delete(object) => {
                uid(&object).is_some_and(|uid| self.digests.remove(uid).is_some())
            }
        }
    }

    fn note(&mut self, uid: &str, object: &Metadata) -> bool {
        let digest = digest(object);
        self.digests.insert(uid.to_owned(), digest) != Some(digest)
    }
}

/// The identity of an object that no controller keeps.
fn uid(object: &Metadata) -> Option<&str> {
    let is_controlled = object
        .owner_references()
        .iter()
        .any(|owner| owner.controller == Some(true));
    object.metadata.uid.as_deref().filter(|_| !is_controlled)
}

/// The API server counts changes of a spec in `generation`; exemptions stand in annotations.
fn digest(object: &Metadata) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.metadata.generation.hash(&mut hasher);
    for annotation in object
        .annotations()
        .iter()
        .filter(|(key, _)| key.starts_with(ANNOTATION_PREFIX))
    {
        annotation.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uid: &str, generation: i64, exemption: &str, controlled: bool) -> Metadata {
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": uid, "uid": uid, "generation": generation, "annotations": {"exempt.undock.dev/all": exemption, "seen": uid},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": controlled}]}
        }))
        .unwrap()
    }

    #[test]
    fn only_what_people_edit_is_a_change() {
        let mut known = Known::default();
        let mut list = |objects: Vec<Metadata>| {
            let events = std::iter::once(Event::Init)
                .chain(objects.into_iter().map(Event::InitApply))
                .chain([Event::InitDone]);
            events
                .map(|event| known.take(event))
                .fold(false, |any, one| any | one)
        };
        assert!(
            !list(vec![object("a", 1, "", false)]),
            "the scan at the start has seen it"
        );
        assert!(
            !list(vec![object("a", 1, "", false)]),
            "the same list again"
        );
        assert!(
            list(vec![object("a", 1, "", false), object("b", 1, "", false)]),
            "one more"
        );
        assert!(list(vec![object("b", 1, "", false)]), "one less");
        let mut take = |event| known.take(event);
        assert!(!take(Event::Apply(object("b", 1, "", false))), "a status");
        assert!(take(Event::Apply(object("b", 2, "", false))), "a spec");
        assert!(
            take(Event::Apply(object("b", 2, "until=2026-12-31", false))),
            "an exemption"
        );
        assert!(
            !take(Event::Apply(object("pod", 1, "", true))),
            "the work of a controller"
        );
        assert!(!take(Event::Delete(object("pod", 1, "", true))));
        assert!(take(Event::Delete(object("b", 2, "", false))));
    }
}
