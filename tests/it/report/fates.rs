//! What becomes of findings, and what that means for their namespace.

use serde_json::{Value, json};

use super::support::{
    at, clean, event, every_day, finding, flagged, quiet, record, report, report_with, scan,
    scanned_clean, scanned_flagged, uid,
};

fn status(lines: &[Value]) -> String {
    finding(&report(lines))["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_finding_that_vanished_is_stale_and_never_fixed() {
    let seen = || flagged(1, "2026-10-01T10:00:00.000000Z");
    assert_eq!(
        status(&[seen(), quiet(2, "2026-10-20T10:00:00.000000Z")]),
        "open"
    );
    assert_eq!(status(&[seen(), quiet(2, &at(20, "10:00"))]), "stale");
    let report = report(&[seen(), quiet(2, &at(20, "10:00"))]);
    assert_eq!(
        (
            &report["namespaces"][0]["verdict"],
            &report["summary"]["fixed"]
        ),
        (&json!("UNKNOWN"), &json!(0))
    );
}

#[test]
fn a_later_clean_review_fixes_it_and_says_who_and_when() {
    let mut by_bob = clean(2, &at(9, "11:30"));
    by_bob["user"]["username"] = json!("bob");
    let mut lines = vec![
        flagged(1, &at(1, "10:00")),
        by_bob,
        clean(3, &at(12, "09:00")),
        scan(&at(20, "10:00"), &[scanned_clean()]),
    ];
    lines.extend(every_day(2, 20));
    let report = report(&lines);
    let finding = finding(&report);
    assert_eq!(
        (&finding["status"], &finding["endedAt"], &finding["endedBy"]),
        (
            &json!("fixed"),
            &json!("2026-11-09T11:30:00Z"),
            &json!("bob")
        )
    );
    let namespace = &report["namespaces"][0];
    assert_eq!(namespace["verdict"], "READY", "{namespace}");
    let open: Vec<u64> = report["burnDown"]["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["open"].as_u64().unwrap())
        .collect();
    assert_eq!(open, [[1].repeat(8), [0].repeat(12)].concat());
}

#[test]
fn a_finding_that_was_fixed_within_a_second_is_not_lost() {
    let day = |time: &str| at(1, "10:00").replace("10:00:00.000000", time);
    assert_eq!(
        status(&[
            flagged(1, &day("10:00:00.100000")),
            clean(2, &day("10:00:00.900000"))
        ]),
        "fixed"
    );
}

#[test]
fn a_clean_write_that_was_not_stored_fixes_nothing() {
    let mut conflict = clean(2, &at(9, "11:30"));
    conflict["responseStatus"]["code"] = json!(409);
    assert_eq!(status(&[flagged(1, &at(1, "10:00")), conflict]), "open");
    let mut dry = clean(2, &at(9, "11:30"));
    dry["requestURI"] =
        json!("/apis/apps/v1/namespaces/ci/deployments/runner?dryRun=All&fieldManager=kubectl");
    assert_eq!(status(&[flagged(1, &at(1, "10:00")), dry]), "open");
}

#[test]
fn deletion_of_the_owner_or_its_namespace_removes_it() {
    assert_eq!(
        status(&[
            flagged(1, &at(1, "10:00")),
            event(2, &at(2, "10:00"), "delete")
        ]),
        "removed"
    );
    let mut namespace = event(2, &at(2, "10:00"), "delete");
    namespace["objectRef"] =
        json!({"resource": "namespaces", "namespace": "ci", "name": "ci", "apiVersion": "v1"});
    assert_eq!(status(&[flagged(1, &at(1, "10:00")), namespace]), "removed");
    let mut refused = event(2, &at(2, "10:00"), "delete");
    refused["responseStatus"]["code"] = json!(403);
    assert_eq!(status(&[flagged(1, &at(1, "10:00")), refused]), "open");
}

#[test]
fn what_was_only_ever_refused_is_blocked() {
    let mut refused = flagged(1, &at(1, "10:00"));
    refused["annotations"]["workloads.undock.dev/decision"] = json!("deny");
    refused["responseStatus"]["code"] = json!(403);
    let report = report(&[refused]);
    assert_eq!(
        (&finding(&report)["status"], &finding(&report)["denied"]),
        (&json!("blocked"), &json!(1))
    );
    assert_eq!(report["summary"]["open"], 0);
}

#[test]
fn an_exemption_holds_to_its_last_day_and_then_it_is_open() {
    let exempt = |until: &str| {
        let mut event = flagged(1, &at(1, "10:00"));
        event["annotations"]["workloads.undock.dev/decision"] = json!("exempt");
        event["annotations"]["workloads.undock.dev/exempt"] =
            json!(format!("DKR101 by=namespace until={until} ref=PLAT-4"));
        let mut object = scanned_flagged();
        object["findings"][0]["exempt"] =
            json!({"scope": "namespace", "until": until, "reason": "x", "ref": "PLAT-4"});
        let mut lines = every_day(1, 20);
        lines.extend([event, scan(&at(20, "00:20"), &[object])]);
        lines
    };
    let soon = report(&exempt("2026-11-20"));
    assert_eq!(
        (&finding(&soon)["status"], &finding(&soon)["exemptRef"]),
        (&json!("exempt"), &json!("PLAT-4"))
    );
    assert_eq!(
        soon["namespaces"][0]["verdict"], "BLOCKED",
        "it ends within 14 days"
    );
    assert_eq!(
        report(&exempt("2027-03-01"))["namespaces"][0]["verdict"],
        "READY"
    );
    assert_eq!(status(&exempt("2026-11-19")), "open");
}

#[test]
fn writes_that_failed_open_are_named_and_leave_doubt() {
    let mut missed = event(2, &at(19, "10:00"), "create");
    missed["annotations"]["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"] =
        json!("workloads.undock.dev");
    let mut foreign = event(3, &at(19, "10:00"), "create");
    foreign["annotations"]["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"] =
        json!("policy.example.com");
    let mut lines = every_day(1, 20);
    lines.extend([clean(1, &at(19, "09:00")), missed, foreign]);
    let mut whole = lines.clone();
    whole.push(scan(&at(20, "00:20"), &[scanned_clean()]));
    // The object itself is whole and clean since.
    assert_eq!(report(&whole)["namespaces"][0]["reasons"], json!([]));
    lines.push(scan(&at(18, "00:20"), &[scanned_clean()]));
    let report = report(&lines);
    assert_eq!(report["coverage"]["missed"], 1);
    assert_eq!(
        (
            &report["missedWrites"][0]["name"],
            &report["missedWrites"][0]["user"]
        ),
        (&json!("runner"), &json!("alice"))
    );
    assert_eq!(report["namespaces"][0]["verdict"], "UNKNOWN");
    assert!(
        report["namespaces"][0]["reasons"][0]
            .as_str()
            .unwrap()
            .contains("failed open"),
        "{}",
        report["namespaces"][0]
    );
}

#[test]
fn little_input_is_no_proof() {
    let verdict = |lines: &[Value]| report(lines)["namespaces"][0].clone();
    let three_days = [
        clean(1, &at(1, "10:00")),
        clean(2, &at(3, "10:00")),
        scan(&at(3, "09:00"), &[scanned_clean()]),
    ];
    let short = verdict(&three_days);
    assert_eq!(
        (&short["verdict"], &short["reasons"]),
        (&json!("UNKNOWN"), &json!(["the logs cover 3 of 14 days"]))
    );
    let (narrow, exit) = report_with(&three_days, &["--window", "2"]);
    assert_eq!(
        (&narrow["namespaces"][0]["verdict"], exit),
        (&json!("READY"), 0)
    );
    let scan = scan(&at(20, "09:00"), &[scanned_clean()]);
    let silent = verdict(&[
        clean(1, &at(1, "10:00")),
        clean(2, &at(10, "10:00")),
        quiet(3, &at(20, "10:00")),
        scan,
    ]);
    assert_eq!(
        (&silent["verdict"], &silent["reasons"]),
        (
            &json!("UNKNOWN"),
            &json!(["the logs have nothing from 2026-11-11 to 2026-11-19"])
        )
    );
    assert_eq!(
        verdict(&[flagged(1, &at(1, "10:00")), quiet(2, &at(20, "10:00"))])["verdict"],
        "BLOCKED"
    );
}

#[test]
fn what_came_and_went_in_the_window_blocks() {
    let story = |resource: &str, kind: &str, window: &str| {
        let mut made = flagged(1, &at(10, "10:00"));
        made["verb"] = json!("create");
        made["annotations"]["workloads.undock.dev/owner"] =
            json!(format!("core/{kind}/ci/runner self"));
        let mut gone = event(2, &at(10, "11:00"), "delete");
        made["objectRef"]["resource"] = json!(resource);
        gone["objectRef"]["resource"] = json!(resource);
        let mut lines = every_day(1, 20);
        lines.extend([made, gone, scan(&at(20, "00:20"), &[])]);
        let (report, _) = report_with(&lines, &["--window", window]);
        report["namespaces"][0].clone()
    };
    let namespace = story("pods", "Pod", "14");
    assert_eq!(
        (&namespace["verdict"], &namespace["removed"]),
        (&json!("BLOCKED"), &json!(1))
    );
    assert_eq!(
        namespace["reasons"],
        json!(["1 finding came and went, and would be refused: DKR101 Pod/runner"])
    );
    assert_eq!(
        story("pods", "Pod", "7")["verdict"],
        "READY",
        "not in the window"
    );
    // A Deployment that was removed is removed.
    assert_eq!(story("deployments", "Deployment", "14")["verdict"], "READY");
}

#[test]
fn a_record_and_its_audit_event_are_one_review() {
    let both = report(&[record(1, &at(1, "10:00")), flagged(1, &at(1, "10:00"))]);
    let finding = finding(&both);
    assert_eq!(
        (&finding["observations"], &finding["sources"]),
        (&json!(1), &json!(["audit", "record"]))
    );
    assert_eq!(
        (
            &finding["team"],
            &finding["evidence"],
            &both["coverage"]["reviews"]
        ),
        (&json!("build"), &json!("/var/run/docker.sock"), &json!(1))
    );
}

#[test]
fn folded_records_count_unless_the_audit_log_is_there() {
    let mut rollup = record(2, &at(2, "10:00"));
    rollup["event.name"] = json!("undock.review.rollup");
    rollup["dedupe.suppressed"] = json!(24);
    rollup["dedupe.first_seen"] = json!(at(1, "08:00"));
    let alone = report(&[rollup.clone()]);
    assert_eq!(
        (
            &finding(&alone)["observations"],
            &finding(&alone)["firstSeen"]
        ),
        (&json!(25), &json!("2026-11-01T08:00:00Z"))
    );
    let both = report(&[
        rollup,
        flagged(1, &at(1, "09:00")),
        flagged(2, &at(2, "10:00")),
    ]);
    assert_eq!(finding(&both)["observations"], 2);
}

#[test]
fn dry_runs_count_nowhere() {
    let mut dry = record(1, &at(1, "10:00"));
    dry["review.dry_run"] = json!(true);
    let report = report(&[dry]);
    assert_eq!(
        (
            &report["coverage"]["dryRuns"],
            &report["summary"]["findings"]
        ),
        (&json!(1), &json!(0))
    );
}

#[test]
fn a_deadline_and_a_projection_are_told_only_where_they_are_honest() {
    let mut lines = Vec::new();
    for number in 0..10 {
        let rename = |mut event: Value| {
            let name = format!("app-{number}");
            event["objectRef"]["name"] = json!(name);
            if event["annotations"]
                .get("workloads.undock.dev/owner")
                .is_some()
            {
                event["annotations"]["workloads.undock.dev/owner"] =
                    json!(format!("apps/Deployment/ci/{name} self"));
                event["annotations"]["workloads.undock.dev/review-uid"] = json!(uid(5000 + number));
            }
            event
        };
        lines.push(rename(flagged(number, &at(1, "10:00"))));
        if number < 8 {
            lines.push(rename(clean(100 + number, &at(2 + number, "10:00"))));
        }
    }
    let (report, _) = report_with(&lines, &["--deadline", "2026-12-24"]);
    let burn_down = &report["burnDown"];
    assert_eq!(
        (
            &burn_down["slope"],
            &burn_down["projectedZero"],
            &burn_down["deadline"]
        ),
        (&json!(-1.0), &json!("2026-11-11"), &json!("2026-12-24"))
    );
    let (short, _) = report_with(&lines[..4], &["--deadline", "2026-12-24"]);
    assert!(
        short["burnDown"].get("projectedZero").is_none(),
        "{}",
        short["burnDown"]
    );
}
