//! What a Pod has and its template has not: something put it in on the way, so the template does
//! not tell of it. Looked at are containers and volumes on host paths.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{Evaluation, key};
use crate::scan::item::Parts;
use crate::workload::{Owner, Workload};

/// What a template says that its Pods have.
#[derive(Default)]
pub(super) struct TemplateParts {
    /// Names of containers.
    containers: HashSet<Box<str>>,
    /// Paths of volumes.
    host_paths: HashSet<Box<str>>,
}

impl TemplateParts {
    fn of(workload: &Workload<'_>) -> Self {
        let containers = workload.containers().iter();
        let spec = workload.pod.as_ref().map(|pod| pod.spec);
        let volumes = spec.into_iter().flat_map(|spec| spec.volumes.iter());
        let sources = volumes.filter_map(|volume| volume.host_path.as_ref());
        Self {
            containers: containers.map(|own| own.name().into()).collect(),
            host_paths: sources.map(|source| source.path.as_str().into()).collect(),
        }
    }

    fn holds(&self, pod: &Parts<'_>) -> bool {
        let has_container = |name: &str| self.containers.contains(name);
        let has_path = |path: &str| self.host_paths.contains(path);
        pod.containers().all(has_container) && pod.host_paths().all(has_path)
    }
}

impl Evaluation {
    /// Notes what is in a template that was judged.
    pub(super) fn note_parts(&mut self, workload: &Workload<'_>) {
        let key = key(workload.namespace, workload.kind(), workload.name);
        self.template_parts.insert(key, TemplateParts::of(workload));
    }

    /// True if all that is looked at in the Pod `item` is in the template of its `owner`.
    pub(super) fn is_as_template(
        &self,
        workload: &Workload<'_>,
        owner: &Owner<'_>,
        item: &RawValue,
    ) -> bool {
        let template = [owner, &workload.owner].into_iter().find_map(|owner| {
            let key = key(workload.namespace, &owner.kind, &owner.name);
            self.template_parts.get(&key)
        });
        template.is_some_and(|template| template.holds(&Parts::of(item)))
    }
}
