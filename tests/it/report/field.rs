//! Inputs of users that once came out wrong, where they are at hand: each with its right value.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::support::{report_on, undock};

fn field(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let found = Some(shared.join("field/report").join(name)).filter(|path| path.exists());
    if found.is_none() {
        eprintln!(
            "SKIPPED: no {name}; UNDOCK_TEST_SHARED names the folder that holds field/report/"
        );
    }
    found
}

/// Verdicts as `CLUSTER/NAMESPACE=VERDICT`, of namespaces that are no system's.
fn verdicts(report: &Value) -> Vec<String> {
    let system = [
        "",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "default",
        "undock",
    ];
    let text = |own: &Value, key: &str| own[key].as_str().unwrap().to_owned();
    let mut told: Vec<String> = report["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|own| !system.contains(&own["name"].as_str().unwrap()))
        .map(|own| {
            let place = [text(own, "cluster"), text(own, "name")].join("/");
            format!("{}={}", place.trim_start_matches('/'), text(own, "verdict"))
        })
        .collect();
    told.sort();
    told
}

fn statuses(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|own| own["status"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn verdicts_and_exit_codes_are_right() {
    for (name, flags, exit, expected) in [
        (
            "r01b-unreviewed-writes.log",
            &[][..],
            3,
            &["web=UNKNOWN"][..],
        ),
        ("r02-half-reviewed.log", &[], 0, &["web=UNKNOWN"]),
        (
            "r12-replay-metadata-level.log",
            &["--replay"],
            3,
            &["web=UNKNOWN"],
        ),
        (
            "p08-replay-no-bodies.log",
            &["--replay"],
            3,
            &["web=UNKNOWN"],
        ),
        (
            "p01-replay-create-patch.log",
            &["--replay"],
            1,
            &["web=BLOCKED"],
        ),
        ("r13-gke-ns-dry-run.log", &[], 0, &["prod-eu1/web=UNKNOWN"]),
        (
            "r14-gke-dryrun-label.log",
            &[],
            1,
            &["prod-eu1/web=BLOCKED"],
        ),
        (
            "r15-mixed-clusters-aks.log",
            &[],
            1,
            &["prod-eu/web=BLOCKED", "prod-us/web=UNKNOWN"],
        ),
        ("r25-every-720h.log", &[], 0, &["web=UNKNOWN"]),
        ("r26-removed-blocks.log", &[], 0, &["web=READY"]),
        (
            "r27-future-line.log",
            &["--as-of", "2030-01-01"],
            1,
            &["web=BLOCKED"],
        ),
        ("s19-stale.log", &[], 1, &["web=UNKNOWN"]),
        ("s28-missed-then-clean.log", &[], 0, &["web=READY"]),
        ("s72-error-in-window.log", &[], 0, &["web=READY"]),
        ("s36-rs-derived-vs-self.log", &[], 1, &["web=BLOCKED"]),
        ("s49-delete-202.log", &[], 0, &["web=UNKNOWN"]),
        (
            "r01-no-webhook.log",
            &[],
            3,
            &[
                "ci=UNKNOWN",
                "logging=UNKNOWN",
                "payments=UNKNOWN",
                "web=UNKNOWN",
            ],
        ),
        ("r28-excluded-namespace.log", &[], 0, &["web=READY"]),
        ("r17-gap-at-3-days.log", &[], 0, &["web=READY"]),
        ("r20-nozone.log", &[], 1, &["web=BLOCKED"]),
        (
            "r22-folder",
            &[],
            1,
            &[
                "ci=BLOCKED",
                "logging=READY",
                "payments=UNKNOWN",
                "web=READY",
            ],
        ),
        (
            "s24-fleet.log",
            &[],
            1,
            &["eu/web=BLOCKED", "us/web=BLOCKED", "web=UNKNOWN"],
        ),
        ("s22-gke-ns-dry-run.log", &[], 0, &["prod-eu1/web=UNKNOWN"]),
        (
            "s34-scan-ns-scope.log",
            &[],
            1,
            &["ci=BLOCKED", "web=READY"],
        ),
        (
            "s55-exempt-overlap.log",
            &[],
            1,
            &["eu/web=UNKNOWN", "us/web=BLOCKED"],
        ),
        ("s65-error-decision.log", &[], 0, &["web=READY"]),
        ("s66-error-later-clean.log", &[], 0, &["web=READY"]),
        ("s67-deadline-weekly-cron.log", &[], 0, &["web=READY"]),
        ("s68-suspended-monthly.log", &[], 0, &["web=UNKNOWN"]),
        ("s29-missed-deleted.log", &[], 0, &["web=UNKNOWN"]),
        ("s71-two-exemptions-same.log", &[], 0, &["web=BLOCKED"]),
    ] {
        let Some(path) = field(name) else { return };
        let (report, code) = report_on(&path, flags);
        assert_eq!(
            (code, verdicts(&report)),
            (exit, expected.iter().map(|own| (*own).to_owned()).collect()),
            "{name}"
        );
    }
}

#[test]
fn findings_end_as_they_should() {
    for (name, expected) in [
        ("s20-gke-dry-run.log", &["open"][..]),
        ("s21-gke-dry-run-with-record.log", &[]),
        ("s23-deletecollection.log", &["removed", "removed"]),
        ("s01-fixed.log", &["fixed"]),
        ("s02-rename.log", &["open", "removed"]),
        ("s03-nsdel.log", &["removed"]),
        ("s04-nsdel-recreated.log", &["open"]),
        ("s05-container-a-fixed-b-open.log", &["open", "fixed"]),
        ("s06-dry.log", &[]),
        ("s08-scale.log", &["open"]),
        ("s12-exempt-expired.log", &["open"]),
        ("s14-scan-partial.log", &["open"]),
        ("s15-scan-selector.log", &["open"]),
        ("s18-future.log", &["stale"]),
        ("s31-only-records.log", &["open"]),
        ("s33-two-scans.log", &["open", "fixed"]),
        ("s37-status-update.log", &["open"]),
        ("s38-partial.log", &["open", "open"]),
        ("s42-native-dry-of-fix.log", &["open"]),
        ("s46-patch-own-name.log", &["open", "removed"]),
        ("s47-helm-uninstall-foreground.log", &["removed"]),
        ("s48-delete-404.log", &["open"]),
        ("s60-container-renamed.log", &["open"]),
        ("s64-restore-after-scan.log", &["open"]),
        ("p03-replay-403.log", &["removed"]),
        ("r23-powershell-utf16.log", &["open"; 31]),
        ("s35-denied-then-fixed.log", &["fixed"]),
        (
            "s43-blocked-90-days.log",
            &["removed", "removed", "removed"],
        ),
    ] {
        let Some(path) = field(name) else { return };
        let replay: &[&str] = if name.starts_with('p') {
            &["--replay"]
        } else {
            &[]
        };
        let own = statuses(&report_on(&path, replay).0);
        if name.starts_with("r23") {
            // Readable at all: what became of each is the matter of other tests.
            assert_eq!(own.len(), expected.len(), "{name}");
        } else {
            assert_eq!(own, expected, "{name}");
        }
    }
}

/// Each with its exit code, verdicts, and findings as `OWNER STATUS`.
#[test]
fn what_a_log_says_is_what_happened() {
    let app = "Deployment/app";
    for (name, flags, exit, namespaces, findings) in [
        (
            "p02-replay-patch-response.log",
            "--replay",
            0,
            "web=UNKNOWN",
            &[format!("{app} fixed")][..],
        ),
        (
            "p04-replay-deleted.log",
            "--replay",
            0,
            "web=UNKNOWN",
            &[format!("{app} removed")],
        ),
        ("p05-replay-dry.log", "--replay", 0, "web=UNKNOWN", &[]),
        // What the namespace allows is in no write of the workload: in doubt, it is not exempt.
        (
            "p06-replay-exempt-annotation.log",
            "--replay",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        (
            "p07-replay-ns-exempt.log",
            "--replay",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        (
            "p09-replay-pv-claim.log",
            "--replay",
            1,
            "web=UNKNOWN",
            &["PersistentVolume/pv open".to_owned()],
        ),
        (
            "p10-replay-generateName-in-collection.log",
            "--replay",
            1,
            "web=BLOCKED",
            &[
                "Pod/runner-x-* open".to_owned(),
                "Pod/runner-x-* open".to_owned(),
            ],
        ),
        (
            "p11-replay-mode.log",
            "--replay",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        (
            "p12-replay-old-api.log",
            "--replay",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        // The webhook is not asked about Rollouts either; their Pods tell.
        ("p13-replay-cr.log", "--replay", 0, "web=UNKNOWN", &[]),
        (
            "p14-request-received.log",
            "--replay",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        ("r16-only-cri-stderr.log", "", 3, "web=UNKNOWN", &[]),
        (
            "r19-neg.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        // Refused for a second finding: that one never came.
        (
            "s07-update-denied.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open"), format!("{app} removed")],
        ),
        (
            "s09-bare-pods.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open"), "Pod/debug open".to_owned()],
        ),
        (
            "s10-mode-back.log",
            "",
            0,
            "web=UNKNOWN",
            &[format!("{app} fixed")],
        ),
        (
            "s11-exempt-change.log",
            "",
            0,
            "web=UNKNOWN",
            &[format!("{app} exempt")],
        ),
        ("s13-cron-monthly.log", "", 0, "web=UNKNOWN", &[]),
        ("s16-gap.log", "", 0, "web=UNKNOWN", &[]),
        (
            "s17-clock-skew.log",
            "",
            0,
            "web=READY",
            &[format!("{app} fixed")],
        ),
        // Made before undock annotated dry runs, and without the label of Google's log: nothing in
        // it says that the second write was one. `gke_dry_runs_are_known_by_the_label` has it.
        (
            "s20b-gke-dry-run-of-a-fix.log",
            "",
            0,
            "prod-eu1/web=UNKNOWN",
            &[format!("{app} fixed")],
        ),
        (
            "s25-eu.log",
            "",
            1,
            "eu/web=BLOCKED",
            &[format!("{app} open")],
        ),
        (
            "s27-restart.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        ("s30-mode-off.log", "", 0, "web=READY", &[]),
        (
            "s32-only-scan.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        (
            "s39-error-500.log",
            "",
            0,
            "web=UNKNOWN",
            &[format!("{app} removed")],
        ),
        (
            "s40-quota-403.log",
            "",
            0,
            "web=UNKNOWN",
            &[format!("{app} removed")],
        ),
        // Of one moment: in doubt, it is there.
        (
            "s44-order-time-equal.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        (
            "s45-order-us.log",
            "",
            0,
            "web=UNKNOWN",
            &[format!("{app} fixed")],
        ),
        (
            "s51-generateName-pods.log",
            "",
            1,
            "web=BLOCKED",
            &["Pod/ci-job-* open".to_owned()],
        ),
        (
            "s52-two-users-impersonation.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        // A debug container is of its Pod, and went with it.
        (
            "s53-ephemeral.log",
            "",
            0,
            "web=BLOCKED",
            &["Pod/x removed".to_owned()],
        ),
        (
            "s54-pv.log",
            "",
            1,
            "web=UNKNOWN",
            &["PersistentVolume/pv open".to_owned()],
        ),
        ("s56-window-1.log", "", 0, "web=UNKNOWN", &[]),
        ("s56-window-1.log", "--window=1", 0, "web=READY", &[]),
        ("s57-window-0.log", "", 0, "web=UNKNOWN", &[]),
        (
            "s58-team-change.log",
            "",
            1,
            "web=BLOCKED",
            &[format!("{app} open")],
        ),
        (
            "s61-exempt-soon-and-open.log",
            "",
            0,
            "web=UNKNOWN",
            &[format!("{app} exempt"), format!("{app} exempt")],
        ),
        (
            "s62-off-to-enforce-existing.log",
            "",
            1,
            "web=BLOCKED",
            &["Deployment/legacy open".to_owned()],
        ),
        (
            "s63-scan-then-deleted.log",
            "",
            0,
            "web=READY",
            &["Deployment/legacy removed".to_owned()],
        ),
        ("s69-cron-tz.log", "", 0, "web=UNKNOWN", &[]),
        (
            "s70-scan-of-other-cluster-name.log",
            "",
            0,
            "eu/web=READY",
            &[format!("{app} fixed")],
        ),
    ] {
        let Some(path) = field(name) else { return };
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let (report, code) = report_on(&path, &flags);
        let found = report["findings"].as_array().unwrap().iter();
        let found: Vec<String> = found
            .map(|own| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let owner = &own["owner"];
                let (kind, name) = (text(&owner["kind"]), text(&owner["name"]));
                format!("{kind}/{name} {}", text(&own["status"]))
            })
            .collect();
        assert_eq!(
            (code, verdicts(&report).join(" "), found.as_slice()),
            (exit, namespaces.to_owned(), findings),
            "{name}"
        );
    }
}

#[test]
fn names_that_are_as_long_as_they_can_be_are_shown_whole() {
    let Some(path) = field("s50-long-names.log") else {
        return;
    };
    let (report, exit) = report_on(&path, &[]);
    let name = report["findings"][0]["owner"]["name"].as_str().unwrap();
    assert_eq!((exit, name.len()), (1, 253), "{name}");
    let hostile = field("r11-hostile.log").unwrap();
    for format in ["table", "html", "markdown", "csv"] {
        let output = undock(&["report", "-o", format, hostile.to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        let is_control = |own: char| own.is_control() && own != '\n' && own != '\r';
        assert!(!text.contains(is_control), "{format}");
        let is_page = matches!(format, "html" | "markdown");
        let has_script = text.to_lowercase().contains("<script");
        assert!(!(is_page && has_script), "{format}");
    }
}

#[test]
fn gke_dry_runs_are_known_by_the_label() {
    let Some(path) = field("s20b-gke-dry-run-of-a-fix.log") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let fix = text.lines().last().unwrap();
    let decision = r#""workloads.undock.dev/decision":"clean""#;
    for mark in [
        r#""command.gke.io/dryRun":"All""#,
        r#""workloads.undock.dev/dry-run":"true""#,
    ] {
        let marked = fix.replace(decision, &format!("{decision},{mark}"));
        assert_ne!(marked, fix);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gke.log");
        std::fs::write(&path, text.replace(fix, &marked)).unwrap();
        assert_eq!(statuses(&report_on(&path, &[]).0), ["open"], "{mark}");
    }
}

#[test]
fn every_file_has_a_test() {
    let Some(folder) = field(".") else { return };
    // What a server printed while the others were made.
    let not_inputs = ["README.md", "serve.err", "serve.out", "s25"];
    let tests = include_str!("field.rs");
    for entry in folder.read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            not_inputs.contains(&name.as_str()) || tests.contains(&format!("\"{name}\"")),
            "{name}"
        );
    }
}

#[test]
fn inputs_beside_each_other_say_what_they_say_alone() {
    let Some(path) = field("r01b-unreviewed-writes.log") else {
        return;
    };
    // A clean scan makes no proof of a log without a review.
    let scan = field("r21-scan.json").unwrap();
    let (report, _) = report_on(&path, &[scan.to_str().unwrap()]);
    assert_eq!(verdicts(&report), ["web=UNKNOWN"]);
    let [eu, us] = ["eu", "us"].map(|name| {
        let path = field(&format!("s25/{name}.log")).unwrap();
        format!("{name}={}", path.display())
    });
    let output = undock(&["report", "-o", "json", "--cluster", &eu, "--cluster", &us]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts(&report).len(), 2, "{:?}", verdicts(&report));
    // What is shown is narrowed, and not what was covered.
    let path = field("r18-weekend-webhook-down-nobody-wrote.log").unwrap();
    let [all, week] = [&[][..], &["--since", "7d"]].map(|flags| report_on(&path, flags).0);
    assert_eq!(verdicts(&all), verdicts(&week));
    let path = field("r28-excluded-namespace.log").unwrap();
    let (report, _) = report_on(&path, &[]);
    let is_excluded = |own: &&Value| own["name"] == "kube-system";
    let own = report["namespaces"].as_array().unwrap();
    let own = own.iter().find(is_excluded).unwrap();
    let reason = own["reasons"][0].as_str().unwrap();
    assert!(
        own["verdict"] == "UNKNOWN" && reason.contains("was not called on 14 days"),
        "{own:#}"
    );
}

#[test]
fn lines_of_other_programs_are_no_errors() {
    for name in [
        "r03-kubectl-logs-with-stderr.log",
        "r03b.log",
        "r24-apiserver-stdout-klog-mixed.log",
    ] {
        let Some(path) = field(name) else { return };
        let (report, exit) = report_on(&path, &["--fail-on", "none"]);
        assert_eq!((exit, &report["errors"]), (0, &json!([])), "{name}");
    }
}

#[test]
fn a_newcomer_is_told_what_enforce_would_refuse() {
    let Some(folder) = field("../newcomer/dind-blocked") else {
        return;
    };
    let [records, scan] = ["records.log", "scan.json"].map(|name| folder.join(name));
    let flags = [records.to_str().unwrap(), scan.to_str().unwrap()];
    let (report, exit) = report_on(&folder.join("audit.log"), &flags);
    assert_eq!(
        (exit, verdicts(&report)),
        (0, vec!["dindns=UNKNOWN".to_owned()])
    );
    assert_eq!(report["summary"]["openDenied"], 0);
}

#[test]
fn every_form_of_the_example_is_read() {
    for name in [
        "23-eks-firehose-s3-concat-nonewline.gz",
        "23b-eks-firehose-s3-doublegzip.gz",
        "64c-elastic-agent-kubernetes.audit.json",
        "79-alibaba-sls.json",
        "r04-firehose-concat.json",
        "r04b-firehose-concat-newline.json",
        "r05b-oneline-array.json",
        "r05c.json",
    ] {
        let Some(path) = field(name) else { return };
        let (report, exit) = report_on(&path, &[]);
        assert_eq!(
            (exit, report["findings"].as_array().unwrap().len()),
            (1, 31),
            "{name}"
        );
        assert_eq!(report["errors"].as_array().unwrap().len(), 0, "{name}");
    }
    let Some(native) = field("r21-native.log") else {
        return;
    };
    let [native, cloud] = [native, field("r21-cloudwatch.json").unwrap()].map(|path| {
        let scan = field("r21-scan.json").unwrap();
        verdicts(&report_on(&path, &[scan.to_str().unwrap()]).0)
    });
    assert_eq!(native, cloud);
}

#[test]
fn what_cannot_be_read_is_one_message_with_the_cure() {
    for (name, cure) in [
        ("r07-lfs.log", "git lfs pull"),
        ("r08-accessdenied.xml", "download"),
        ("r06-journald-null-over-4096.json", "journalctl --all"),
        ("r09-empty-events.json", "expected records"),
        ("r09b.json", "expected records"),
        ("r20-nozone.log", "invalid RFC 3339"),
        ("s41-requestreceived-only.log", "ResponseComplete"),
    ] {
        let Some(path) = field(name) else { return };
        let (report, exit) = report_on(&path, &["--fail-on", "none"]);
        let errors = report["errors"].as_array().unwrap();
        let message = errors[0]["message"].as_str().unwrap();
        assert!(
            exit == 3 && errors.len() == 1 && message.contains(cure),
            "{name}: {exit} {errors:?}"
        );
    }
}
