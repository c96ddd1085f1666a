//! What is decided about writes that are not judged by their findings alone: mirror Pods, and what is not evaluated.

use serde_json::{Value, json};
use undock::admission;
use undock::decision::{Mode, Policy};

use crate::support::answer::Answer;
use crate::support::reviews::{bytes, create, socket_pod, update};

fn answer(review: &Value, mode: Mode) -> (Answer, String, bool) {
    let policy = Policy {
        mode,
        ..Policy::default()
    };
    let reviewed = admission::review(&bytes(review), &policy).unwrap();
    let has_record = reviewed.record.is_some();
    let decision = reviewed.decision.outcome.as_str().to_owned();
    (Answer::parse(&reviewed.response), decision, has_record)
}

/// A mirror Pod of `node` that `user` writes.
fn mirror(node: &str, user: &str) -> Value {
    let mut pod = socket_pod();
    pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "0123"});
    pod["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "v1", "kind": "Node", "name": node, "uid": "n", "controller": true}
    ]);
    let mut review = create(pod);
    review["request"]["userInfo"] = json!({"username": user, "groups": ["system:nodes"]});
    review
}

#[test]
fn a_mirror_pod_of_the_node_that_writes_it_is_let_through_and_recorded() {
    let (answer, decision, has_record) = answer(&mirror("a", "system:node:a"), Mode::Enforce);
    assert!(answer.allowed);
    assert_eq!((decision.as_str(), has_record), ("record", true));
}

#[test]
fn a_mirror_pod_of_anybody_else_is_refused() {
    for user in ["system:node:b", "ann", "system:serviceaccount:ci:a", "a"] {
        let (answer, decision, _) = answer(&mirror("a", user), Mode::Enforce);
        assert!(!answer.allowed, "{user}");
        assert_eq!(decision, "deny", "{user}");
    }
}

#[test]
fn what_is_not_evaluated_is_skipped_and_not_clean() {
    let (allowed, decision, has_record) = answer(&create(socket_pod()), Mode::Off);
    assert!(allowed.allowed);
    assert_eq!((decision.as_str(), has_record), ("skipped", false));
    let mut pod = socket_pod();
    pod["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
    let (allowed, decision, _) = answer(&update(socket_pod(), pod), Mode::Enforce);
    assert!(allowed.allowed);
    assert_eq!(decision, "skipped");
}
