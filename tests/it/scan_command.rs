//! `undock scan` as a process, against an API server of the test's own: exit codes, formats, the order of the answers, hostile text.

#[allow(
    dead_code,
    reason = "made for the tests of the scan, which ask it for more"
)]
use std::process::{Command, Stdio};

use crate::support::store::Store;
use serde_json::{Value, json};

const POD: &str = "/api/v1/namespaces/ci/pods/builder";

fn scan(store: &Store, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
    command
        .env_clear()
        .arg("scan")
        .arg("--kubeconfig")
        .arg(store.kubeconfig(&folder))
        .args(arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn pod(image: &str) -> Value {
    json!({"metadata": {}, "spec": {"containers": [{"name": "app", "image": image}]}})
}

fn store(image: &str) -> Store {
    let store = Store::start(&[]);
    store.put("/api/v1/namespaces/ci", json!({"metadata": {}}));
    store.put(POD, pod(image));
    store
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let (clean, flagged) = (store("registry.example/app:1"), store("docker:27-cli"));
    for (store, arguments, code) in [
        (&clean, &[][..], 0),
        (&flagged, &[], 1),
        (&flagged, &["-n", "other"], 0),
        (&flagged, &["--fail-on", "none"], 0),
        (&flagged, &["--mode", "warn"], 0),
        (&flagged, &["--mode", "warn", "--fail-on", "warn"], 1),
        (&flagged, &["-n", "../ci"], 2),
        (&flagged, &["--config", "/nowhere.yaml"], 2),
        (&flagged, &["-o", "xml"], 2),
    ] {
        let (found, out, err) = scan(store, arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {out}{err}");
    }
    // A finding wins over what is forbidden, and what could be read is told.
    for (store, code) in [(&clean, 3), (&flagged, 1)] {
        store.forbid(&["GET /api/v1/nodes", "GET /apis/batch"]);
        assert_eq!(scan(store, &[]).0, Some(code));
    }
    let (_, out, _) = scan(&flagged, &[]);
    assert!(
        out.contains("ci Pod/builder  DKR201") && out.contains("error: nodes (forbidden): "),
        "{out}"
    );
    let (code, out, _) = scan(&flagged, &["-o", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    let errors: Vec<_> = report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["part"].as_str().unwrap())
        .collect();
    assert_eq!(
        (code, errors),
        (Some(1), vec!["cronjobs.batch", "jobs.batch", "nodes"])
    );
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("kubeconfig");
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "x", "users": [{"name": "x", "user": {}}],
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]});
    std::fs::write(&nowhere, config.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_undock"))
        .env_clear()
        .arg("scan")
        .arg("--kubeconfig")
        .arg(&nowhere)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_answers_come_in_the_order_of_the_guide() {
    let (_, out, _) = scan(&store("docker:27-cli"), &[]);
    let (_, checks) = out
        .split_once("The guide's checks\n")
        .unwrap_or_else(|| panic!("{out}"));
    let questions = checks
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("      "));
    let ids: Vec<_> = questions
        .map(|line| line.trim_start().split(' ').next().unwrap())
        .collect();
    assert_eq!(ids, ["1", "2", "3", "4", "A", "B", "+"]);
    assert!(out.find("The guide's checks").unwrap() < out.find("To look at by hand").unwrap());
}

#[test]
fn every_format_is_written_and_none_lets_a_terminal_be_driven() {
    let store = store("docker:27-cli");
    let hostile = "until=2999-12-31; reason=\u{1b}[31mred\u{7}\u{202e}\n</script>";
    let mut namespace = json!({"metadata": {"annotations": {"exempt.undock.dev/DKR999": hostile, "exempt.undock.dev/\u{1b}[0m": "until=x"}}});
    namespace["metadata"]["labels"] = json!({"undock.dev/mode": "\u{1b}]0;loud\u{7}"});
    store.put("/api/v1/namespaces/ci", namespace);
    let mut other = pod("docker:27-cli\u{1b}[2J");
    other["metadata"]["annotations"] = json!({"exempt.undock.dev/DKR201": hostile});
    other["spec"]["containers"][0]["name"] = json!("a\u{1b}[31m\r\n::error::b");
    store.put("/api/v1/namespaces/ci/pods/other", other);
    for format in ["table", "json", "sarif", "junit", "github", "markdown"] {
        let (code, out, err) = scan(&store, &["-o", format]);
        assert_eq!(code, Some(1), "{format}: {err}");
        let driven = out
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}'));
        assert_eq!(driven, None, "{format}: {out}");
        assert!(
            format != "github" || out.lines().all(|line| !line.starts_with("::error::b")),
            "{out}"
        );
        if matches!(format, "json" | "sarif") {
            serde_json::from_str::<Value>(&out).unwrap();
        }
    }
}
