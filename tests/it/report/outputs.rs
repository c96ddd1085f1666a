//! Every output of one report; hostile names stay text in all of them.

use serde_json::{Value, json};

use super::support::{FINGERPRINT, Inputs, at, clean, flagged, quiet, record, text, uid, undock};

const HOSTILE: &str =
    "=cmd|'x'\"><script>alert(1)</script><img src=x onerror=1>\u{1b}[31m\n| `a` ]]>&amp;\u{202e}";

fn hostile() -> Vec<Value> {
    let mut record = record(1, &at(1, "10:00"));
    for key in [
        "owner.name",
        "owner.team",
        "owner.release",
        "user.name",
        "k8s.namespace.name",
        "k8s.cluster.name",
        "mode",
    ] {
        record[key] = json!(HOSTILE);
    }
    for key in ["evidence", "container.name", "field", "severity"] {
        record["findings"][0][key] = json!(HOSTILE);
    }
    let mut missed = quiet(2, &at(1, "10:00"));
    missed["verb"] = json!("create");
    missed["objectRef"] = json!({"resource": "pods", "namespace": HOSTILE, "name": HOSTILE});
    missed["user"]["username"] = json!(HOSTILE);
    missed["annotations"]["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"] =
        json!("pods.undock.dev");
    vec![record, missed]
}

fn output(lines: &[Value], format: &str, flags: &[&str]) -> String {
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(lines));
    let output = undock(&[&["report", path.to_str().unwrap(), "-o", format], flags].concat());
    assert!(output.status.code().unwrap() < 2, "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hostile_names_stay_text() {
    for format in ["table", "markdown", "html", "csv", "json"] {
        let out = output(&hostile(), format, &[]);
        assert!(out.contains("alert(1)"), "{format} must show the name");
        if format != "csv" {
            assert!(
                !out.contains('\u{1b}') && !out.contains('\u{202e}')
                    || format == "json" && !out.contains('\u{1b}'),
                "{format}: {out}"
            );
        }
        if matches!(format, "html" | "markdown") {
            assert!(
                !out.contains("<script") && !out.contains("<img"),
                "{format}: {out}"
            );
        }
        if format == "table" {
            assert_eq!(
                out.lines().filter(|line| line.contains("alert(1)")).count(),
                6,
                "one line each: {out}"
            );
        }
    }
    let csv = output(&hostile(), "csv", &[]);
    assert!(
        !csv.contains(",=") && !csv.contains(",\"=") && csv.contains("\"'=cmd"),
        "{csv}"
    );
}

