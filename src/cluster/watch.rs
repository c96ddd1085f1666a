//! Keeps the facts about namespaces and volumes up to date. An outage of the API server leaves them as they were.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume};
use kube::api::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{Config, Error, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;

use crate::decision::facts::{ClusterFacts, Known};
use crate::decision::namespace::NamespaceSettings;
use crate::finding::Context;
use crate::rules;
use crate::workload::object::Object;
use crate::workload::{Surroundings, Workload};

/// Watches until the process ends. `errors` counts every interruption; what is known stays known. `changed` is told of what can
/// change the verdict about workloads that are there already.
pub async fn run(client: Client, facts: Arc<ClusterFacts>, errors: Counter, changed: Arc<Notify>) {
    let volumes_listed = AtomicBool::new(false);
    let namespaces_listed = AtomicBool::new(false);
    let warm = || {
        if volumes_listed.load(Ordering::Acquire) && namespaces_listed.load(Ordering::Acquire) {
            facts.set_warm();
        }
    };
    let listed = |which: &AtomicBool| {
        which.store(true, Ordering::Release);
        warm();
    };
    tokio::join!(
        namespaces(client.clone(), &facts, &errors, &changed, || listed(
            &namespaces_listed
        )),
        volumes(client, &facts, &errors, &changed, || listed(
            &volumes_listed
        )),
    );
}

async fn namespaces(
    client: Client,
    facts: &ClusterFacts,
    errors: &Counter,
    changed: &Notify,
    listed: impl Fn(),
) {
    let stream = watcher(
        Api::<PartialObjectMeta<Namespace>>::all(client),
        Config::default(),
    )
    .default_backoff();
    let mut known: HashSet<String> = HashSet::new();
    let mut seen: HashSet<String> = HashSet::new();
    let take = |namespace: &PartialObjectMeta<Namespace>| {
        let pairs = |map: &std::collections::BTreeMap<String, String>| map.clone();
        let (labels, annotations) = (pairs(namespace.labels()), pairs(namespace.annotations()));
        let settings = NamespaceSettings::read(
            labels
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
            annotations
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        let is_known = |known: &NamespaceSettings| *known == settings;
        if !matches!(facts.namespace(&namespace.name_any()), Known::Settings(known) if is_known(&known))
        {
            facts.set_namespace(&namespace.name_any(), Some(settings));
            changed.notify_one();
        }
    };
    follow(stream, "namespaces", errors, |event| match event {
        Event::Init => seen.clear(),
        Event::InitApply(namespace) => {
            take(&namespace);
            seen.insert(namespace.name_any());
        }
        Event::InitDone => {
            for gone in known.difference(&seen) {
                facts.set_namespace(gone, None);
            }
            known.clone_from(&seen);
            listed();
        }
        Event::Apply(namespace) => {
            take(&namespace);
            known.insert(namespace.name_any());
        }
        Event::Delete(namespace) => {
            facts.set_namespace(&namespace.name_any(), None);
            known.remove(&namespace.name_any());
        }
    })
    .await;
}

async fn volumes(
    client: Client,
    facts: &ClusterFacts,
    errors: &Counter,
    changed: &Notify,
    listed: impl Fn(),
) {
    let stream = watcher(Api::<PersistentVolume>::all(client), Config::default()).default_backoff();
    // As JSON, because that is what the view of an object is made from; only those that reach Docker, which are few.
    let mut kept: HashMap<String, String> = HashMap::new();
    let mut told: HashMap<String, String> = HashMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    follow(stream, "persistentvolumes", errors, |event| {
        let is_whole = !matches!(event, Event::Init | Event::InitApply(_));
        match event {
            Event::Init => seen.clear(),
            Event::InitApply(volume) => {
                seen.insert(volume.name_any());
                keep(&mut kept, &volume);
            }
            Event::InitDone => {
                kept.retain(|name, _| seen.contains(name));
                listed();
            }
            Event::Apply(volume) => keep(&mut kept, &volume),
            Event::Delete(volume) => {
                kept.remove(&volume.name_any());
            }
        }
        if is_whole && kept != told {
            told.clone_from(&kept);
            facts.set_surroundings(surroundings(&kept));
            changed.notify_one();
        }
    })
    .await;
}

/// Hands every event to `take`, through all interruptions.
async fn follow<K: Debug>(
    stream: impl futures::Stream<Item = Result<Event<K>, Error>>,
    what: &'static str,
    errors: &Counter,
    mut take: impl FnMut(Event<K>),
) {
    let mut stream = std::pin::pin!(stream);
    loop {
        match stream.try_next().await {
            Ok(Some(event)) => take(event),
            Ok(None) => return,
            Err(error) => {
                errors.inc();
                tracing::warn!(%error, what, "the watch was interrupted; what is known stays in force");
            }
        }
    }
}

/// Keeps `volume` if it reaches Docker, forgets it otherwise.
fn keep(kept: &mut HashMap<String, String>, volume: &PersistentVolume) {
    // The type meta of list items is empty, and a view without a kind is nothing.
    let json = serde_json::to_value(volume).map(|mut json| {
        json["kind"] = "PersistentVolume".into();
        json["apiVersion"] = "v1".into();
        json.to_string()
    });
    let Ok(json) = json else { return };
    let reaches_docker = serde_json::from_str::<Object<'_>>(&json).is_ok_and(|object| {
        !rules::evaluate(&Workload::new(&object, ""), Context::default()).is_empty()
    });
    if reaches_docker {
        kept.insert(volume.name_any(), json);
    } else {
        kept.remove(&volume.name_any());
    }
}

fn surroundings(kept: &HashMap<String, String>) -> Surroundings {
    let mut surroundings = Surroundings::default();
    for json in kept.values() {
        if let Ok(object) = serde_json::from_str::<Object<'_>>(json) {
            surroundings.note(&Workload::new(&object, ""));
        }
    }
    surroundings
}
