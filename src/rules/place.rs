//! Findings in objects without a pod spec: configuration, nodes, installers' objects.

use crate::finding::{Finding, Rule};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;

/// Where a node says what runs its containers.
pub(super) const RUNTIME_FIELD: &str = "status.nodeInfo.containerRuntimeVersion";
/// kubeadm's annotation with the socket of the runtime.
pub(super) const ANNOTATION_FIELD: &str =
    "metadata.annotations['kubeadm.alpha.kubernetes.io/cri-socket']";

/// The texts of `workload`, if it is a `kind`.
pub(super) fn texts_of<'w>(
    workload: &'w Workload<'_>,
    kind: &str,
) -> impl Iterator<Item = &'w Leaf> {
    let is_kind = workload.kind() == kind;
    workload.leaves.iter().filter(move |_| is_kind)
}

/// A finding at `leaf` of an object.
pub(super) fn in_object(
    rule: &'static Rule,
    workload: &Workload<'_>,
    leaf: &Leaf,
    what: String,
    evidence: &str,
) -> Finding {
    // A file of kubeadm has no name.
    let name = if workload.name.is_empty() {
        workload.kind()
    } else {
        workload.name
    };
    Finding::new(rule, "object", name, what, leaf.path.clone(), evidence)
}

/// A finding at `field` of a node.
pub(super) fn on_node(
    rule: &'static Rule,
    workload: &Workload<'_>,
    what: String,
    field: &str,
    evidence: &str,
) -> Finding {
    Finding::new(
        rule,
        "node",
        workload.name,
        what,
        field.to_owned(),
        evidence,
    )
}

/// Runtime and kubelet of a node, as the node reports them.
pub(super) fn node_runtime<'w>(workload: &'w Workload<'_>) -> Option<(&'w str, &'w str)> {
    Some((
        workload.node_runtime()?,
        workload
            .leaves
            .get("status.nodeInfo.kubeletVersion")
            .unwrap_or_default(),
    ))
}

/// The socket in kubeadm's annotation of a node.
pub(super) fn cri_socket<'w>(workload: &'w Workload<'_>) -> Option<&'w str> {
    workload
        .leaves
        .get(ANNOTATION_FIELD)
        .filter(|_| workload.kind() == "Node")
}

/// True if `version` (`v1.24.3-eks-…`) is at least MAJOR.MINOR; false for what is no version.
pub(super) fn is_at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split(['.', '-', '+'])
        .map(|part| part.parse::<u32>().ok());
    let found = (numbers.next().flatten(), numbers.next().flatten());
    matches!(found, (Some(a), Some(b)) if (a, b) >= (major, minor))
}