#[test]
fn the_page_stands_alone() {
    let lines = [
        flagged(1, &at(1, "10:00")),
        record(1, &at(1, "10:00")),
        clean(2, &at(9, "10:00")),
        quiet(3, &at(20, "10:00")),
    ];
    let page = output(&lines, "html", &["--deadline", "2027-01-31"]);
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
    for nothing in [
        "<script",
        "<link",
        "<img",
        "@import",
        "url(",
        "http://",
        "src=",
        "javascript:",
    ] {
        assert!(!page.contains(nothing), "{nothing}");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(page.matches("<svg role=img").count() >= 2);
    assert_eq!(
        page.matches("<svg ").count(),
        page.matches("<desc ").count()
    );
    assert_eq!(
        page.matches("<table>").count(),
        page.matches("<caption>").count()
    );
    for part in [
        "prefers-color-scheme:dark",
        "@media print",
        "<html lang=en>",
        "<main",
        "Skip to the report",
        "READY",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for tag in [
        "table", "details", "figure", "svg", "ul", "div", "p", "td", "th", "tr", "span", "li",
        "main", "header", "footer",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn five_thousand_findings_fit_into_a_megabyte() {
    for name in ["deployment-with-a-rather-long-name", HOSTILE] {
        five_thousand(name);
    }
}

fn five_thousand(name: &str) {
    let lines: Vec<Value> = (0..5_000)
        .map(|number| {
            let mut record = record(number, &at(1 + number % 20, "10:00"));
            record["owner.name"] = json!(format!("{name}-{number:05}"));
            record["k8s.namespace.name"] = json!(format!("namespace-{:03}", number % 200));
            record["user.name"] = json!(format!(
                "system:serviceaccount:argocd:argocd-application-controller {name}"
            ));
            record["findings"][0]["evidence"] = json!(name);
            record["findings"][0]["fingerprint"] = json!(format!("{number:016x}"));
            record
        })
        .collect();
    let page = output(&lines, "html", &[]);
    assert!(page.len() < 1_000_000, "{}", page.len());
    assert!(page.contains("more are not shown here"));
    assert_eq!(output(&lines, "csv", &[]).matches("\r\n").count(), 5_001);
}

#[test]
fn several_outputs_at_once() {
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&[flagged(1, &at(1, "10:00"))]));
    let [page, data] = ["r.html", "r.json"].map(|name| inputs.path(name));
    let flags = [
        format!("html={}", page.display()),
        format!("json={}", data.display()),
    ];
    let output = undock(&[
        "report",
        path.to_str().unwrap(),
        "-o",
        "table",
        "-o",
        &flags[0],
        "-o",
        &flags[1],
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("ci/Deployment/runner")
    );
    assert!(
        std::fs::read_to_string(page)
            .unwrap()
            .starts_with("<!doctype html>")
    );
    assert!(std::fs::read_to_string(data).unwrap().contains(FINGERPRINT));
}

#[test]
fn the_exit_code_follows_fail_on() {
    let inputs = Inputs::new();
    let open = inputs.write("open.log", &text(&[flagged(1, &at(1, "10:00"))]));
    let fixed = inputs.write(
        "fixed.log",
        &text(&[flagged(1, &at(1, "10:00")), clean(2, &at(2, "10:00"))]),
    );
    for (path, flags, expected) in [
        (&open, &[][..], 1),
        (&open, &["--fail-on", "none"], 0),
        (&open, &["--fail-on", "record"], 1),
        (&fixed, &[], 0),
        (&fixed, &["--fail-on", "record"], 0),
    ] {
        let output = undock(&[&["report", path.to_str().unwrap()], flags].concat());
        assert_eq!(output.status.code(), Some(expected), "{path:?} {flags:?}");
    }
}

#[test]
fn since_leaves_out_what_ended_before() {
    let lines = [
        flagged(1, &at(1, "10:00")),
        clean(2, &at(2, "10:00")),
        quiet(3, &at(20, "10:00")),
    ];
    let count = |flags: &[&str]| {
        serde_json::from_str::<Value>(&output(&lines, "json", flags)).unwrap()["summary"]["findings"].clone()
    };
    assert_eq!(
        (
            count(&[]),
            count(&["--since", "10d"]),
            count(&["--since", "2026-11-02"])
        ),
        (json!(1), json!(0), json!(1))
    );
}

#[test]
fn two_reports_are_compared() {
    let inputs = Inputs::new();
    let other = |number: u32| {
        let mut event = flagged(number, &at(3, "10:00"));
        event["annotations"]["workloads.undock.dev/owner"] = json!("apps/Deployment/ci/other self");
        event["annotations"]["workloads.undock.dev/review-uid"] = json!(uid(7000));
        event
    };
    let save = |name: &str, lines: &[Value]| {
        inputs
            .write(name, output(lines, "json", &[]).as_bytes())
            .to_str()
            .unwrap()
            .to_owned()
    };
    let old = save("old.json", &[flagged(1, &at(1, "10:00"))]);
    let new = save(
        "new.json",
        &[
            flagged(1, &at(1, "10:00")),
            clean(2, &at(2, "10:00")),
            other(9),
        ],
    );
    let diff = |flags: &[&str]| undock(&[&["report", "diff", &old, &new], flags].concat());
    let table = String::from_utf8(diff(&[]).stdout).unwrap();
    assert!(
        table.contains("+ DKR101 ci/Deployment/other")
            && table.contains("- DKR101 ci/Deployment/runner")
            && table.contains("by alice"),
        "{table}"
    );
    assert!(
        table.ends_with("1 new, 1 fixed, 0 removed, 0 changed; 1 there before, 1 now\n"),
        "{table}"
    );
    assert_eq!(
        (
            diff(&[]).status.code(),
            diff(&["--fail-on-new"]).status.code()
        ),
        (Some(0), Some(1))
    );
    assert_eq!(
        undock(&["report", "diff", &new, &new, "--fail-on-new"])
            .status
            .code(),
        Some(0)
    );
    let json: Value = serde_json::from_slice(&diff(&["-o", "json"]).stdout).unwrap();
    assert_eq!(
        (&json["schema"], &json["new"][0]["owner"]["name"]),
        (&json!("undock.diff/v1"), &json!("other"))
    );
    assert_eq!(
        undock(&["report", "diff", &old, "/nowhere"]).status.code(),
        Some(3)
    );
}

#[test]
fn reports_that_say_nothing_about_each_other_are_not_compared() {
    let inputs = Inputs::new();
    let save = |name: &str, cluster: &str, day: u32| {
        let report = output(
            &[flagged(1, &at(day, "10:00"))],
            "json",
            &["--cluster", cluster],
        );
        inputs
            .write(name, report.as_bytes())
            .to_str()
            .unwrap()
            .to_owned()
    };
    let [old, new, other] = [
        save("old.json", "eu", 1),
        save("new.json", "eu", 2),
        save("other.json", "us", 3),
    ];
    let write = |name: &str, text: &str| {
        inputs
            .write(name, text.as_bytes())
            .to_str()
            .unwrap()
            .to_owned()
    };
    let whole = std::fs::read_to_string(&old).unwrap();
    for (first, second, exit, why) in [
        (&new, &old, 2, "name the older one first"),
        (&old, &other, 2, "of different clusters: eu and us"),
        (
            &write("scan.json", r#"{"schema": "undock.scan/v1"}"#),
            &new,
            3,
            "its schema is \"undock.scan/v1\"",
        ),
        (
            &write(
                "v2.json",
                &whole.replace("undock.report/v1", "undock.report/v2"),
            ),
            &new,
            3,
            "its schema is \"undock.report/v2\"",
        ),
        (
            &write("cut.json", &whole[..whole.len() / 2]),
            &new,
            3,
            "no report of undock",
        ),
    ] {
        let output = undock(&["report", "diff", first, second]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(exit) && told.contains(why) && output.stdout.is_empty(),
            "{why}: {output:?}"
        );
    }
    // One that an older version wrote lacks what came later.
    let mut older: Value = serde_json::from_str(&whole).unwrap();
    older.as_object_mut().unwrap().remove("exemptions");
    older["coverage"].as_object_mut().unwrap().remove("scans");
    older["namespaces"][0]
        .as_object_mut()
        .unwrap()
        .remove("scannedAt");
    older["findings"][0]
        .as_object_mut()
        .unwrap()
        .remove("exemptScope");
    assert_eq!(
        undock(&[
            "report",
            "diff",
            &write("older.json", &older.to_string()),
            &new
        ])
        .status
        .code(),
        Some(0)
    );
}

#[test]
fn an_output_into_a_folder_that_is_not_there_says_so() {
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&[flagged(1, &at(1, "10:00"))]));
    let target = inputs.path("nowhere/report.html");
    let output = undock(&[
        "report",
        path.to_str().unwrap(),
        "-o",
        &format!("html={}", target.display()),
    ]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(4)
            && told.contains("make the folder")
            && told.contains("nowhere"),
        "{told}"
    );
}

/// The same reviews in a copy of the log that is given another name, and in one without a name.
#[test]
fn one_review_under_several_clusters_is_of_one_of_them() {
    let lines: Vec<Value> = (1..6)
        .map(|day| flagged(day, &at(day, "10:00")))
        .chain([record(2, &at(2, "10:00")), quiet(9, &at(9, "10:00"))])
        .collect();
    let inputs = Inputs::new();
    let paths = ["east", "west", "none"]
        .map(|name| inputs.write(name, &text(&lines)))
        .map(|path| path.to_str().unwrap().to_owned());
    let [east, west, none] = &paths;
    let (east, west) = (format!("east={east}"), format!("west={west}"));
    let all = [
        vec!["--cluster", &east, "--cluster", &west, none],
        vec![none, "--cluster", &west, "--cluster", &east],
        vec!["--cluster", &west, none, "--cluster", &east],
    ];
    // Tables of hashes have another order in each run.
    let reports: Vec<String> = (0..9)
        .map(|run| [&["report", "-o", "json"], all[run % 3].as_slice()].concat())
        .map(|arguments| String::from_utf8(undock(&arguments).stdout).unwrap())
        .collect();
    let report: Value = serde_json::from_str(&reports[0]).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["cluster"], "east");
    assert_eq!(findings[0]["observations"], 5);
    for other in &reports {
        assert!(*other == reports[0], "{other}\n{}", reports[0]);
    }
}
