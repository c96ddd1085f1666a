//! The audit log of a real API server, where it is at hand. Its annotations come from a throw-away endpoint: without owners.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::support::report_on;

fn log() -> Option<PathBuf> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    Some(shared.join("captures/audit.log")).filter(|path| path.is_file())
}

fn owners(report: &Value, rule: &str, status: Option<&str>) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let wanted = findings.filter(|finding| {
        finding["rule"] == rule && status.is_none_or(|status| finding["status"] == status)
    });
    wanted
        .map(|finding| {
            format!(
                "{}/{}/{}",
                finding["namespace"], finding["owner"]["kind"], finding["owner"]["name"]
            )
            .replace('"', "")
        })
        .collect()
}

#[test]
fn a_real_log_gives_blocked_missed_and_removed() {
    let Some(log) = log() else { return };
    let (report, exit) = report_on(&log, &[]);
    assert_eq!(exit, 1);
    assert_eq!(report["coverage"]["unreadable"], 0);
    let all = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        owners(&report, "DKR101", Some("blocked")),
        all(&["enforced/Pod/bad", "enforced/ReplicaSet/rs"])
    );
    assert!(
        owners(&report, "DKR101", Some("removed"))
            .is_superset(&all(&["ci/CronJob/prune", "ci/Pod/builder"]))
    );
    assert!(owners(&report, "DKR101", Some("open")).contains("ci/Deployment/runner"));
    let missed: Vec<&Value> = report["missedWrites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|missed| &missed["name"])
        .collect();
    assert_eq!(missed, ["missed", "prune-now-sfmt8"]);
    let enforced = report["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .find(|namespace| namespace["name"] == "enforced")
        .unwrap();
    assert_eq!(
        (&enforced["mode"], &enforced["open"]),
        (&json!("enforce"), &json!(0))
    );
}

#[test]
fn replay_finds_what_the_annotations_found_and_what_was_missed() {
    let Some(log) = log() else { return };
    let (annotated, replayed) = (report_on(&log, &[]).0, report_on(&log, &["--replay"]).0);
    // The endpoint of the capture knew one rule. About that one, both say the same, with the same fate, but for what nobody reviewed.
    let all = ["blocked", "removed", "open", "fixed", "stale", "exempt"];
    let fates = |report: &Value| -> BTreeSet<String> {
        all.iter()
            .flat_map(|status| {
                owners(report, "DKR101", Some(status))
                    .into_iter()
                    .map(move |owner| format!("{owner} {status}"))
            })
            .collect()
    };
    let mut expected: BTreeSet<String> = [
        "/PersistentVolume/sockpv open",
        "ci/CronJob/prune removed",
        "ci/Deployment/runner open",
        "ci/Job/prune-now removed",
        "ci/Pod/builder removed",
        "enforced/Pod/bad blocked",
        "enforced/ReplicaSet/rs blocked",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(fates(&annotated), expected);
    expected.insert("ci/Pod/missed open".to_owned());
    assert_eq!(fates(&replayed), expected);
    // What the endpoint did not know, replay finds in the same objects.
    assert!(
        owners(&replayed, "DKR401", None).contains("ci/Pod/builder")
            && owners(&replayed, "DKR502", None).contains("ci/DaemonSet/fluentd")
    );
    assert_eq!(replayed["missedWrites"], annotated["missedWrites"]);
    assert_eq!(
        (
            &replayed["coverage"]["withoutObject"],
            &replayed["coverage"]["replayed"]
        ),
        (&json!(3), &json!(22)),
        "patches carry none"
    );
    let metadata = log.with_file_name("audit-metadata-level.log");
    let (nothing, _) = report_on(&metadata, &["--replay"]);
    assert_eq!(nothing["coverage"]["replayed"], 0);
    assert!(nothing["coverage"]["withoutObject"].as_u64().unwrap() > 20);
}
