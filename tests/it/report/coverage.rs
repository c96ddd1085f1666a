//! READY is a proof: what nobody evaluated, and what no log covers, is not READY, and is counted.

use serde_json::{Value, json};

use super::support::{
    Inputs, at, clean, event, every_day, flagged, quiet, record, report, report_on, report_with,
    scan, scanned_clean, text, undock,
};

/// A clean whole scan at the end of two weeks of daily lines.
fn weeks(mut more: Vec<Value>) -> Vec<Value> {
    let mut lines = every_day(1, 20);
    lines.append(&mut more);
    lines.push(scan(&at(20, "00:20"), &[scanned_clean()]));
    lines
}

fn other(mut event: Value, resource: &str, name: &str) -> Value {
    event["objectRef"]["resource"] = json!(resource);
    event["objectRef"]["name"] = json!(name);
    event
}

fn namespace<'r>(report: &'r Value, name: &str) -> &'r Value {
    let mut namespaces = report["namespaces"].as_array().unwrap().iter();
    namespaces.find(|own| own["name"] == name).unwrap()
}

#[test]
fn a_log_without_answers_is_named_beside_others() {
    let mut early = flagged(1, &at(1, "10:00"));
    early["stage"] = json!("RequestReceived");
    let inputs = Inputs::new();
    let early = inputs.write("early.log", &text(&[early.clone(), early]));
    let other = inputs.write("other.log", &text(&[flagged(2, &at(2, "10:00"))]));
    for flags in [
        &["--fail-on", "none"][..],
        &["--replay", "--fail-on", "none"],
    ] {
        let flags = [&[early.to_str().unwrap()], flags].concat();
        let (report, exit) = report_on(&other, &flags);
        let message = report["errors"][0]["message"].as_str().unwrap();
        assert_eq!(exit, 3);
        assert!(
            message.starts_with("2 audit events without an answer"),
            "{message}"
        );
    }
}

