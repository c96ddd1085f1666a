//! Inputs of users that once came out wrong, where they are at hand: each with its right value.

use std::path::PathBuf;

use serde_json::Value;

use super::support::report_on;

fn field(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    Some(shared.join("field/report").join(name)).filter(|path| path.exists())
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
        ("s35-denied-then-fixed.log", &["fixed"]),
        (
            "s43-blocked-90-days.log",
            &["removed", "removed", "removed"],
        ),
    ] {
        let Some(path) = field(name) else { return };
        assert_eq!(statuses(&report_on(&path, &[]).0), expected, "{name}");
    }
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
