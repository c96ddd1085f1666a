//! Scenarios of coverage: what the audit log of a real API server proves, and what it does not.

use serde_json::{Value, json};

use crate::objects::{clean_deployment, clean_pod, pod_on_docker_socket};
use crate::scenarios_scan::undock;
use crate::world::World;

const NAMESPACE: &str = "half";

/// What a report on the audit log and these other inputs says about the namespace.
fn reported(world: &World, others: &str) -> Value {
    let log = world.audit_log.path().display();
    let run = undock(
        world.kubeconfig(),
        &format!("report {log} {others} -o json --fail-on none"),
    );
    let report = run.json();
    let mut namespaces = report["namespaces"].as_array().into_iter().flatten();
    let own = namespaces
        .find(|namespace| namespace["name"] == NAMESPACE)
        .cloned();
    own.unwrap_or_else(|| panic!("{report:#}"))
}

fn create(world: &World, object: &Value) {
    let answer = world
        .kubectl
        .run_with(&format!("create -n {NAMESPACE} -f -"), object);
    answer.assert_accepted();
}

/// A scan of the whole cluster, as the path of its file.
fn scan(world: &World, name: &str) -> String {
    let run = undock(world.kubeconfig(), "scan -o json");
    world.file(name, &run.out).display().to_string()
}

pub(crate) fn a_log_with_the_webhook_deleted_half_way_is_unknown(world: &World) {
    world.kubectl.create_namespace(NAMESPACE);
    let clean = |prefix: &str, count: usize| {
        for number in 0..count {
            create(world, &clean_pod(&format!("{prefix}-{number}")));
        }
    };
    clean("reviewed", 4);
    let before = scan(world, "before.json");
    let namespace = reported(world, &before);
    assert_eq!(namespace["unreviewed"], 0, "{namespace:#}");

    let deleted = "delete validatingwebhookconfiguration undock";
    world.kubectl.run(deleted).assert_accepted();
    clean("unreviewed", 6);
    create(world, &pod_on_docker_socket("builder"));
    // What is no write of a reviewed kind needs no review.
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
    create(world, &settings);
    // Refused by the API server itself: nothing was stored.
    let mut wrong = clean_deployment("wrong", 0);
    wrong["spec"]["selector"] = json!({"matchLabels": {"app": "another"}});
    let words = format!("create -n {NAMESPACE} -f -");
    world
        .kubectl
        .run_with(&words, &wrong)
        .accepted()
        .expect_err("its selector does not fit");
    world.install_registration_again();
    clean("again", 2);

    // Neither the scan before nor the reviews after it say what the seven are.
    for others in ["", &before] {
        let namespace = reported(world, others);
        assert_eq!(
            (&namespace["verdict"], &namespace["unreviewed"]),
            (&json!("UNKNOWN"), &json!(7)),
            "{namespace:#}"
        );
        let reasons = namespace["reasons"].to_string();
        let reason = "7 writes of a reviewed kind without a review: the webhook was not called (";
        assert!(reasons.contains(reason), "{reasons}");
    }
    // A scan after it finds the one, and shows that the others are clean.
    let after = scan(world, "after.json");
    let namespace = reported(world, &after);
    assert_eq!(
        (
            &namespace["verdict"],
            &namespace["open"],
            &namespace["unreviewed"]
        ),
        (&json!("BLOCKED"), &json!(1), &json!(0)),
        "{namespace:#}"
    );
}
