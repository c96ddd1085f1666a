//! What admission puts into Pods on their way is found by a scan of them.

use serde_json::{Value, json};

use super::{clean_spec, controlled, pod, run, socket_spec, template, titles};
use crate::support::fake_api::FakeApi;

#[test]
fn what_was_put_into_pods_is_found_and_what_the_api_server_adds_is_passed_over() {
    let token = json!({"name": "kube-api-access-x7k2p", "projected": {"sources": []}});
    let mut plain = clean_spec();
    plain["volumes"] = json!([token]);
    let mut mounted = socket_spec();
    mounted["volumes"].as_array_mut().unwrap().push(token);
    let pods = [("a", &plain), ("b", &mounted), ("c", &mounted)].map(|(name, spec)| {
        controlled(
            pod("ci", &format!("agent-{name}"), spec.clone()),
            "DaemonSet",
            "agent",
        )
    });
    let sets = vec![template("ci", "agent", clean_spec())];
    let api = FakeApi::new()
        .with("/apis/apps/v1/daemonsets", sets)
        .with("/api/v1/pods", pods.into());
    let scanned = run(&api);
    assert_eq!(titles(&scanned), ["ci DaemonSet/agent DKR101"]);
    assert_eq!(scanned.owners[0].pods, 3);
    let object = scanned.owners[0].findings[0].object.as_deref();
    assert_eq!(object, Some("Pod/agent-b"));
}

#[test]
fn pods_of_the_template_before_are_not_taken_for_changed_ones() {
    let set = |name: &str, spec: Value, replicas: usize| {
        let mut set = controlled(template("ci", name, spec), "Deployment", "web");
        set["metadata"]["labels"] = json!({"pod-template-hash": &name[4..]});
        set["spec"]["replicas"] = json!(replicas);
        set
    };
    let of = |name: &str, set: &str, spec: Value| {
        let mut pod = controlled(pod("ci", name, spec), "ReplicaSet", set);
        pod["metadata"]["labels"] = json!({"pod-template-hash": &set[4..]});
        pod
    };
    let titles_with = |pods: Vec<Value>| {
        let deployment = vec![template("ci", "web", clean_spec())];
        let sets = vec![
            set("web-5d4f7c8b9d", socket_spec(), 1),
            set("web-7c9f6b5d44", clean_spec(), 1),
            set("web-8b7c6d5f44", socket_spec(), 0),
        ];
        let api = FakeApi::new()
            .with("/apis/apps/v1/deployments", deployment)
            .with("/apis/apps/v1/replicasets", sets)
            .with("/api/v1/pods", pods);
        titles(&run(&api))
    };
    let old = of("web-5d4f7c8b9d-x7k2p", "web-5d4f7c8b9d", socket_spec());
    let new = of("web-7c9f6b5d44-x7k2p", "web-7c9f6b5d44", clean_spec());
    assert_eq!(titles_with(vec![old, new]), ["ci Deployment/web "]);
    let changed = of("web-7c9f6b5d44-9bvxz", "web-7c9f6b5d44", socket_spec());
    assert_eq!(titles_with(vec![changed]), ["ci Deployment/web DKR101"]);
}
