//! The inventory of exemptions: what scans list and reviews use, and how each stands at the report's clock.

use serde_json::{Value, json};

use super::support::{
    Inputs, at, every_day, flagged, quiet, record, report, scan, scanned_clean, scanned_flagged,
    text, undock,
};

fn listed(rules: &str, until: &str, more: Value) -> Value {
    let mut listed = json!({"scope": "namespace", "namespace": "ci", "holder": "", "rules": rules, "status": "unused", "uses": 0,
        "until": until, "reason": "builders move", "ref": "PLAT-4"});
    more.as_object()
        .unwrap()
        .iter()
        .for_each(|(key, value)| listed[key] = value.clone());
    listed
}

fn exempt_object(until: &str, scope: &str) -> Value {
    let mut object = scanned_flagged();
    object["findings"][0]["exempt"] =
        json!({"scope": scope, "until": until, "reason": "builders move", "ref": "PLAT-4"});
    object
}

fn with(mut scan: Value, exemptions: &[Value]) -> Value {
    scan["exemptions"] = json!(exemptions);
    scan
}

/// Status, rules, last day, findings and what is wrong, in the report's order.
fn standing(report: &Value) -> Vec<String> {
    let exemptions = report["exemptions"].as_array().unwrap().iter();
    let text = |exemption: &Value, key: &str| exemption[key].as_str().unwrap().to_owned();
    exemptions
        .map(|one| {
            format!(
                "{} {} {} {}",
                text(one, "status"),
                text(one, "rules"),
                text(one, "until"),
                one["findings"]
            )
        })
        .collect()
}

#[test]
fn each_stands_as_it_does_on_the_day_of_the_report() {
    let exemptions = [
        listed("all", "2027-06-01", json!({})),
        listed("DKR201", "2026-11-19", json!({})),
        listed("DKR301", "2026-11-20", json!({})),
        listed(
            "DKR401",
            "",
            json!({"error": "\"until\" is missing or not YYYY-MM-DD"}),
        ),
        listed(
            "DKR501",
            "2027-01-01",
            json!({"scope": "workload", "holder": "Deployment/runner", "status": "not-allowed"}),
        ),
    ];
    let report = report(&[with(
        scan(
            &at(20, "10:00"),
            &[exempt_object("2027-06-01", "namespace")],
        ),
        &exemptions,
    )]);
    assert_eq!(
        standing(&report),
        [
            "expired DKR201 2026-11-19 0",
            "malformed DKR401  0",
            "not-allowed DKR501 2027-01-01 0",
            "unused DKR301 2026-11-20 0",
            "in-use all 2027-06-01 1"
        ]
    );
    let last = &report["exemptions"][4];
    assert_eq!(
        (&last["reason"], &last["ref"], &last["daysLeft"]),
        (&json!("builders move"), &json!("PLAT-4"), &json!(193))
    );
    assert_eq!(report["findings"][0]["exemptScope"], "namespace");
}

#[test]
fn one_that_ends_soon_and_one_that_has_ended_since_the_scan_are_told() {
    let lines = |until: &str| {
        let listed = listed("DKR101", until, json!({"status": "in-use", "uses": 1}));
        let mut lines = every_day(1, 20);
        lines.push(with(
            scan(&at(10, "10:00"), &[exempt_object(until, "namespace")]),
            &[listed],
        ));
        lines
    };
    assert_eq!(
        standing(&report(&lines("2026-12-04"))),
        ["ending DKR101 2026-12-04 1"]
    );
    assert_eq!(
        standing(&report(&lines("2026-12-05"))),
        ["in-use DKR101 2026-12-05 1"]
    );
    let ended = report(&lines("2026-11-19"));
    assert_eq!(
        (standing(&ended), &ended["findings"][0]["status"]),
        (
            vec!["expired DKR101 2026-11-19 1".to_owned()],
            &json!("open")
        )
    );
}

