//! The first pass: what objects say about each other.

use std::sync::Arc;

use memchr::memmem;

use super::input::ParsedInput;
use crate::decision::Policy;
use crate::decision::namespace::NamespaceSettings;
use crate::kinds;
use crate::manifest::{Item, Manifest, ManifestError};
use crate::workload::inner_pod::InnerPod;
use crate::workload::object::Object;
use crate::workload::{DATA_ROOT_SETTINGS, Overrides, RelatedObjects, Workload};

/// What all objects of a check have in common.
pub(super) struct Context<'c> {
    /// Namespace of objects that name none.
    namespace: &'c str,
    /// What the operator set, with the settings of the Namespaces among the objects.
    pub(super) policy: Policy,
    /// Volumes, claims, nodes and runtime classes among the objects.
    related_objects: RelatedObjects,
}

impl<'c> Context<'c> {
    /// What the objects of `inputs` say.
    pub(super) fn of(inputs: &[ParsedInput<'_>], namespace: &'c str, policy: &Policy) -> Self {
        let mut context = Self {
            namespace,
            policy: Policy {
                cluster_state: Arc::default(),
                ..policy.clone()
            },
            related_objects: RelatedObjects::default(),
        };
        for input in inputs {
            let has = |name: &&str| memmem::find(input.text.as_bytes(), name.as_bytes()).is_some();
            let names_data_root = DATA_ROOT_SETTINGS
                .iter()
                .any(|name| has(&name.trim_matches('"')));
            for document in input.documents.iter().flatten() {
                for item in document.manifest.items() {
                    let is_text = kinds::has_texts(item.kind());
                    if KINDS.contains(&item.kind()) || names_data_root && is_text {
                        context.note(&document.manifest, item);
                    }
                }
            }
        }
        context
    }

    /// What cannot be read says nothing; the second pass reports it.
    fn note(&mut self, manifest: &Manifest<'_>, item: &Item) {
        let Ok(object) = manifest.object(item) else {
            return;
        };
        let scope = (self.namespace, &*self.policy.overrides);
        let Ok(workload) = view(manifest, item, &object, &[], scope) else {
            return;
        };
        self.related_objects.note(&workload);
        if workload.kind() == "Namespace" {
            let settings = NamespaceSettings::of(&workload).without_mode();
            let cluster_state = &self.policy.cluster_state;
            cluster_state.set_watching();
            cluster_state.set_namespace(workload.name, Some(settings));
        }
    }

    /// The view of `object`, which is `item` of `manifest`, with the pods of `inner`, among the
    /// other objects.
    ///
    /// # Errors
    /// Where aliases make too many texts.
    pub(super) fn view<'a>(
        &'a self,
        manifest: &'a Manifest<'_>,
        item: &Item,
        object: &'a Object<'a>,
        inner: &'a [InnerPod<'a>],
    ) -> Result<Workload<'a>, ManifestError> {
        let scope = (self.namespace, &*self.policy.overrides);
        let mut workload = view(manifest, item, object, inner, scope)?;
        workload.relate_to(&self.related_objects);
        Ok(workload)
    }
}

fn view<'a>(
    manifest: &'a Manifest<'_>,
    item: &Item,
    object: &'a Object<'a>,
    inner: &'a [InnerPod<'a>],
    (namespace, overrides): (&'a str, &'a Overrides),
) -> Result<Workload<'a>, ManifestError> {
    let mut workload = Workload::with_overrides(object, namespace, overrides);
    workload.add_pods(inner, overrides);
    if kinds::has_texts(workload.kind()) {
        workload.read_texts(manifest.string_fields(item)?);
    }
    Ok(workload)
}

/// Kinds that [`RelatedObjects::note`] and the settings of namespaces read.
const KINDS: [&str; 5] = [
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "RuntimeClass",
];
