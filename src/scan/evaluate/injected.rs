//! Containers that a Pod has and its template has not: something put them in on the way, so the template does not tell of them.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{Evaluation, key};
use crate::scan::page;
use crate::workload::{Owner, Workload};

impl Evaluation {
    /// Notes the containers of a template that was judged.
    pub(super) fn note_containers(&mut self, workload: &Workload<'_>) {
        let names = workload.containers().iter();
        let names = names.map(|container| container.name().into()).collect();
        let key = key(workload.namespace, workload.kind(), workload.name);
        self.containers.insert(key, names);
    }

    /// True if all containers of the Pod `item` are in the template of its `owner`.
    pub(super) fn is_as_template(
        &self,
        workload: &Workload<'_>,
        owner: &Owner<'_>,
        item: &RawValue,
    ) -> bool {
        let template = [owner, &workload.owner].into_iter().find_map(|owner| {
            let key = key(workload.namespace, &owner.kind, &owner.name);
            self.containers.get(&key)
        });
        let has = |names: &HashSet<Box<str>>| {
            let mut containers = page::containers(item).into_iter();
            containers.all(|name| names.contains(name.as_str()))
        };
        template.is_some_and(has)
    }
}
