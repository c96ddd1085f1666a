//! What the rules about nodes share: where a Node says what runs its containers.

use crate::analysis::Workload;
use crate::finding::{Finding, Rule};

/// The runtime, such as `containerd://2.1.4`.
pub(super) const RUNTIME_FIELD: &str = "status.nodeInfo.containerRuntimeVersion";
/// kubeadm's annotation with the socket of the runtime.
pub(super) const ANNOTATION_FIELD: &str =
    "metadata.annotations['kubeadm.alpha.kubernetes.io/cri-socket']";

/// The finding of `rule` for `evidence` at `field` of a node.
pub(super) fn finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    field: &str,
    evidence: &str,
) -> Finding {
    Finding::new(rule)
        .on("node", workload.name)
        .field(field)
        .evidence(evidence)
}

/// Runtime and kubelet of a node, as the node reports them.
pub(super) fn runtime<'w>(workload: &'w Workload<'_>) -> Option<(&'w str, &'w str)> {
    let kubelet = workload.string_fields.get("status.nodeInfo.kubeletVersion");
    Some((workload.node_runtime()?, kubelet.unwrap_or_default()))
}

/// The socket in kubeadm's annotation of a node.
pub(super) fn cri_socket<'w>(workload: &'w Workload<'_>) -> Option<&'w str> {
    workload.string_fields.get(ANNOTATION_FIELD)
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
