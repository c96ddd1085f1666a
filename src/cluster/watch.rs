//! Keeps the state of namespaces, volumes, claims and nodes up to date. An outage of the API
//! server leaves them as they were.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::Client;
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::list::List;
use crate::api::path::resource;
use crate::api::watch::{Event, watch};
use crate::decision::cluster_state::{ClusterState, Known};
use crate::decision::namespace::NamespaceSettings;
use crate::registration::NODES_CONFIG_MAP;
use crate::workload::object::Object;
use crate::workload::{ClaimState, NodeNames, Workload};

/// Watches until it is dropped. `errors` counts every interruption; what is known stays known.
pub async fn run(client: Client, cluster_state: Arc<ClusterState>, errors: Counter) {
    let (namespaces_listed, volumes_listed) = (AtomicBool::new(false), AtomicBool::new(false));
    let listed = |which: &AtomicBool| {
        which.store(true, Ordering::Release);
        if namespaces_listed.load(Ordering::Acquire) && volumes_listed.load(Ordering::Acquire) {
            cluster_state.set_warm();
        }
    };
    tokio::join!(
        namespaces(&client, &cluster_state, &errors, || listed(
            &namespaces_listed
        )),
        volumes(&client, &cluster_state, &errors, || listed(&volumes_listed)),
        claims(&client, &cluster_state, &errors),
        nodes(&client, &cluster_state, &errors),
    );
}

/// Counts and logs what is no event of an object. Such events change nothing that is known.
fn note(event: &Event<'_>, what: &'static str, errors: &Counter) {
    match event {
        Event::Interrupted(error) => {
            errors.inc();
            tracing::warn!(%error, what, "the watch was interrupted; what is known stays in force");
        }
        Event::TooLarge(name) => {
            errors.inc();
            tracing::warn!(name, what, "an object is too large to be read");
        }
        _ => {}
    }
}

/// Text of JSON; what was escaped is a copy.
type LenientStr<'t> = Cow<'t, str>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Namespace<'n> {
    #[serde(borrow)]
    metadata: Metadata<'n>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'m> {
    #[serde(borrow)]
    name: LenientStr<'m>,
    #[serde(borrow)]
    labels: Option<BTreeMap<LenientStr<'m>, LenientStr<'m>>>,
    #[serde(borrow)]
    annotations: Option<BTreeMap<LenientStr<'m>, LenientStr<'m>>>,
}

fn namespace(object: &RawValue) -> Option<(String, NamespaceSettings)> {
    let Namespace { metadata } = serde_json::from_str(object.get()).ok()?;
    let (labels, annotations) = (metadata.labels, metadata.annotations);
    let settings = NamespaceSettings::read(
        labels
            .iter()
            .flatten()
            .map(|(key, value)| (&**key, &**value)),
        annotations
            .iter()
            .flatten()
            .map(|(key, value)| (&**key, &**value)),
    );
    Some((metadata.name.into_owned(), settings))
}

async fn namespaces(
    client: &Client,
    cluster_state: &ClusterState,
    errors: &Counter,
    listed: impl Fn(),
) {
    let path = resource("", "v1", "", "namespaces", "");
    let objects = List {
        is_metadata: true,
        ..List::of(&path)
    };
    let mut known: HashSet<String> = HashSet::new();
    let mut seen: Option<HashSet<String>> = None;
    watch(client, &objects, |event| {
        note(&event, "namespaces", errors);
        match event {
            Event::Listing => seen = Some(HashSet::new()),
            Event::Listed => {
                let seen = seen.take().unwrap_or_default();
                for gone in known.difference(&seen) {
                    cluster_state.set_namespace(gone, None);
                }
                known = seen;
                listed();
            }
            Event::Applied(object) => {
                let Some((name, settings)) = namespace(object) else {
                    return;
                };
                let known_before = cluster_state.namespace(&name);
                if !matches!(known_before, Known::Settings(known) if *known == settings) {
                    cluster_state.set_namespace(&name, Some(settings));
                }
                seen.as_mut().unwrap_or(&mut known).insert(name);
            }
            Event::Deleted(object) => {
                if let Some((name, _)) = namespace(object) {
                    cluster_state.set_namespace(&name, None);
                    known.remove(&name);
                }
            }
            Event::TooLarge(_) | Event::Interrupted(_) => {}
        }
    })
    .await;
}

#[derive(Deserialize)]
struct Volume<'v> {
    #[serde(borrow)]
    metadata: Metadata<'v>,
    #[serde(borrow)]
    spec: &'v RawValue,
}

impl Volume<'_> {
    /// The parts that rules read, as JSON, because that is what the view of an object is made from.
    fn json(&self) -> String {
        let metadata = serde_json::json!({"name": &*self.metadata.name});
        let spec = self.spec.get();
        format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolume","metadata":{metadata},"spec":{spec}}}"#
        )
    }
}

