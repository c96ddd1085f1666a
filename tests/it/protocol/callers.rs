//! Who is answered: client certificates with a name, bearer tokens, and what records say of callers.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType,
};
use serde_json::json;
use undock::server::callers::Tokens;

use crate::support::answer::Answer;
use crate::support::client::{JSON, Reply, Tls};
use crate::support::eventually;
use crate::support::fake_api::FakeApi;
use crate::support::reviews::{bytes, clean_pod, create, socket_pod};
use crate::support::server::{Server, Settings};

/// Certificate and key in PEM.
type Identity = (String, String);

/// A CA for clients, and what it signs.
struct ClientCa {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl ClientCa {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    fn sign(&self, common_name: &str, names: Vec<SanType>) -> Identity {
        let mut leaf = CertificateParams::default();
        leaf.distinguished_name
            .push(DnType::CommonName, common_name);
        leaf.subject_alt_names = names;
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = leaf.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("client-ca.crt");
        std::fs::write(&path, &self.pem).unwrap();
        path
    }
}

fn ask(server: &Server, identity: Option<Identity>) -> std::io::Result<Reply> {
    let mut tls = Tls::new(&server.ca);
    tls.identity = identity;
    // In TLS 1.3 a client learns of the refusal only when it reads.
    tls.connect(server.address)
        .and_then(|mut client| client.call("POST", "/validate", JSON, &bytes(&create(clean_pod()))))
}

#[test]
fn with_a_client_ca_only_its_clients_are_answered() {
    let (ca, other) = (ClientCa::new(), ClientCa::new());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(Settings {
        client_ca: Some(ca.write(folder.path())),
        ..Settings::default()
    });
    for (identity, answered) in [
        (None, false),
        (Some(other.sign("apiserver", vec![])), false),
        (Some(ca.sign("apiserver", vec![])), true),
    ] {
        let reply = ask(&server, identity);
        assert_eq!(reply.is_ok(), answered, "{reply:?}");
    }
}

#[test]
fn a_replaced_client_ca_and_token_hold_without_a_restart() {
    let (old, new) = (ClientCa::new(), ClientCa::new());
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    let (old_token, new_token) = ("0".repeat(32), "1".repeat(32));
    std::fs::write(&token_file, &old_token).unwrap();
    let server = Server::with(Settings {
        client_ca: Some(old.write(folder.path())),
        tokens: Some(Tokens::read(&token_file).unwrap()),
        ..Settings::default()
    });
    let status = |ca: &ClientCa, token: &str| {
        let mut tls = Tls::new(&server.ca);
        tls.identity = Some(ca.sign("apiserver", vec![]));
        let bearer = format!("Bearer {token}");
        let headers = [JSON, &[("Authorization", bearer.as_str())]].concat();
        let body = bytes(&create(clean_pod()));
        tls.connect(server.address)
            .and_then(|mut client| client.call("POST", "/validate", &headers, &body))
            .map(|reply| reply.status)
            .ok()
    };
    assert_eq!(status(&old, &old_token), Some(200));
    assert_eq!(status(&new, &new_token), None);

    new.write(folder.path());
    std::fs::write(&token_file, &new_token).unwrap();
    eventually("the new CA and token are taken", || {
        (status(&new, &new_token) == Some(200)).then_some(())
    });
    assert_eq!(status(&old, &new_token), None);
    assert_eq!(status(&new, &old_token), Some(401));

    // What cannot be used changes nothing.
    std::fs::write(folder.path().join("client-ca.crt"), "not PEM").unwrap();
    std::fs::write(&token_file, "short").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(status(&new, &new_token), Some(200));
}

#[test]
fn of_a_client_ca_only_the_allowed_names_are_answered() {
    let ca = ClientCa::new();
    let folder = tempfile::tempdir().unwrap();
    for tls12 in [false, true] {
        let server = Server::with(Settings {
            client_ca: Some(ca.write(folder.path())),
            client_names: vec!["front-proxy-client".to_owned(), "spiffe://k/api".to_owned()],
            tls12,
            ..Settings::default()
        });
        let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
        let uri = |name: &str| SanType::URI(name.try_into().unwrap());
        for (identity, answered) in [
            (ca.sign("front-proxy-client", vec![]), true),
            (ca.sign("x", vec![dns("front-proxy-client")]), true),
            (ca.sign("x", vec![uri("spiffe://k/api")]), true),
            // A kubelet's certificate is often of the same CA.
            (
                ca.sign("system:node:worker-1", vec![dns("worker-1")]),
                false,
            ),
            (ca.sign("front-proxy-client.evil", vec![]), false),
            (ca.sign("", vec![]), false),
        ] {
            let reply = ask(&server, Some(identity));
            assert_eq!(reply.is_ok(), answered, "{reply:?}");
        }
    }
}

#[test]
fn with_tokens_only_their_bearers_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let token = "t0ken".repeat(8);
    std::fs::write(&path, &token).unwrap();
    let server = Server::with(Settings {
        tokens: Some(Tokens::read(&path).unwrap()),
        ..Settings::default()
    });
    let body = bytes(&create(socket_pod()));
    let mut client = server.connect();
    for (authorization, status) in [
        (None, 401),
        (Some("Bearer wrong".to_owned()), 401),
        (Some(format!("Bearer {token}")), 200),
    ] {
        let mut headers = JSON.to_vec();
        headers.extend(
            authorization
                .as_deref()
                .map(|value| ("Authorization", value)),
        );
        let reply = client.call("POST", "/validate", &headers, &body).unwrap();
        assert_eq!(reply.status, status, "{authorization:?}");
        if status == 401 {
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        } else {
            Answer::of(&reply);
        }
    }
    assert_eq!(
        server.metric("undock_refused_requests_total{status=\"401\"}"),
        2
    );
    let records = server.records(1);
    assert_eq!(records[0]["review.caller"], "api-server");
    assert_eq!(records.len(), 1, "who proved nothing leaves no record");
}

#[test]
fn a_record_says_that_its_caller_proved_nothing() {
    let server = Server::with(Settings::default());
    server.review(&create(socket_pod()));
    assert_eq!(server.records(1)[0]["review.caller"], "unproven");
}

#[test]
fn a_forged_namespace_review_learns_nothing() {
    let server = Server::with(Settings {
        api: Some(FakeApi::new()),
        ..Settings::default()
    });
    let namespace = |mode: &str| {
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "kube-system", "labels": {"undock.dev/mode": mode}}})
    };
    let mut review = create(namespace("enforce"));
    let request = &mut review["request"];
    request["operation"] = json!("UPDATE");
    request["oldObject"] = namespace("off");
    request["namespace"] = json!("kube-system");
    request["resource"] = json!({"group": "", "version": "v1", "resource": "namespaces"});
    let answer = server.review(&review);
    assert!(answer.allowed);
    let warnings = answer.warnings.join("\n");
    assert!(warnings.contains("does not know its callers"), "{warnings}");
}