#[test]
fn a_window_of_no_days_proves_nothing() {
    let output = undock(&["report", "--window", "0", "examples"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_log_without_a_review_is_no_proof() {
    let write = other(event(1, &at(10, "10:00"), "create"), "pods", "build-1");
    let (told, exit) = report_with(&weeks(vec![write]), &[]);
    assert_eq!(exit, 3);
    let notice = told["notices"][0].as_str().unwrap();
    assert!(
        notice.contains("1 write of a reviewed kind") && notice.contains("--replay"),
        "{notice}"
    );
    assert_eq!(namespace(&told, "ci")["verdict"], "UNKNOWN");
    let (told, exit) = report_with(&weeks(Vec::new()), &[]);
    assert_eq!(exit, 3, "{}", told["notices"]);
    assert_eq!(namespace(&told, "ci")["verdict"], "UNKNOWN");
    let (told, exit) = report_with(&weeks(vec![clean(1, &at(10, "10:00"))]), &[]);
    assert_eq!((exit, &told["notices"]), (0, &json!([])));
    assert_eq!(namespace(&told, "ci")["verdict"], "READY");
}

#[test]
fn a_mode_that_was_lowered_is_told() {
    let in_mode = |number: u32, day: u32, mode: &str| {
        let mut review = clean(number, &at(day, "10:00"));
        review["annotations"]["workloads.undock.dev/mode"] = json!(mode);
        review
    };
    let (told, exit) = report_with(
        &weeks(vec![in_mode(1, 8, "enforce"), in_mode(2, 12, "warn")]),
        &[],
    );
    let ci = namespace(&told, "ci");
    assert_eq!((exit, &ci["verdict"]), (0, &json!("READY")));
    let reason = "the mode was enforce until 2026-11-08T10:00:00Z and is warn now";
    assert_eq!(ci["reasons"], json!([reason]));
    let (told, _) = report_with(
        &weeks(vec![in_mode(1, 8, "warn"), in_mode(2, 12, "enforce")]),
        &[],
    );
    assert_eq!(namespace(&told, "ci")["reasons"], json!([]));
}

#[test]
fn writes_without_a_review_are_counted_by_namespace_and_day() {
    let day = |number: u32, day: u32, name: &str| {
        other(event(number, &at(day, "10:00"), "create"), "pods", name)
    };
    let report = report(&weeks(vec![
        clean(1, &at(2, "10:00")),
        day(2, 12, "a"),
        day(3, 12, "b"),
        day(4, 14, "c"),
        // No reviewed kind, no Pod in it, refused, a dry run, and the same once more.
        other(event(5, &at(14, "10:00"), "create"), "configmaps", "x"),
        {
            let mut status = day(6, 14, "d");
            status["objectRef"]["subresource"] = json!("status");
            status
        },
        {
            let mut refused = day(7, 14, "e");
            refused["responseStatus"]["code"] = json!(403);
            refused
        },
        {
            let mut dry = day(8, 14, "f");
            dry["requestURI"] = json!("/api/v1/namespaces/ci/pods?dryRun=All");
            dry
        },
        day(4, 14, "c"),
    ]));
    let ci = namespace(&report, "ci");
    assert_eq!(
        (&ci["verdict"], &ci["unreviewed"]),
        (&json!("UNKNOWN"), &json!(3))
    );
    assert_eq!(
        ci["reasons"],
        json!([
            "3 writes of a reviewed kind without a review: the webhook was not called \
             (from 2026-11-12 to 2026-11-14)"
        ])
    );
    let days: Vec<_> = report["unreviewedWrites"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    let told: Vec<_> = days
        .iter()
        .map(|day| {
            (
                day["day"].as_str().unwrap(),
                day["writes"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("2026-11-12", 2), ("2026-11-14", 1)]);
}

#[test]
fn a_later_review_or_scan_of_the_object_makes_up_for_it() {
    let unreviewed = |number: u32, day: u32| event(number, &at(day, "10:00"), "update");
    let ready = |more: Vec<Value>| {
        let mut lines = vec![clean(90, &at(8, "10:00"))];
        lines.extend(more);
        namespace(&report(&weeks(lines)), "ci")["reasons"].clone()
    };
    assert_eq!(
        ready(vec![unreviewed(1, 8)]),
        json!([]),
        "the scan shows it"
    );
    // What a controller of Kubernetes made comes from a template that the scan shows; what anybody else made is gone unseen.
    let pod = |user: &str| {
        let mut pod = other(unreviewed(1, 8), "pods", "web-5d4f7-abcde");
        pod["user"]["username"] = json!(user);
        vec![pod]
    };
    let controller = "system:serviceaccount:kube-system:replicaset-controller";
    assert_eq!(ready(pod(controller)), json!([]));
    assert_ne!(ready(pod("alice")), json!([]));
}

#[test]
fn a_namespace_in_which_the_webhook_is_never_called_is_unknown() {
    let writes: Vec<Value> = (10..14)
        .map(|day| event(day, &at(day, "10:00"), "update"))
        .collect();
    let mut elsewhere = clean(1, &at(5, "10:00"));
    elsewhere["objectRef"]["namespace"] = json!("web");
    let lines = [vec![elsewhere], writes].concat();
    let report = report(&weeks(lines));
    assert_eq!(
        namespace(&report, "ci")["reasons"],
        json!(["the webhook was not called on 4 days with writes (from 2026-11-10 to 2026-11-13)"])
    );
}

#[test]
fn replay_that_could_evaluate_nothing_says_so() {
    let lines = weeks(vec![event(1, &at(10, "10:00"), "update")]);
    let (report, exit) = report_with(&lines, &["--replay"]);
    let notice = report["notices"][0].as_str().unwrap_or_default();
    assert!(
        exit == 3 && notice.contains("level Request"),
        "exit {exit}: {notice}"
    );
    assert_eq!(namespace(&report, "ci")["verdict"], "UNKNOWN");
    // The same where the log holds reviews, which are reported.
    let reviewed = weeks(vec![clean(1, &at(10, "10:00"))]);
    let (report, exit) = report_with(&reviewed, &["--replay"]);
    let notice = report["notices"][0].as_str().unwrap_or_default();
    assert!(
        exit == 3 && notice.contains("level Request"),
        "exit {exit}: {notice}"
    );
    assert_eq!(report_with(&reviewed, &[]).0["notices"], json!([]));
    // One that is clean tells nothing about the one whose object is not there.
    let mut whole = other(event(2, &at(9, "10:00"), "create"), "pods", "clean");
    whole["requestObject"] = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "clean"},
        "spec": {"containers": [{"name": "a", "image": "registry.example/a:1"}]}});
    let mut patch = other(event(3, &at(10, "10:00"), "patch"), "pods", "patched");
    patch["requestObject"] = json!([{"op": "add"}]);
    let (report, _) = report_with(&weeks(vec![whole, patch]), &["--replay"]);
    let reason = namespace(&report, "ci")["reasons"][0].clone();
    assert!(
        reason
            .as_str()
            .unwrap()
            .contains("1 write logged without the object"),
        "{reason}"
    );
}

#[test]
fn since_narrows_what_is_shown_and_not_what_was_covered() {
    let lines = weeks(vec![clean(1, &at(2, "10:00"))]);
    let (report, _) = report_with(&lines, &["--since", "3d"]);
    assert_eq!(namespace(&report, "ci")["verdict"], "READY");
}

#[test]
fn a_day_of_the_log_counts_in_every_form() {
    // Lines that say nothing about undock, as the API server writes them and inside of a shipper's message.
    let lines = weeks(vec![clean(1, &at(2, "10:00"))]);
    let wrapped: Vec<Value> = lines
        .iter()
        .map(|line| match line["auditID"].is_string() {
            true => json!({"message": line.to_string()}),
            false => line.clone(),
        })
        .collect();
    assert_eq!(report(&lines)["namespaces"], report(&wrapped)["namespaces"]);
    assert_eq!(report(&lines)["window"], report(&wrapped)["window"]);
}

#[test]
fn a_moment_in_the_future_is_named_and_does_not_move_the_clock() {
    let mut lines = vec![flagged(1, &at(1, "10:00"))];
    let mut late = quiet(2, &at(1, "10:00"));
    late["stageTimestamp"] = json!("2051-01-01T00:00:00.000000Z");
    lines.push(late);
    let inputs = super::support::Inputs::new();
    let path = inputs.write("a.log", &super::support::text(&lines));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_undock"))
        .args(["report", "-o", "json", "--fail-on", "none"])
        .arg(path)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("2051-01-01") && message.contains("future"),
        "{message}"
    );
    assert_eq!(output.status.code(), Some(3));
    let (report, exit) = report_with(&lines, &["--as-of", "2026-11-30", "--fail-on", "none"]);
    assert_eq!((&report["asOf"], exit), (&json!("2026-11-01T10:00:00Z"), 0));
    assert_eq!(report["findings"][0]["status"], "open");
}

#[test]
fn stale_findings_fail() {
    let mut lines = vec![flagged(1, &at(1, "10:00"))];
    lines.push(quiet(2, "2027-01-20T00:00:00.000000Z"));
    let (report, exit) = report_with(&lines, &[]);
    assert_eq!(
        (&report["findings"][0]["status"], exit),
        (&json!("stale"), 1)
    );
}

#[test]
fn what_was_not_evaluated_fixes_nothing() {
    for (key, value) in [
        ("decision", "skipped"),
        ("mode", "off"),
        ("rules", "DKR101=off"),
        ("rules", "DKR201=1,DKR101=off,DKR301=off"),
    ] {
        let mut second = clean(2, &at(5, "10:00"));
        second["annotations"][format!("workloads.undock.dev/{key}")] = json!(value);
        let report = report(&[flagged(1, &at(1, "10:00")), second]);
        assert_eq!(report["findings"][0]["status"], "open", "{key}={value}");
    }
}

#[test]
fn another_rule_that_is_off_changes_nothing() {
    let mut second = clean(2, &at(5, "10:00"));
    second["annotations"]["workloads.undock.dev/rules"] = json!("DKR201=off");
    let report = report(&[flagged(1, &at(1, "10:00")), second]);
    assert_eq!(report["findings"][0]["status"], "fixed");
}

#[test]
fn actions_are_read_and_not_guessed() {
    let denies = |decision: &str, action: &str, would_deny: bool, verb: &str| {
        let mut event = flagged(1, &at(1, "10:00"));
        event["verb"] = json!(verb);
        let annotations = event["annotations"].as_object_mut().unwrap();
        annotations.insert("workloads.undock.dev/decision".to_owned(), json!(decision));
        if !would_deny {
            annotations.remove("workloads.undock.dev/would-deny");
        }
        let findings = format!("DKR101 9f31c0d27be4a610 {action}spec.volumes[0].hostPath.path");
        annotations.insert("workloads.undock.dev/findings".to_owned(), json!(findings));
        let report = report(&[event]);
        assert_eq!(
            report["findings"][0]["field"],
            "spec.volumes[0].hostPath.path"
        );
        report["findings"][0]["denies"].as_bool().unwrap()
    };
    assert!(denies("warn", "", true, "create"));
    assert!(
        !denies("record", "", false, "create"),
        "a new object that nothing refuses"
    );
    assert!(!denies("record", "record ", false, "update"));
    assert!(denies("warn", "deny ", false, "update"));
    assert!(
        denies("warn", "", false, "update"),
        "what was there before is only warned about"
    );
    let mut own = record(1, &at(1, "10:00"));
    own["decision"] = json!("record");
    own["would_deny"] = json!(false);
    own["findings"][0]["action"] = json!("record");
    assert_eq!(report(&[own])["findings"][0]["denies"], false);
}
