//! Scans among the inputs: what they fix and remove, what they cannot, and what only they can tell.

use std::io::Write;

use serde_json::{Value, json};

use super::support::{
    Inputs, at, clean, event, every_day, finding, flagged, record, report, report_on, report_with,
    scan, scanned_clean, scanned_flagged, text, undock,
};

fn fate(lines: &[Value]) -> (String, String, String) {
    let report = report(lines);
    let text = |key: &str| finding(&report)[key].as_str().unwrap().to_owned();
    (text("status"), text("endedAt"), text("endedBy"))
}

fn status(lines: &[Value]) -> String {
    fate(lines).0
}

/// The scan without `part`, or with an error in it.
fn unread(mut scan: Value, part: &str, namespace: Option<&str>) -> Value {
    if let Some(namespace) = namespace {
        scan["errors"] =
            json!([{"part": part, "namespace": namespace, "reason": "forbidden", "message": "no"}]);
        let parts = scan["parts"].as_array_mut().unwrap();
        parts
            .iter_mut()
            .filter(|read| read["part"] == part)
            .for_each(|read| read["complete"] = json!(false));
    } else {
        scan["parts"]
            .as_array_mut()
            .unwrap()
            .retain(|read| read["part"] != part);
    }
    scan
}

#[test]
fn a_scan_shows_what_is_there() {
    let report = report(&[scan(&at(3, "10:00"), &[scanned_flagged()])]);
    let finding = finding(&report);
    assert_eq!(
        (&finding["status"], &finding["denies"], &finding["sources"]),
        (&json!("open"), &json!(true), &json!(["scan"]))
    );
    assert_eq!(
        (
            &finding["observations"],
            &finding["team"],
            &finding["lastWriter"]
        ),
        (&json!(1), &json!("build"), &json!("helm (tool)"))
    );
    assert_eq!(
        (&finding["evidence"], &finding["container"]),
        (&json!("/var/run/docker.sock"), &json!("build"))
    );
    assert_eq!(
        (&report["coverage"]["scans"], &report["coverage"]["reviews"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        (&report["asOf"], &report["window"]["days"]),
        (&json!("2026-11-03T10:00:00Z"), &json!(0))
    );
    assert_eq!(report["namespaces"][0]["verdict"], "BLOCKED");
}

#[test]
fn a_later_scan_without_the_finding_fixes_it() {
    let seen = || flagged(1, &at(1, "10:00"));
    let fixed = fate(&[seen(), scan(&at(3, "10:00"), &[scanned_clean()])]);
    assert_eq!(
        fixed,
        (
            "fixed".to_owned(),
            "2026-11-03T10:00:00Z".to_owned(),
            String::new()
        ),
        "a scan sees no identities"
    );
    assert_eq!(
        status(&[scan(&at(1, "09:00"), &[scanned_clean()]), seen()]),
        "open",
        "it was written since"
    );
    assert_eq!(
        status(&[
            seen(),
            scan(&at(3, "10:00"), &[scanned_clean()]),
            scan(&at(4, "10:00"), &[scanned_flagged()])
        ]),
        "open",
        "back again"
    );
    let first = scan(&at(1, "10:00"), &[scanned_flagged()]);
    assert_eq!(
        status(&[first.clone(), scan(&at(2, "10:00"), &[scanned_clean()])]),
        "fixed"
    );
    let reviewed = fate(&[first, clean(2, &at(2, "10:00"))]);
    assert_eq!(
        (reviewed.0.as_str(), reviewed.2.as_str()),
        ("fixed", "alice"),
        "a review knows who"
    );
}

#[test]
fn an_owner_that_a_later_whole_scan_lacks_is_removed() {
    let seen = || flagged(1, &at(1, "10:00"));
    assert_eq!(
        fate(&[seen(), scan(&at(3, "10:00"), &[])]),
        (
            "removed".to_owned(),
            "2026-11-03T10:00:00Z".to_owned(),
            String::new()
        )
    );
    assert_eq!(status(&[seen(), scan(&at(1, "09:59"), &[])]), "open");
    assert_eq!(
        status(&[
            seen(),
            scan(&at(3, "10:00"), &[]),
            flagged(2, &at(4, "10:00"))
        ]),
        "open",
        "made again"
    );
    let deleted = fate(&[
        seen(),
        event(2, &at(2, "10:00"), "delete"),
        scan(&at(3, "10:00"), &[]),
    ]);
    assert_eq!(
        (deleted.0.as_str(), deleted.2.as_str()),
        ("removed", "alice"),
        "the audit log knows who"
    );
}

#[test]
fn what_a_scan_could_not_read_is_neither_fixed_nor_removed() {
    let seen = || flagged(1, &at(1, "10:00"));
    let later = |objects: &[Value]| scan(&at(3, "10:00"), objects);
    for objects in [&[][..], &[scanned_clean()][..]] {
        for part in [
            "deployments.apps",
            "pods",
            "replicasets.apps",
            "persistentvolumes",
            "persistentvolumeclaims",
        ] {
            for namespace in [None, Some(""), Some("ci")] {
                let scan = unread(later(objects), part, namespace);
                assert_eq!(
                    status(&[seen(), scan]),
                    "open",
                    "{part} {namespace:?} {objects:?}"
                );
            }
            let elsewhere = unread(later(objects), part, Some("other"));
            assert_ne!(
                status(&[seen(), elsewhere]),
                "open",
                "{part} was read whole here"
            );
        }
        let mut incomplete = later(objects);
        incomplete["parts"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .for_each(|part| part["complete"] = json!(false));
        assert_eq!(status(&[seen(), incomplete]), "open");
        for (key, value) in [
            ("selector", json!("app=web")),
            ("namespaces", json!(["web"])),
        ] {
            let mut narrow = later(objects);
            narrow["scope"][key] = value;
            if key == "namespaces" && !objects.is_empty() {
                continue;
            }
            assert_eq!(status(&[seen(), narrow]), "open", "{key}");
        }
        let mut named = later(objects);
        named["scope"]["namespaces"] = json!(["web", "ci"]);
        assert_ne!(status(&[seen(), named]), "open");
        assert_ne!(
            status(&[seen(), unread(later(objects), "configmaps", Some(""))]),
            "open",
            "no workload depends on it"
        );
    }
    let mut other = later(&[]);
    other["cluster"] = json!("other");
    let (report, _) = report_with(&[seen(), other], &["--cluster", "here"]);
    assert_eq!(
        (&finding(&report)["status"], &report["clusters"]),
        (&json!("open"), &json!(["here", "other"])),
        "of another cluster"
    );
}

#[test]
fn objects_that_are_listed_only_with_findings_are_fixed_and_not_removed() {
    let config_map = json!({"kind": "ConfigMap", "namespace": "ci", "name": "scripts", "findings": [{"rule": "DKR401", "fingerprint": "00aa00aa00aa00aa",
        "impact": "breaks", "certainty": "likely", "denies": false}]});
    let first = scan(&at(1, "10:00"), &[config_map]);
    assert_eq!(
        status(&[first.clone(), scan(&at(2, "10:00"), &[])]),
        "fixed"
    );
    assert_eq!(
        status(&[
            first.clone(),
            unread(scan(&at(2, "10:00"), &[]), "configmaps", Some(""))
        ]),
        "open"
    );
    assert_eq!(
        status(&[first, unread(scan(&at(2, "10:00"), &[]), "pods", Some(""))]),
        "fixed",
        "Pods say nothing about it"
    );
}

#[test]
fn a_name_to_be_made_is_a_series_which_may_have_no_object_for_a_while() {
    let mut generated = flagged(1, &at(1, "10:00"));
    generated["annotations"]["workloads.undock.dev/owner"] = json!("core/Pod/ci/build- self");
    let mut pod = scanned_clean();
    (pod["kind"], pod["name"]) = (json!("Pod"), json!("build-x7k2p"));
    assert_eq!(
        status(&[generated.clone(), scan(&at(2, "10:00"), &[pod])]),
        "open"
    );
    assert_eq!(
        status(&[generated, scan(&at(2, "10:00"), &[scanned_clean()])]),
        "open"
    );
}

#[test]
fn ready_needs_a_fresh_scan_of_all_of_it() {
    let mut lines = every_day(1, 20);
    lines.push(clean(1, &at(8, "10:00")));
    let namespace = |more: Value| {
        let mut lines = lines.clone();
        lines.push(more);
        let namespace = report(&lines)["namespaces"][0].clone();
        (
            namespace["verdict"].as_str().unwrap().to_owned(),
            namespace["reasons"][0]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    assert_eq!(
        namespace(scan(&at(20, "00:10"), &[scanned_clean()])),
        ("READY".to_owned(), String::new())
    );
    assert_eq!(
        namespace(json!({})),
        ("UNKNOWN".to_owned(), "no scan of all of it (undock scan -o json): what was there before the logs is not known".to_owned())
    );
    let (verdict, why) = namespace(scan(&at(18, "00:10"), &[scanned_clean()]));
    assert_eq!(
        (verdict.as_str(), why.as_str()),
        (
            "UNKNOWN",
            "the last scan is 2 days old; READY needs one of the last 24 hours"
        )
    );
    let (verdict, why) = namespace(unread(
        scan(&at(20, "00:10"), &[scanned_clean()]),
        "pods",
        Some("ci"),
    ));
    assert_eq!(
        (verdict.as_str(), why.as_str()),
        (
            "UNKNOWN",
            "the last scan could not read pods: it needs the role of manifests/scan"
        )
    );
    assert_eq!(
        namespace(unread(
            scan(&at(20, "00:10"), &[scanned_clean()]),
            "configmaps",
            Some("")
        ))
        .0,
        "READY"
    );
}

#[test]
fn a_namespace_that_is_only_scanned_is_shown_and_one_that_is_gone_is_not() {
    let mut whole = scan(&at(20, "00:10"), &[]);
    whole["namespaces"] =
        json!([{"name": "quiet", "mode": "enforce"}, {"name": "undock", "mode": null}]);
    let mut lines = every_day(1, 20);
    lines.extend([clean(1, &at(8, "10:00")), whole]);
    let report = report(&lines);
    let names: Vec<_> = report["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|namespace| {
            (
                &namespace["name"],
                &namespace["mode"],
                &namespace["verdict"],
            )
        })
        .collect();
    let undock = (&json!("undock"), &json!(""), &json!("UNKNOWN"));
    assert_eq!(
        names,
        [
            undock,
            (&json!("quiet"), &json!("enforce"), &json!("READY"))
        ],
        "its own namespace cannot be switched"
    );
}

#[test]
fn scans_among_other_inputs_in_any_order_form_and_number_give_the_same_bytes() {
    let inputs = Inputs::new();
    let first = scan(&at(2, "10:00"), &[scanned_flagged()]);
    let second = scan(&at(19, "10:00"), &[scanned_clean()]);
    let log = inputs.write(
        "audit.log",
        &text(&[
            flagged(1, &at(1, "10:00")),
            record(1, &at(1, "10:00")),
            clean(2, &at(18, "10:00")),
        ]),
    );
    let pretty = inputs.write("first.json", &serde_json::to_vec_pretty(&first).unwrap());
    let line = inputs.write("second.json", second.to_string().as_bytes());
    let both = inputs.write("both.json", &text(&[second.clone(), first.clone()]));
    let pretty_both = inputs.write(
        "pretty.json",
        &[
            serde_json::to_vec_pretty(&first).unwrap(),
            b"\n".to_vec(),
            serde_json::to_vec_pretty(&second).unwrap(),
        ]
        .concat(),
    );
    let zipped = inputs.path("both.json.gz");
    let mut gzip = flate2::write::GzEncoder::new(
        std::fs::File::create(&zipped).unwrap(),
        flate2::Compression::fast(),
    );
    gzip.write_all(&text(&[first, second])).unwrap();
    gzip.finish().unwrap();
    let ask = |paths: &[&std::path::Path], format: &str| {
        let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        undock(&[&["report", "-o", format], paths.as_slice()].concat()).stdout
    };
    for format in ["json", "table", "csv", "csv-exemptions", "markdown", "html"] {
        let expected = ask(&[&log, &pretty, &line], format);
        assert!(!expected.is_empty());
        for paths in [
            &[&*line, &pretty, &log][..],
            &[&both, &log],
            &[&log, &pretty_both],
            &[&zipped, &log, &zipped, &line],
        ] {
            assert_eq!(ask(paths, format), expected, "{format} {paths:?}");
        }
    }
}

#[test]
fn a_scan_that_cannot_be_trusted_is_an_error() {
    let inputs = Inputs::new();
    let whole = scan(&at(2, "10:00"), &[scanned_clean()]);
    let without = |key: &str| {
        let mut scan = whole.clone();
        scan.as_object_mut().unwrap().remove(key);
        scan.to_string()
    };
    let with = |key: &str, value: Value| {
        let mut scan = whole.clone();
        scan[key] = value;
        scan.to_string()
    };
    let cut = &whole.to_string()[..400];
    for (text, why) in [
        (without("time"), "a field is missing"),
        (without("parts"), "a field is missing"),
        (without("errors"), "a field is missing"),
        (without("objects"), "a field is missing"),
        (with("time", json!("yesterday")), "invalid RFC 3339"),
        (with("objects", json!("none")), "another type"),
        (
            with("schema", json!("undock.scan/v2")),
            "unsupported input undock.scan/v2",
        ),
        (
            with("schema", json!("undock.report/v1")),
            "unsupported input undock.report/v1",
        ),
        (cut.to_owned(), "ends before it is whole"),
    ] {
        let (report, exit) = report_on(&inputs.write("scan.json", text.as_bytes()), &[]);
        let message = report["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(
            exit == 3 && message.contains(why),
            "{why}: exit {exit}, {message}"
        );
    }
}