/// Keeps the host paths of volumes. Any can lie above a socket, which a Pod reaches with a
/// `subPath`.
async fn volumes(
    client: &Client,
    cluster_state: &ClusterState,
    errors: &Counter,
    listed: impl Fn(),
) {
    let path = resource("", "v1", "", "persistentvolumes", "");
    let objects = List::of(&path);
    let mut seen: Option<HashSet<String>> = None;
    watch(client, &objects, |event| {
        note(&event, "persistentvolumes", errors);
        match event {
            Event::Listing => seen = Some(HashSet::new()),
            Event::Listed => {
                let seen = seen.take().unwrap_or_default();
                cluster_state.update_related_objects(|known| {
                    known.retain_volumes(|name| seen.contains(name))
                });
                listed();
            }
            Event::Applied(object) => {
                let Ok(volume) = serde_json::from_str::<Volume<'_>>(object.get()) else {
                    return;
                };
                if let Some(seen) = &mut seen {
                    seen.insert(volume.metadata.name.to_string());
                }
                if let Ok(object) = serde_json::from_str::<Object<'_>>(&volume.json()) {
                    cluster_state
                        .update_related_objects(|known| known.note(&Workload::new(&object, "")));
                }
            }
            Event::Deleted(object) => {
                if let Ok(volume) = serde_json::from_str::<Volume<'_>>(object.get()) {
                    cluster_state
                        .update_related_objects(|known| known.remove_volume(&volume.metadata.name));
                }
            }
            Event::TooLarge(_) | Event::Interrupted(_) => {}
        }
    })
    .await;
}

#[derive(Deserialize)]
struct PersistentVolumeClaim<'c> {
    #[serde(borrow)]
    metadata: ClaimMetadata<'c>,
    #[serde(borrow, default)]
    spec: ClaimSpec<'c>,
}

#[derive(Deserialize)]
struct ClaimMetadata<'c> {
    #[serde(borrow)]
    name: LenientStr<'c>,
    #[serde(borrow)]
    namespace: LenientStr<'c>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimSpec<'c> {
    #[serde(borrow)]
    volume_name: LenientStr<'c>,
    #[serde(borrow)]
    storage_class_name: Option<LenientStr<'c>>,
}

/// Keeps what claims ask for and have.
async fn claims(client: &Client, cluster_state: &ClusterState, errors: &Counter) {
    let path = resource("", "v1", "", "persistentvolumeclaims", "");
    let objects = List::of(&path);
    let mut seen: Option<HashSet<(String, String)>> = None;
    watch(client, &objects, |event| {
        note(&event, "persistentvolumeclaims", errors);
        match event {
            Event::Listing => seen = Some(HashSet::new()),
            Event::Listed => {
                let seen = seen.take().unwrap_or_default();
                cluster_state.update_related_objects(|known| {
                    known.retain_claims(|claim| seen.contains(claim))
                });
            }
            Event::Applied(object) => {
                let Ok(claim) = serde_json::from_str::<PersistentVolumeClaim<'_>>(object.get())
                else {
                    return;
                };
                let (namespace, name) = (&claim.metadata.namespace, &claim.metadata.name);
                if let Some(seen) = &mut seen {
                    seen.insert((namespace.to_string(), name.to_string()));
                }
                let wanted = ClaimState {
                    volume: claim.spec.volume_name.into_owned(),
                    class: claim.spec.storage_class_name.map(LenientStr::into_owned),
                };
                cluster_state
                    .update_related_objects(|known| known.set_claim(namespace, name, Some(wanted)));
            }
            Event::Deleted(object) => {
                if let Ok(claim) = serde_json::from_str::<PersistentVolumeClaim<'_>>(object.get()) {
                    let (namespace, name) = (&claim.metadata.namespace, &claim.metadata.name);
                    cluster_state
                        .update_related_objects(|known| known.set_claim(namespace, name, None));
                }
            }
            Event::TooLarge(_) | Event::Interrupted(_) => {}
        }
    })
    .await;
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigMap<'c> {
    #[serde(borrow)]
    data: ConfigMapData<'c>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigMapData<'c> {
    #[serde(borrow)]
    list: LenientStr<'c>,
}

/// Names and addresses of the nodes, which the controller keeps in one ConfigMap. Without it none
/// are known.
async fn nodes(client: &Client, cluster_state: &ClusterState, errors: &Counter) {
    let path = resource("", "v1", client.default_namespace(), "configmaps", "");
    let only = format!("metadata.name={NODES_CONFIG_MAP}");
    let objects = List {
        fields: &only,
        ..List::of(&path)
    };
    watch(client, &objects, |event| {
        note(&event, NODES_CONFIG_MAP, errors);
        if let Event::Applied(object) = event
            && let Ok(map) = serde_json::from_str::<ConfigMap<'_>>(object.get())
        {
            let nodes: NodeNames = map.data.list.split_whitespace().collect();
            cluster_state.update_related_objects(|known| known.set_nodes(nodes));
        }
    })
    .await;
}
