//! Nodes by runtime: the progress of the migration itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::workload::Workload;

/// Nodes of one runtime and version.
#[derive(Clone, Debug, Default)]
pub struct NodeGroup {
    /// As the nodes say it: `containerd://2.1.4`; empty where they say nothing.
    pub runtime: String,
    /// Names of the nodes.
    pub names: BTreeSet<String>,
    /// Versions of their kubelets.
    pub kubelets: BTreeSet<String>,
    /// Their operating systems.
    pub systems: BTreeSet<String>,
    /// Pods that are bound to them, as far as Pods were read.
    pub pods: usize,
}

/// The nodes that were read.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    /// True from the second reading on: the runtimes of all are known.
    pub(super) are_known: bool,
    by_runtime: BTreeMap<String, NodeGroup>,
    /// Pods by node; the nodes are judged last.
    pods: HashMap<String, usize>,
}

impl Nodes {
    pub(super) fn take(&mut self, node: &Workload<'_>) {
        let said = |field: &str| node.string_fields.get(field).unwrap_or_default().to_owned();
        let runtime = said("status.nodeInfo.containerRuntimeVersion");
        let group = self.by_runtime.entry(runtime.clone()).or_default();
        group.runtime = runtime;
        group.names.insert(node.name.to_owned());
        group
            .kubelets
            .insert(said("status.nodeInfo.kubeletVersion"));
        group.systems.insert(said("status.nodeInfo.osImage"));
    }

    pub(super) fn count_pod(&mut self, node: &str) {
        if let Some(count) = self.pods.get_mut(node) {
            *count += 1;
        } else if !node.is_empty() {
            self.pods.insert(node.to_owned(), 1);
        }
    }

    /// Groups in the order of their runtimes.
    pub(super) fn groups(self) -> Vec<NodeGroup> {
        let pods = self.pods;
        let groups = self.by_runtime.into_values().map(|mut group| {
            group.pods = group.names.iter().filter_map(|name| pods.get(name)).sum();
            group
        });
        groups.collect()
    }
}
