//! `docs/report.schema.json` describes what `-o json` writes: everything, and nothing else.

use serde_json::{Value, json};

use super::support::{
    at, clean, flagged, quiet, record, report, report_with, scan, scanned_flagged,
};
use crate::support::json_schema::breaks;

#[test]
fn every_report_fits_the_schema() {
    let schema: Value =
        serde_json::from_slice(&std::fs::read("docs/report.schema.json").unwrap()).unwrap();
    let mut missed = quiet(5, &at(2, "10:00"));
    missed["annotations"]["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"] =
        json!("pods.undock.dev");
    let mut exempting = scan(&at(9, "10:00"), &[scanned_flagged()]);
    exempting["exemptions"] = json!([{"scope": "namespace", "namespace": "ci", "rules": "all", "until": "2026-11-01", "reason": "x", "ref": "y"}]);
    let story = [
        flagged(1, &at(1, "10:00")),
        record(1, &at(1, "10:00")),
        clean(2, &at(9, "10:00")),
        missed,
        json!("broken"),
        exempting,
    ];
    for report in [
        report_with(&story, &["--deadline", "2027-01-31"]).0,
        report(&story[..1]),
        report(&[quiet(1, &at(1, "10:00"))]),
    ] {
        let mut found = Vec::new();
        breaks(&schema, &report, "$", &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
    let mut found = Vec::new();
    breaks(
        &schema,
        &json!({"schema": "undock.report/v2", "more": 1}),
        "$",
        &mut found,
    );
    assert!(found.len() > 3, "the test sees what is wrong: {found:?}");
}
