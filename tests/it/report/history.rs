//! `--history`: an earlier report keeps what rotated logs said.

use serde_json::{Value, json};

use super::support::{
    Inputs, at, clean, event, every_day, finding, flagged, quiet, record, report_on, scan,
    scanned_clean, scanned_flagged, text, undock,
};

/// The report on `old`, then the report on `new` with it as history.
fn with_history(old: &[Value], new: &[Value], flags: &[&str]) -> (Value, i32) {
    let inputs = Inputs::new();
    let earlier = inputs.write("old.log", &text(old));
    let (earlier, _) = report_on(&earlier, &[]);
    let history = inputs.write("last.json", earlier.to_string().as_bytes());
    let path = inputs.write("new.log", &text(new));
    let flags = [&["--history", history.to_str().unwrap()], flags].concat();
    report_on(&path, &flags)
}

fn open_days(report: &Value) -> Vec<(String, u64)> {
    let days = report["burnDown"]["days"].as_array().unwrap().iter();
    days.map(|day| {
        (
            day["date"].as_str().unwrap().to_owned(),
            day["open"].as_u64().unwrap(),
        )
    })
    .collect()
}

#[test]
fn rotated_logs_do_not_restart_the_burn_down() {
    let old = [
        every_day(1, 10),
        vec![flagged(1, &at(2, "10:00")), record(1, &at(2, "10:00"))],
    ]
    .concat();
    let new = [every_day(11, 15), vec![clean(9, &at(13, "10:00"))]].concat();
    let (report, _) = with_history(&old, &new, &[]);
    let days = open_days(&report);
    let open: Vec<u64> = days.iter().map(|(_, open)| *open).collect();
    assert_eq!((days.len(), days[0].0.as_str()), (15, "2026-11-01"));
    assert_eq!(open, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    let own = finding(&report);
    assert_eq!(
        (&own["status"], &own["endedBy"], &own["team"]),
        (&json!("fixed"), &json!("alice"), &json!("build"))
    );
    assert_eq!(own["firstSeen"], "2026-11-02T10:00:00Z");
    assert_eq!(
        (&own["observations"], &own["wouldDeny"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        report["burnDown"]["days"][1]["wouldDeny"], 1,
        "reviews that would have been refused are kept too"
    );
    // What it saw is no proof that the webhook answered.
    assert_eq!(report["window"]["days"], 5);
    assert_eq!(report["coverage"]["reviews"], 1);
}

#[test]
fn findings_keep_their_end_and_end_by_what_is_newer() {
    let open = [every_day(1, 10), vec![flagged(1, &at(2, "10:00"))]].concat();
    let fixed = [open.clone(), vec![clean(2, &at(5, "10:00"))]].concat();
    let deleted = [open.clone(), vec![event(3, &at(6, "10:00"), "delete")]].concat();
    let later = every_day(11, 12);
    let and = |more: Value| [later.clone(), vec![more]].concat();
    let whole = |objects: &[Value]| and(scan(&at(12, "10:00"), objects));
    for (what, old, new, status, seen) in [
        ("silence", &open, later.clone(), "open", 1),
        ("fixed before", &fixed, later.clone(), "fixed", 1),
        ("removed before", &deleted, later.clone(), "removed", 1),
        (
            "fixed, then back",
            &fixed,
            and(flagged(9, &at(12, "10:00"))),
            "open",
            2,
        ),
        (
            "removed, then back",
            &deleted,
            and(flagged(9, &at(12, "10:00"))),
            "open",
            2,
        ),
        (
            "clean now",
            &open,
            and(clean(9, &at(12, "10:00"))),
            "fixed",
            1,
        ),
        (
            "deleted now",
            &open,
            and(event(9, &at(12, "10:00"), "delete")),
            "removed",
            1,
        ),
        (
            "scanned clean",
            &open,
            whole(&[scanned_clean()]),
            "fixed",
            1,
        ),
        ("not in a whole scan", &open, whole(&[]), "removed", 1),
        ("in a scan", &open, whole(&[scanned_flagged()]), "open", 2),
        (
            "long silence",
            &open,
            vec![quiet(9, &at(30, "10:00")), quiet(8, "2026-12-20T10:00:00Z")],
            "stale",
            1,
        ),
        ("the same log again", &open, open.clone(), "open", 1),
    ] {
        let (report, _) = with_history(old, &new, &[]);
        let own = finding(&report);
        assert_eq!(own["status"], status, "{what}");
        assert_eq!(own["firstSeen"], "2026-11-02T10:00:00Z", "{what}");
        assert_eq!(own["observations"], seen, "{what}");
    }
}

#[test]
fn what_only_pods_showed_is_not_fixed_by_a_clean_owner() {
    let mut pod = flagged(1, &at(2, "10:00"));
    pod["verb"] = json!("create");
    pod["responseStatus"]["code"] = json!(201);
    pod["objectRef"] = json!({"resource": "pods", "namespace": "ci", "name": "runner-x",
        "apiVersion": "v1"});
    let annotations = pod["annotations"].as_object_mut().unwrap();
    let own: Vec<String> = annotations.keys().cloned().collect();
    for key in own {
        let value = annotations.remove(&key).unwrap();
        annotations.insert(key.replace("workloads.undock", "pods.undock"), value);
    }
    annotations["pods.undock.dev/owner"] = json!("apps/Deployment/ci/runner label");
    let new = [every_day(11, 12), vec![clean(9, &at(12, "10:00"))]].concat();
    let (report, _) = with_history(&[pod], &new, &[]);
    assert_eq!(finding(&report)["status"], "open");
}

#[test]
fn a_report_is_no_ordinary_input_and_none_of_the_future() {
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&[flagged(1, &at(9, "10:00"))]));
    let (earlier, _) = report_on(&path, &[]);
    let history = inputs.write("last.json", earlier.to_string().as_bytes());
    let history = history.to_str().unwrap();
    let (report, exit) = report_on(&path, &[history, "--fail-on", "none"]);
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(exit == 3 && message.contains("--history"), "{message}");
    let old = inputs.write("old.log", &text(&[flagged(1, &at(1, "10:00"))]));
    let flags = [
        "--history",
        history,
        "--as-of",
        "2026-11-05",
        "--fail-on",
        "none",
    ];
    let (report, exit) = report_on(&old, &flags);
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(
        exit == 3 && message.contains("later than --as-of"),
        "{message}"
    );
    let output = undock(&[
        "report",
        path.to_str().unwrap(),
        "--history",
        path.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
