//! Keeps the state of namespaces, volumes, claims and nodes up to date. An outage of the API
//! server leaves them as they were.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::Client;
use prometheus_client::metrics::counter::Counter;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::list::List;
use crate::api::path::resource;
use crate::api::watch::{Event, watch};
use crate::decision::cluster_state::{ClusterState, Known};
use crate::decision::namespace::NamespaceSettings;
use crate::registration::NODES_CONFIG_MAP;
use crate::workload::object::Object;
use crate::workload::{NodeNames, RelatedObjects, Workload};

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

/// `item`, which is of `kind`, as rules see it.
fn object<'o>(item: &'o RawValue, kind: &'static str) -> Option<Object<'o>> {
    let mut object: Object<'o> = serde_json::from_str(item.get()).ok()?;
    object.set_type("v1".into(), kind.into());
    // A claim that asks for nothing is one all the same.
    object.spec.get_or_insert_default();
    Some(object)
}

/// Name and settings of a Namespace.
fn namespace(item: &RawValue) -> Option<(String, NamespaceSettings)> {
    let object = object(item, "Namespace")?;
    let workload = Workload::new(&object, "");
    Some((workload.name.to_owned(), NamespaceSettings::of(&workload)))
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

/// Namespaces and names of the objects that a list had so far.
type Names = HashSet<(String, String)>;

/// Keeps what objects of `kind` say about others. When all of them are `listed`, `retain` forgets
/// those that are gone.
async fn related(
    client: &Client,
    cluster_state: &ClusterState,
    errors: &Counter,
    (kind, plural): (&'static str, &'static str),
    retain: impl Fn(&mut RelatedObjects, &Names),
    listed: impl Fn(),
) {
    let path = resource("", "v1", "", plural, "");
    let objects = List::of(&path);
    let mut seen: Option<Names> = None;
    watch(client, &objects, |event| {
        note(&event, plural, errors);
        match event {
            Event::Listing => seen = Some(Names::new()),
            Event::Listed => {
                let seen = seen.take().unwrap_or_default();
                cluster_state.update_related_objects(|known| retain(known, &seen));
                listed();
            }
            Event::Applied(item) => {
                let Some(object) = object(item, kind) else {
                    return;
                };
                let workload = Workload::new(&object, "");
                if let Some(seen) = &mut seen {
                    seen.insert((workload.namespace.to_owned(), workload.name.to_owned()));
                }
                cluster_state.update_related_objects(|known| known.note(&workload));
            }
            Event::Deleted(item) => {
                if let Some(object) = object(item, kind) {
                    let workload = Workload::new(&object, "");
                    cluster_state.update_related_objects(|known| known.forget(&workload));
                }
            }
            Event::TooLarge(_) | Event::Interrupted(_) => {}
        }
    })
    .await;
}

/// Keeps the host paths of volumes. Any can lie above a socket, which a Pod reaches with a
/// `subPath`.
async fn volumes(
    client: &Client,
    cluster_state: &ClusterState,
    errors: &Counter,
    listed: impl Fn(),
) {
    let kind = ("PersistentVolume", "persistentvolumes");
    let retain = |known: &mut RelatedObjects, seen: &Names| {
        known.retain_volumes(|name| seen.contains(&(String::new(), name.to_owned())));
    };
    related(client, cluster_state, errors, kind, retain, listed).await;
}

/// Keeps what claims ask for and have.
async fn claims(client: &Client, cluster_state: &ClusterState, errors: &Counter) {
    let kind = ("PersistentVolumeClaim", "persistentvolumeclaims");
    let retain = |known: &mut RelatedObjects, seen: &Names| {
        known.retain_claims(|claim| seen.contains(claim));
    };
    related(client, cluster_state, errors, kind, retain, || {}).await;
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
        if let Event::Applied(item) = event
            && let Ok(map) = serde_json::from_str::<Value>(item.get())
        {
            let list = map["data"]["list"].as_str().unwrap_or_default();
            let nodes: NodeNames = list.split_whitespace().collect();
            cluster_state.update_related_objects(|known| known.set_nodes(nodes));
        }
    })
    .await;
}
