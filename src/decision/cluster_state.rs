//! What is known of the cluster besides the object: settings of namespaces, host paths behind
//! claims.
//!
//! A watch keeps it up to date; reviews only read. Without a watch (on a laptop, in `check`) there
//! is no state, and the defaults hold.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::namespace::NamespaceSettings;
use crate::workload::RelatedObjects;

/// The state of a cluster.
#[derive(Debug, Default)]
pub struct ClusterState {
    is_watching: AtomicBool,
    is_warm: AtomicBool,
    namespaces: RwLock<HashMap<String, Arc<NamespaceSettings>>>,
    related_objects: RwLock<Arc<RelatedObjects>>,
}

/// What is known of a namespace.
#[derive(Clone, Debug)]
pub enum Known {
    /// Nothing watches the cluster.
    NotWatching,
    /// The first list has not come, so nothing is known yet.
    Cold,
    /// The namespace is not among those that were seen: it is newer than the last event.
    Missing,
    /// Its settings.
    Settings(Arc<NamespaceSettings>),
}

impl ClusterState {
    /// From now on a state is expected.
    pub fn set_watching(&self) {
        self.is_watching.store(true, Ordering::Release);
    }

    /// Every namespace and every volume has been seen once.
    pub fn set_warm(&self) {
        self.is_warm.store(true, Ordering::Release);
    }

    /// False while a state is expected and has not come.
    pub fn is_ready(&self) -> bool {
        !self.is_watching.load(Ordering::Acquire) || self.is_warm.load(Ordering::Acquire)
    }

    /// What is known of `namespace`.
    pub fn namespace(&self, namespace: &str) -> Known {
        if !self.is_watching.load(Ordering::Acquire) {
            return Known::NotWatching;
        }
        // A panic while the lock was held cannot leave a half-written map: each change is one
        // insert or remove.
        let namespaces = self
            .namespaces
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match namespaces.get(namespace) {
            Some(settings) => Known::Settings(Arc::clone(settings)),
            None if self.is_warm.load(Ordering::Acquire) => Known::Missing,
            None => Known::Cold,
        }
    }

    /// Takes the settings of `namespace`; none for one that is gone.
    pub fn set_namespace(&self, namespace: &str, settings: Option<NamespaceSettings>) {
        let mut namespaces = self
            .namespaces
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match settings {
            Some(settings) => namespaces.insert(namespace.to_owned(), Arc::new(settings)),
            None => namespaces.remove(namespace),
        };
    }

    /// Host paths behind claims.
    pub fn related_objects(&self) -> Arc<RelatedObjects> {
        Arc::clone(
            &self
                .related_objects
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Changes what is known of volumes, claims and nodes.
    pub fn update_related_objects(&self, change: impl FnOnce(&mut RelatedObjects)) {
        let mut related_objects = self
            .related_objects
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut related_objects));
    }

    /// Takes the volumes, claims and nodes as they are now.
    pub fn set_related_objects(&self, related_objects: RelatedObjects) {
        *self
            .related_objects
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(related_objects);
    }
}
