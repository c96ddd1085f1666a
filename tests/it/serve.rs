//! `undock serve` as people and kubelet start it: first contact, mistakes, rotation of certificates, and its end.

#![allow(
    clippy::unwrap_used,
    reason = "a test that fails is a test that panics"
)]

mod flood;
mod rotation;
mod stopping;

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::Command;

use crate::support::answer::Answer;
use crate::support::client::{Client, get, tcp};
use crate::support::process::{Undock, refused};
use crate::support::reviews::{bytes, clean_pod, create, socket_pod};
use serde_json::Value;

#[test]
fn the_first_contact_works_when_pasted() {
    let undock = Undock::serve(&[]);
    let line = crate::support::eventually("the curl line", || {
        undock
            .err
            .lines()
            .into_iter()
            .find(|line| line.starts_with("curl "))
    });
    assert!(
        undock
            .err
            .lines()
            .iter()
            .any(|line| line.contains(&format!("https://{}/validate", undock.address)))
    );
    assert!(fs::metadata(undock.ca_path()).unwrap().is_file());
    if Command::new("curl").arg("--version").output().is_err() {
        println!("SKIPPED: the printed line cannot be tried without curl");
        return;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", &line])
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer = Answer::parse(&output.stdout);
    assert!(
        answer.allowed && answer.warnings[0].starts_with("DKR101 "),
        "{:?}",
        answer.warnings
    );
    let record = undock.records(1).remove(0);
    assert_eq!(
        (
            record["decision"].as_str(),
            record["findings"][0]["rule.id"].as_str()
        ),
        (Some("warn"), Some("DKR101"))
    );
    assert_eq!(
        record["findings"][0]["fingerprint"].as_str().map(str::len),
        Some(16)
    );
}

#[test]
fn only_records_are_on_stdout() {
    let undock = Undock::serve(&["--mode", "enforce"]);
    let mut client = undock.connect();
    for body in [
        bytes(&create(socket_pod())),
        bytes(&create(clean_pod())),
        b"nonsense".to_vec(),
    ] {
        client.post(&body);
    }
    let records = undock.records(1);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(
        (
            records[0]["decision"].as_str(),
            records[0]["schema.version"].as_str()
        ),
        (Some("deny"), Some("1"))
    );
}

#[test]
fn the_admin_port_tells_how_it_goes() {
    let undock = Undock::serve(&[]);
    assert_eq!(
        (
            undock.admin("/livez").0,
            undock.admin("/readyz").0,
            undock.admin("/nowhere").0
        ),
        (200, 200, 404)
    );
    undock.connect().post(&bytes(&create(socket_pod())));
    let reviews =
        r#"undock_reviews_total{operation="CREATE",resource="pods",mode="warn",decision="warn"}"#;
    assert_eq!(
        (
            undock.metric(reviews),
            undock.metric("undock_would_deny_total")
        ),
        (1, 1)
    );
    let (_, metrics) = undock.admin("/metrics");
    assert!(
        metrics.contains("undock_review_duration_seconds_bucket"),
        "{metrics}"
    );
    let mut types: Vec<&str> = metrics
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    types.sort_unstable();
    let count = types.len();
    types.dedup();
    assert_eq!(
        types.len(),
        count,
        "OpenMetrics has each family once: {metrics}"
    );
    assert!(
        !metrics.contains("builder") && !metrics.contains("admin\""),
        "no names in metrics: {metrics}"
    );
    assert!(undock.metric("undock_certificate_expiry_timestamp") > 1_700_000_000);
}

#[test]
fn the_webhook_has_no_report() {
    assert_eq!(Undock::serve(&[]).admin("/report").0, 404);
}

#[test]
fn a_controller_without_a_cluster_says_what_to_do() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_undock"))
        .arg("controller")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--kubeconfig"), "{said}");
}

/// An address of this machine that is not loopback. No packet is sent.
fn other_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn from_other_machines_only_health_is_open() {
    let Some(ip) = other_address() else {
        println!("SKIPPED: this machine has no address but loopback");
        return;
    };
    let undock = Undock::serve(&["--admin-listen", "0.0.0.0:0"]);
    let port = undock.admin.port();
    let status = |address: std::net::SocketAddr, path: &str| get(address, path).unwrap().status;
    for (path, from_elsewhere) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/metrics", 403),
        ("/nowhere", 404),
    ] {
        assert_eq!(status((ip, port).into(), path), from_elsewhere, "{path}");
    }
    assert_eq!(status(([127, 0, 0, 1], port).into(), "/metrics"), 200);
}

#[test]
fn silent_clients_of_the_admin_port_do_not_keep_others_out() {
    let undock = Undock::serve(&[]);
    let mut silent: Vec<_> = (0..150).map(|_| tcp(undock.admin).unwrap()).collect();
    assert_eq!(undock.admin("/livez").0, 200);
    // The oldest have made room.
    assert!(!matches!(silent[0].read(&mut [0]), Ok(1)));
}

