//! The audit log of a real API server, where it is at hand. Its annotations come from a throw-away endpoint: without owners.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::report_on;

fn log() -> Option<PathBuf> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    Some(shared.join("captures/audit.log")).filter(|path| path.is_file())
}

fn owners(report: &Value, rule: &str, status: Option<&str>) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let wanted = findings.filter(|finding| finding["rule"] == rule && status.is_none_or(|status| finding["status"] == status));
    wanted
        .map(|finding| format!("{}/{}/{}", finding["namespace"], finding["owner"]["kind"], finding["owner"]["name"]).replace('"', ""))
        .collect()
}

#[test]
fn a_real_log_gives_blocked_missed_and_removed() {
    let Some(log) = log() else { return };
    let (report, exit) = report_on(&log, &[]);
    assert_eq!(exit, 1);
    assert_eq!(report["coverage"]["unreadable"], 0);
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(owners(&report, "DKR101", Some("blocked")), all(&["enforced/Pod/bad", "enforced/ReplicaSet/rs"]));
    assert!(owners(&report, "DKR101", Some("removed")).is_superset(&all(&["ci/CronJob/prune", "ci/Pod/builder"])));
    assert!(owners(&report, "DKR101", Some("open")).contains("ci/Deployment/runner"));
    let missed: Vec<&Value> = report["missedWrites"].as_array().unwrap().iter().map(|missed| &missed["name"]).collect();
    assert_eq!(missed, ["missed", "prune-now-sfmt8"]);
    let enforced = report["namespaces"].as_array().unwrap().iter().find(|namespace| namespace["name"] == "enforced").unwrap();
    assert_eq!((&enforced["mode"], &enforced["open"]), (&json!("enforce"), &json!(0)));
}

#[test]
fn replay_finds_what_the_annotations_found_and_what_was_missed() {
    let Some(log) = log() else { return };
    let (annotated, replayed) = (report_on(&log, &[]).0, report_on(&log, &["--replay"]).0);
    let (found, again) = (owners(&annotated, "DKR101", None), owners(&replayed, "DKR101", None));
    assert!(again.is_superset(&found), "{found:?} {again:?}");
    assert!(again.contains("ci/Pod/missed"), "nobody reviewed it: {again:?}");
    assert!(replayed["coverage"]["withoutObject"].as_u64().unwrap() > 0, "patches carry none");
    let metadata = log.with_file_name("audit-metadata-level.log");
    let (nothing, _) = report_on(&metadata, &["--replay"]);
    assert_eq!(nothing["coverage"]["replayed"], 0);
    assert!(nothing["coverage"]["withoutObject"].as_u64().unwrap() > 20);
}