#[test]
fn reviews_tell_of_exemptions_that_no_scan_lists() {
    let mut event = flagged(1, &at(1, "10:00"));
    event["annotations"]["workloads.undock.dev/decision"] = json!("exempt");
    event["annotations"]["workloads.undock.dev/exempt"] =
        json!("DKR101 by=workload until=2027-01-31 ref=PLAT-4");
    let audited = report(&[event.clone()]);
    assert_eq!(standing(&audited), ["in-use DKR101 2027-01-31 1"]);
    assert_eq!(
        (
            &audited["exemptions"][0]["holder"],
            &audited["exemptions"][0]["scope"]
        ),
        (&json!("Deployment/runner"), &json!("workload"))
    );
    let mut recorded = record(1, &at(1, "10:00"));
    let finding = &mut recorded["findings"][0];
    (finding["status"], finding["exempt.until"]) = (json!("exempt"), json!("2027-01-31"));
    (finding["exempt.ref"], finding["exempt.scope"]) = (json!("PLAT-4"), json!("workload"));
    assert_eq!(report(&[recorded])["exemptions"], audited["exemptions"]);
    // The same, listed by a scan: one exemption, with its reason.
    let listed = listed(
        "all",
        "2027-01-31",
        json!({"scope": "workload", "holder": "Deployment/runner", "status": "in-use", "uses": 1}),
    );
    let both = report(&[
        event,
        with(
            scan(&at(2, "10:00"), &[exempt_object("2027-01-31", "workload")]),
            &[listed],
        ),
    ]);
    assert_eq!(standing(&both), ["in-use all 2027-01-31 1"]);
}

#[test]
fn what_a_later_scan_does_not_list_is_gone() {
    let first = with(
        scan(&at(1, "10:00"), &[scanned_clean()]),
        &[listed("DKR101", "2027-01-31", json!({}))],
    );
    assert_eq!(
        standing(&report(std::slice::from_ref(&first))),
        ["unused DKR101 2027-01-31 0"]
    );
    let later = scan(&at(2, "10:00"), &[scanned_clean()]);
    assert!(standing(&report(&[first.clone(), later.clone()])).is_empty());
    let mut blind = later.clone();
    blind["errors"] =
        json!([{"part": "namespaces", "namespace": "", "reason": "forbidden", "message": "no"}]);
    assert_eq!(
        standing(&report(&[first.clone(), blind])).len(),
        1,
        "it could not see Namespaces"
    );
    let mut narrow = later;
    narrow["scope"]["namespaces"] = json!(["web"]);
    narrow["objects"] = json!([]);
    assert_eq!(
        standing(&report(&[first, narrow])).len(),
        1,
        "it looked elsewhere"
    );
}

#[test]
fn a_scan_that_cannot_see_namespaces_does_not_end_an_exemption() {
    let mut event = flagged(1, &at(1, "10:00"));
    event["annotations"]["workloads.undock.dev/exempt"] =
        json!("DKR101 by=namespace until=2027-01-31 ref=PLAT-4");
    let seeing = scan(&at(2, "10:00"), &[scanned_flagged()]);
    assert_eq!(
        report(&[event.clone(), seeing.clone()])["findings"][0]["status"],
        "open",
        "the annotation was taken away"
    );
    let mut blind = seeing;
    blind["errors"] =
        json!([{"part": "namespaces", "namespace": "", "reason": "forbidden", "message": "no"}]);
    assert_eq!(
        report(&[event, blind, quiet(5, &at(3, "10:00"))])["findings"][0]["status"],
        "exempt"
    );
}

#[test]
fn every_output_has_them() {
    let exemptions = [
        listed(
            "DKR201",
            "2026-11-01",
            json!({"reason": "=cmd|<script>alert(1)</script>"}),
        ),
        listed("all", "2027-06-01", json!({})),
    ];
    let inputs = Inputs::new();
    let scan = with(
        scan(
            &at(20, "10:00"),
            &[exempt_object("2027-06-01", "namespace")],
        ),
        &exemptions,
    );
    let path = inputs.write("scan.json", &text(&[scan]));
    for (format, needle) in [
        ("table", "expired  2026-11-01  DKR201  namespace ci"),
        (
            "markdown",
            "| expired | 2026-11-01 | DKR201 | namespace ci | 0 | PLAT-4 | =cmd\\|&lt;script&gt;",
        ),
        (
            "csv-exemptions",
            ",ci,,namespace,DKR201,expired,2026-11-01,-19,0,PLAT-4,'=cmd|<script>alert(1)</script>,",
        ),
        ("html", "=cmd|&#60;script&#62;alert(1)&#60;/script&#62;"),
        ("json", "\"status\": \"expired\""),
    ] {
        let out = undock(&["report", path.to_str().unwrap(), "-o", format]);
        let out = String::from_utf8(out.stdout).unwrap();
        assert!(out.contains(needle), "{format}: {out}");
    }
}