#[test]
fn idle_connections_cost_little_memory() {
    let undock = Undock::serve(&[]);
    let Some(before) = undock.resident_kib() else {
        println!("SKIPPED: this system does not tell a process's memory");
        return;
    };
    let mut idle: Vec<Client> = (0..200).map(|_| undock.connect()).collect();
    for client in &mut idle {
        Answer::of(&client.post(&bytes(&create(clean_pod()))));
    }
    let grown = undock.resident_kib().unwrap().saturating_sub(before);
    assert!(grown < 24 * 1024, "200 idle connections cost {grown} KiB");
    Answer::of(&undock.connect().post(&bytes(&create(clean_pod()))));
    let open = undock.metric("undock_connections");
    assert!((200..=201).contains(&open), "{open}");
}

#[test]
fn mistakes_are_one_line_with_a_cure() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (one, other) = (
        rotation::Authority::new().pair(),
        rotation::Authority::new().pair(),
    );
    for (name, text) in [
        ("one.crt", &one.0),
        ("one.key", &one.1),
        ("other.key", &other.1),
    ] {
        fs::write(path(name), text).unwrap();
    }
    fs::write(path("empty"), "").unwrap();
    fs::write(path("bad.yaml"), "mode: warn\nmodes: x\n").unwrap();
    fs::write(path("cut.crt"), &one.0[..one.0.len() / 2]).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();

    let pair = |certificate: &str, key: &str| {
        vec![
            "--tls-cert".to_owned(),
            path(certificate),
            "--tls-key".to_owned(),
            path(key),
        ]
    };
    let flag = |name: &str, value: String| vec![name.to_owned(), value];
    let cases: Vec<(Vec<String>, i32, &str)> = vec![
        (flag("--listen", port.clone()), 4, "--listen"),
        (flag("--admin-listen", port), 4, "--admin-listen"),
        (flag("--listen", "203.0.113.7:0".to_owned()), 4, "--listen"),
        (pair("one.crt", "other.key"), 2, "one pair"),
        (pair("nowhere.crt", "one.key"), 2, "nowhere.crt"),
        (pair("one.crt", "nowhere.key"), 2, "nowhere.key"),
        (pair("empty", "one.key"), 2, "generate.sh"),
        (pair("one.crt", "empty"), 2, "generate.sh"),
        (pair("cut.crt", "one.key"), 2, "generate.sh"),
        (pair("one.key", "one.crt"), 2, "one.key"),
        (flag("--client-ca", path("nowhere.crt")), 2, "nowhere.crt"),
        (flag("--client-ca", path("empty")), 2, "empty"),
        (flag("--config", path("nowhere.yaml")), 2, "nowhere.yaml"),
        (flag("--config", path("bad.yaml")), 2, "bad.yaml:2:1"),
    ];
    for (arguments, exit, word) in cases {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, said) = refused(&arguments);
        assert_eq!(code, exit, "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(
            said.starts_with("undock: ") && said.contains(word),
            "{arguments:?}: {said}"
        );
    }
    for arguments in [
        &["--tls-cert", "x"][..],
        &["--mode", "loud"],
        &["--listen", "8443"],
        &["--nonsense"],
        &["--scan"],
    ] {
        assert_eq!(refused(arguments).0, 2, "{arguments:?}");
    }
}

#[test]
fn a_changed_configuration_is_taken_and_a_wrong_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("undock.yaml");
    let configure = |text: &str| fs::write(&path, text).unwrap();
    configure("mode: warn\n");
    let undock = Undock::serve(&["--config", path.to_str().unwrap()]);
    let ask = || {
        Answer::of(&undock.connect().post(&bytes(&create(socket_pod()))))
            .decision()
            .to_owned()
    };
    let said = |word: &str| {
        undock
            .err
            .lines()
            .iter()
            .filter(|line| line.contains(word))
            .count()
    };
    assert_eq!(ask(), "warn");
    configure("mode: enforce\n");
    crate::support::eventually("the new one", || (ask() == "deny").then_some(()));
    for (count, wrong) in [
        (1, "mode: loud\n"),
        (
            2,
            "exemptions:\n- {rules: [DKR101], until: soon, reason: x}\n",
        ),
        (3, "mode: [\u{0}"),
    ] {
        configure(wrong);
        crate::support::eventually("it is counted and said", || {
            let counted = undock.metric("undock_configuration_errors_total");
            (counted == count && said("keeping the old configuration") as u64 == count)
                .then_some(())
        });
        assert_eq!(ask(), "deny");
    }
    fs::remove_file(&path).unwrap();
    configure("mode: audit\n");
    crate::support::eventually("the next good one", || (ask() == "record").then_some(()));
}

#[test]
fn a_second_server_finds_the_port_taken_and_the_first_goes_on() {
    let first = Undock::serve(&[]);
    let (code, said) = refused(&["--listen", &first.address.to_string()]);
    assert_eq!(code, 4);
    assert!(said.contains("another process has this port"), "{said}");
    Answer::of(&first.connect().post(&bytes(&create(clean_pod()))));
}

#[test]
fn the_log_is_json_where_nobody_watches() {
    let undock = Undock::serve(&["--tls-min-version", "1.2"]);
    let first = undock.err.lines().into_iter().next().unwrap();
    let log: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (log["level"].as_str(), log["mode"].as_str()),
        (Some("INFO"), Some("warn"))
    );
}
