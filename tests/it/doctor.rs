//! `undock doctor` on what the next Pod will read, with the shipped Deployments in an API server of the test's own.

use k8s_openapi::ByteString;
use serde_json::{Value, json};
use undock::api::connect::own_cluster;
use undock::doctor::next_pod::examine;
use undock::doctor::{Check, Health, Installation};

use crate::support::store::Store;

const SECRET: &str = "/api/v1/namespaces/undock/secrets/undock-tls";
const CONFIG_MAP: &str = "/api/v1/namespaces/undock/configmaps/undock";

fn pair() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["undock.undock.svc".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn secret(certificate: &str, key: &str) -> Value {
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    json!({"metadata": {}, "data": {"tls.crt": bytes(certificate), "tls.key": bytes(key)}})
}

fn config_map(text: &str) -> Value {
    json!({"metadata": {}, "data": {"undock.yaml": text}})
}

/// A cluster in which everything is right.
fn installed() -> Store {
    let store = Store::start(&[]);
    for (file, name) in [
        ("manifests/base/deployment.yaml", "undock"),
        ("manifests/controller/deployment.yaml", "undock-controller"),
    ] {
        let text = std::fs::read_to_string(file).unwrap();
        let mut deployment: Value = serde_saphyr::from_str(&text).unwrap();
        deployment["status"] = json!({"readyReplicas": 1});
        let path = format!("/apis/apps/v1/namespaces/undock/deployments/{name}");
        store.put(&path, deployment);
    }
    let (certificate, key) = pair();
    store.put(SECRET, secret(&certificate, &key));
    store.put(CONFIG_MAP, config_map("mode: warn\n"));
    store
}

fn examined(store: &Store) -> Vec<Check> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = store.kubeconfig(&folder);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = own_cluster(Some(&kubeconfig)).await.unwrap().unwrap();
        examine(&client, &Installation::default()).await
    })
}

/// The ids of the checks that are not in order, with their results and messages.
fn wrong(store: &Store) -> Vec<(&'static str, Health, String)> {
    let checks = examined(store).into_iter();
    let wrong = checks.filter(|check| check.result != Health::Ok);
    wrong
        .map(|check| (check.id, check.result, check.message))
        .collect()
}

#[test]
fn what_is_right_is_in_order() {
    let store = installed();
    assert_eq!(wrong(&store), []);
    assert_eq!(examined(&store).len(), 4);
}

#[test]
fn what_the_next_pod_would_die_of_is_told() {
    let (certificate, key) = pair();
    let (other, _) = pair();
    let configuration = ["next-configuration", "next-controller-configuration"];
    for (path, object, ids, word) in [
        (
            CONFIG_MAP,
            Some(config_map("mode: loud\n")),
            &configuration[..],
            "loud",
        ),
        (
            CONFIG_MAP,
            Some(config_map("modes: warn\n")),
            &configuration,
            "modes",
        ),
        (
            CONFIG_MAP,
            Some(json!({"metadata": {}})),
            &configuration,
            "undock.yaml",
        ),
        (CONFIG_MAP, None, &configuration, "no ConfigMap"),
        (
            SECRET,
            Some(secret(&other, &key)),
            &["next-certificate"],
            "one pair",
        ),
        (
            SECRET,
            Some(secret("", &key)),
            &["next-certificate"],
            "tls.crt",
        ),
        (
            SECRET,
            Some(secret(&certificate, "x")),
            &["next-certificate"],
            "tls.key",
        ),
        (SECRET, None, &["next-certificate"], "no Secret"),
    ] {
        let store = installed();
        match object {
            Some(object) => store.put(path, object),
            None => store.remove(path),
        }
        let wrong = wrong(&store);
        assert_eq!(
            wrong.iter().map(|(id, ..)| *id).collect::<Vec<_>>(),
            ids,
            "{wrong:?}"
        );
        for (id, health, message) in &wrong {
            assert_eq!(*health, Health::Fail, "{id}");
            assert!(message.contains(word), "{word}: {message}");
        }
    }
}

#[test]
fn a_secret_that_may_not_be_read_is_skipped_and_a_missing_controller_is_told() {
    let store = installed();
    store.forbid(&[&format!("GET {SECRET}")]);
    store.remove("/apis/apps/v1/namespaces/undock/deployments/undock-controller");
    let wrong = wrong(&store);
    let told: Vec<_> = wrong.iter().map(|(id, health, _)| (*id, *health)).collect();
    assert_eq!(
        told,
        [
            ("next-certificate", Health::Skipped),
            ("controller", Health::Warn)
        ]
    );
}
