//! What the inputs as a whole cannot tell, and what to do about it: sentences above everything else
//! of the report.

use super::evidence::Cause;
use super::evidence_store::EvidenceStore;
use super::model::Coverage;
use crate::finding::text::count;

/// One sentence for each way in which the inputs say too little.
pub(super) fn notices(store: &EvidenceStore, coverage: &Coverage) -> Vec<String> {
    let mut notices = Vec::new();
    for (cluster, logs) in &store.logs {
        if !logs.has_audit || logs.has_reviews || coverage.replayed > 0 {
            continue;
        }
        let of = match cluster.as_str() {
            "" => String::new(),
            name => format!(" of {name}"),
        };
        let in_cluster = |owner: u32| store.owners.get(owner).cluster == *cluster;
        let writes = store.unreviewed.values();
        let unreviewed = writes
            .clone()
            .filter(|write| write.cause == Cause::NoReview && in_cluster(write.owner))
            .count() as u64;
        let without_object = writes
            .filter(|write| write.cause == Cause::NoObject && in_cluster(write.owner))
            .count() as u64;
        notices.push(if without_object > 0 {
            no_objects(&of, without_object)
        } else if unreviewed > 0 {
            format!(
                "the audit log{of} holds {} and no review by undock: add \
                 --replay (audit level Request), or install the webhook and check it with undock \
                 doctor",
                count(unreviewed, "write of a reviewed kind")
            )
        } else {
            format!(
                "the audit log{of} holds no review by undock: nothing can be said from it; check \
                 the audit policy and the webhook (undock doctor)"
            )
        });
    }
    // A log that holds reviews is reported from those; its objects were asked for, too.
    let has_objects = store.logs.values().any(|logs| logs.has_objects);
    if notices.is_empty() && !has_objects && coverage.without_object > 0 {
        notices.push(no_objects("", coverage.without_object));
    }
    notices
}

/// Why no object of the audit log `of` a cluster could be evaluated.
fn no_objects(of: &str, writes: u64) -> String {
    format!(
        "the audit log{of} holds {} without the object: nothing could be replayed; set the audit \
         policy to level Request for Pods and workloads",
        count(writes, "write")
    )
}
