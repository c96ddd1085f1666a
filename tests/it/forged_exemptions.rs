//! Exemptions of the configuration that a write could make its own: by an image that it changes afterwards, by an owner
//! that it names.

use serde_json::{Value, json};
use undock::admission::review;
use undock::config::Config;
use undock::decision::{Mode, Policy};

use crate::support::reviews::{bytes, create, deployment, socket_pod, update, with};

/// The policy with an exemption from all rules for `whom`.
fn exempting(whom: &str) -> Policy {
    let entry = "exemptions:\n- rules: [all]\n  until: 2026-12-31\n  reason: move\n";
    let config = format!("{entry}  {whom}\n");
    let config = Config::parse(&config, std::path::Path::new("undock.yaml")).unwrap();
    Policy {
        today: || "2026-11-23".parse().unwrap(),
        ..config.policy(Some(Mode::Enforce))
    }
}

fn outcome(made: &Value, policy: &Policy) -> &'static str {
    let decision = review(&bytes(made), policy).unwrap().decision;
    decision.outcome.as_str()
}

#[test]
fn what_is_exempt_for_its_images_is_new_with_others() {
    let policy = exempting("images: [\"x/*\"]");
    let object = |image: &str| {
        let mut pod = socket_pod();
        pod["spec"]["containers"][0]["image"] = json!(image);
        deployment(&pod)
    };
    for (old, new, expected) in [
        ("x/y", "x/z", "exempt"),
        ("x/y", "evil", "deny"),
        // It was there before.
        ("evil", "worse", "warn"),
    ] {
        let made = update(object(old), object(new));
        assert_eq!(outcome(&made, &policy), expected, "{old} {new}");
    }
    // An image as a volume brings programs, too.
    let mut pod = socket_pod();
    pod["spec"]["containers"][0]["image"] = json!("x/y");
    assert_eq!(outcome(&create(pod.clone()), &policy), "exempt");
    let volumes = pod["spec"]["volumes"].as_array_mut().unwrap();
    volumes.push(json!({"name": "i", "image": {"reference": "evil"}}));
    assert_eq!(outcome(&create(pod), &policy), "deny");
}

#[test]
fn an_owner_is_believed_of_its_controller_alone() {
    let policy = exempting("owners: [\"*/runner*\"]");
    let controller = "system:serviceaccount:kube-system:replicaset-controller";
    for (group, kind, user, expected) in [
        ("apps/v1", "ReplicaSet", controller, "exempt"),
        ("apps/v1", "ReplicaSet", "bob", "deny"),
        ("apps/v1", "Deployment", "bob", "deny"),
        ("evil/v1", "Deployment", "bob", "deny"),
        ("evil/v1", "ReplicaSet", controller, "deny"),
        // Nothing can prove it.
        ("ci.example/v1", "Runner", "ci", "exempt"),
    ] {
        let mut pod = socket_pod();
        pod["metadata"]["ownerReferences"] = json!([{"apiVersion": group, "kind": kind,
            "name": "runner-5d8f7c9b4d", "uid": "r", "controller": true}]);
        let made = with(create(pod), "userInfo.username", json!(user));
        assert_eq!(outcome(&made, &policy), expected, "{group} {kind} {user}");
    }
}
