//! What the rules about objects without a pod spec share: configuration, installers' objects.

use crate::finding::{Finding, Rule};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;

/// The finding of `rule` at `leaf` of the object.
pub(super) fn finding(rule: &'static Rule, workload: &Workload<'_>, leaf: &Leaf) -> Finding {
    // A file of kubeadm has no name.
    let name = if workload.name.is_empty() {
        workload.kind()
    } else {
        workload.name
    };
    Finding::new(rule)
        .on("object", name)
        .field(leaf.path.as_str())
}
