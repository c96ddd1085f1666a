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
    fn new<'p>(
        containers: impl Iterator<Item = &'p str>,
        host_paths: impl Iterator<Item = &'p str>,
    ) -> Self {
        Self {
            containers: containers.map(Into::into).collect(),
            host_paths: host_paths.map(Into::into).collect(),
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
        let containers = workload.containers().iter();
        let spec = workload.pod.as_ref().map(|pod| pod.spec);
        let volumes = spec.into_iter().flat_map(|spec| spec.volumes.iter());
        let sources = volumes.filter_map(|volume| volume.host_path.as_ref());
        let parts = TemplateParts::new(
            containers.map(|container| container.name()),
            sources.map(|source| source.path.as_str()),
        );
        self.template_parts.insert(
            key(workload.namespace, workload.kind(), workload.name),
            parts,
        );
    }

    /// Notes what is in the template of a ReplicaSet or a Job that another template tells of: while
    /// that one is rolled out, there are Pods of the one before.
    pub(super) fn note_made_parts(&mut self, workload: &Workload<'_>, item: &RawValue) {
        if let Some(parts) = Parts::of_template(item) {
            let parts = TemplateParts::new(parts.containers(), parts.host_paths());
            self.template_parts.insert(
                key(workload.namespace, workload.kind(), workload.name),
                parts,
            );
        }
    }

    /// True if all that is looked at in the Pod `item` is in its template: that of its controller,
    /// else of its `owner`.
    pub(super) fn is_as_template(
        &self,
        workload: &Workload<'_>,
        owner: &Owner<'_>,
        item: &RawValue,
    ) -> bool {
        let controller = workload.controller();
        let controller = controller.map(|own| (own.kind.as_str(), own.name.as_str()));
        let owners = [&workload.owner, owner].map(|own| (own.kind.as_ref(), own.name.as_ref()));
        let template = controller
            .into_iter()
            .chain(owners)
            .find_map(|(kind, name)| {
                self.template_parts
                    .get(&key(workload.namespace, kind, name))
            });
        template.is_some_and(|template| template.holds(&Parts::of(item)))
    }
}
