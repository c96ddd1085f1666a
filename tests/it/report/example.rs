//! `examples/`: what the README shows in the first minute, and that it tells the story it was made to tell.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::support::{report_on, undock};

fn texts(list: &Value, keys: &[&str]) -> BTreeSet<String> {
    let text = |one: &Value, key: &&str| {
        one.pointer(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| {
            keys.iter()
                .map(|key| text(one, key))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn the_example_tells_its_story() {
    let (report, exit) = report_on(Path::new("examples"), &[]);
    assert_eq!(
        (
            exit,
            &report["coverage"]["unreadable"],
            &report["coverage"]["scans"]
        ),
        (1, &json!(0), &json!(1))
    );
    let verdicts = texts(&report["namespaces"], &["/name", "/verdict"]);
    assert!(
        verdicts.contains(" READY")
            && !String::from_utf8_lossy(&undock(&["report", "examples", "-o", "html"]).stdout)
                .contains("label ns  ")
    );
    for expected in [
        "ci BLOCKED",
        "logging READY",
        "payments UNKNOWN",
        "web READY",
    ] {
        assert!(verdicts.contains(expected), "{expected}: {verdicts:#?}");
    }
    let fates = texts(
        &report["findings"],
        &[
            "/namespace",
            "/owner/kind",
            "/owner/name",
            "/rule",
            "/status",
            "/endedBy",
        ],
    );
    for expected in [
        "ci Deployment runner DKR101 exempt ",
        "ci Deployment image-builder DKR101 fixed carol@example.com",
        "ci CronJob prune DKR101 open ",
        "ci Pod build-4121 DKR101 removed system:serviceaccount:ci:gitlab-runner",
        "logging DaemonSet fluentd DKR502 fixed bob@example.com",
        "web Deployment top DKR101 removed alice@example.com",
        "web Pod debug DKR101 blocked ",
    ] {
        assert!(fates.contains(expected), "{expected}: {fates:#?}");
    }
    assert!(
        texts(
            &report["missedWrites"],
            &["/namespace", "/resource", "/name", "/user"]
        )
        .contains("payments deployments report-export dave@example.com")
    );
    let exemptions = texts(
        &report["exemptions"],
        &["/status", "/namespace", "/holder", "/rules", "/ref"],
    );
    assert_eq!(
        exemptions,
        [
            "ending ci Deployment/runner DKR101 PLAT-412",
            "expired logging  DKR501 PLAT-390",
            "unused web  DKR301 PLAT-377"
        ]
        .map(str::to_owned)
        .into()
    );
    let (replayed, _) = report_on(Path::new("examples/audit.log"), &["--replay"]);
    let again = texts(
        &replayed["findings"],
        &["/namespace", "/owner/kind", "/owner/name", "/rule"],
    );
    let annotated = report_on(Path::new("examples/audit.log"), &[]).0;
    assert!(
        again.is_superset(&texts(
            &annotated["findings"],
            &["/namespace", "/owner/kind", "/owner/name", "/rule"]
        )),
        "{again:#?}"
    );
}

#[test]
fn the_line_of_the_readme_works() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(readme.contains("undock report examples/* -o table -o html=report.html"));
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let files: Vec<String> = std::fs::read_dir("examples")
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let output = undock(
        &[
            &["report"],
            files.as_slice(),
            &["-o", "table", "-o", &format!("html={}", page.display())],
        ]
        .concat(),
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("NAMESPACE")
            && std::fs::read_to_string(page)
                .unwrap()
                .ends_with("</html>\n")
    );
}
