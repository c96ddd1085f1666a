//! Wrappings that write something of their own around or between texts: tables, frames, colours, what was cut off; each
//! gives the report that the plain lines give.

use base64::Engine as _;
use serde_json::{Value, json};

use super::formats::{dotted, gzip, of, row, story};
use super::support::{Inputs, report_on, text};

#[test]
fn what_stands_around_a_text_changes_nothing() {
    let story = story();
    let plain = of(&text(&story));
    let strings: Vec<String> = story.iter().map(Value::to_string).collect();
    let string_rows: Vec<Value> = story.iter().map(|event| row(event, true)).collect();
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let each = |wrap: &dyn Fn(&str) -> Value| -> Vec<Value> {
        strings.iter().map(|line| wrap(line)).collect()
    };
    let quoted = |line: &String| format!("\"2026\",\"{}\"\n", line.replace('"', "\"\""));
    for (name, bytes) in [
        ("Kinesis records", json!({"Records": each(&|line| json!({"Data": base64(&gzip(line.as_bytes())), "PartitionKey": "a"}))}).to_string().into_bytes()),
        ("base64 under another key", text(&each(&|line| json!({"Body": base64(line.as_bytes())})))),
        ("an answer of Kusto", kusto(&string_rows).to_string().into_bytes()),
        ("CSV of one column", format!("line\n{}", strings.iter().map(|line| format!("\"{}\"\n", line.replace('"', "\"\""))).collect::<String>()).into_bytes()),
        ("cells between tabs", format!("time\tlog\n{}", strings.iter().map(|line| quoted(line).replacen("\",\"", "\"\t\"", 1)).collect::<String>()).into_bytes()),
        ("CSV of a spreadsheet", format!("sep=;\r\nZeit;Größe\r\n{}", strings.iter().map(|line| quoted(line).replacen("\",\"", "\";\"", 1)).collect::<String>()).into_bytes()),
        ("a column for each field", columns(&story).into_bytes()),
        ("CSV without titles", strings.iter().map(quoted).collect::<String>().into_bytes()),
        ("logcli with many labels", strings.iter().map(|line| format!("2026-11-01T10:00:00Z {{{}}} {line}\n", ["some_label=\"some value\""; 40].join(", "))).collect::<String>().into_bytes()),
        ("aws logs tail", story.iter().map(|event| format!("2026-11-01T10:00:00+00:00 kube-apiserver-audit {event:#}\n")).collect::<String>().into_bytes()),
        ("zeros of a log that was copied and truncated", [vec![0; 5_000], text(&story[..2]), vec![0; 5_000], text(&story[2..])].concat()),
        ("GELF", each(&|line| json!({"version": "1.1", "short_message": line})).iter().map(|own| format!("{own}\0")).collect::<String>().into_bytes()),
        ("frames of syslog", strings.iter().map(|line| format!("<134>1 2026-11-01T10:00:00Z host audit 1 - - {line}")).map(|frame| format!("{} {frame}", frame.len())).collect::<String>().into_bytes()),
        ("columns behind the text", strings.iter().map(|line| format!("kube-audit-admin\t{line}\tPrimaryResult\t2026-11-01T10:00:00Z\n")).collect::<String>().into_bytes()),
        ("colours", strings.iter().map(|line| format!("\u{1b}[1m{line}\u{1b}[0m\n")).collect::<String>().into_bytes()),
    ] {
        assert_eq!(of(&bytes), plain, "{name}");
    }
}

/// A column for each field that any event has, as Kibana exports it.
fn columns(story: &[Value]) -> String {
    let rows: Vec<Value> = story.iter().map(|event| dotted(event, "")).collect();
    let mut titles: Vec<&String> = rows
        .iter()
        .flat_map(|row| row.as_object().unwrap().keys())
        .collect();
    titles.sort();
    titles.dedup();
    let cell = |value: Option<&Value>| match value {
        None => "-".to_owned(),
        Some(Value::String(text)) => text.replace('"', "\"\""),
        Some(value) => value.to_string().replace('"', "\"\""),
    };
    let quoted = |cells: Vec<String>| format!("\"{}\"\n", cells.join("\",\""));
    let mut table = quoted(titles.iter().map(|title| (*title).clone()).collect());
    for row in &rows {
        table.push_str(&quoted(
            titles
                .iter()
                .map(|title| cell(row.get(title.as_str())))
                .collect(),
        ));
    }
    table
}

/// The same rows as Azure Data Explorer answers.
fn kusto(rows: &[Value]) -> Value {
    let keys: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let columns: Vec<Value> = (keys.iter())
        .map(|key| json!({"ColumnName": key, "DataType": "String"}))
        .collect();
    let rows: Vec<Value> = (rows.iter())
        .map(|row| keys.iter().map(|key| row[key.as_str()].clone()).collect())
        .collect();
    json!({"Tables": [{"TableName": "Table_0", "Columns": columns, "Rows": rows}]})
}

#[test]
fn rows_of_bigquery_have_a_column_for_each_label_of_any_row() {
    let underscores = |key: &str| key.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let rows: Vec<Value> = story()
        .iter()
        .map(|event| {
            let mut labels = json!({"pods_undock_dev_decision": null, "command_gke_io_dryRun": null});
            for (key, value) in event["annotations"].as_object().unwrap() {
                labels[underscores(key)] = value.clone();
            }
            labels["zz_undock_dev_decision"] = Value::Null;
            labels["namespaces_undock_dev_decision"] = Value::Null;
            json!({
                "insertId": event["auditID"], "timestamp": event["stageTimestamp"].as_str().unwrap().replace('T', " ").replace('Z', " UTC"),
                "labels": labels, "operation": {"id": event["auditID"]}, "resource": {"labels": {"cluster_name": "prod-eu1"}},
                "protopayload_auditlog": {
                    "authenticationInfo": {"principalEmail": "alice"}, "requestJson": null, "status": null,
                    "methodName": format!("io.k8s.apps.v1.deployments.{}", event["verb"].as_str().unwrap()),
                    "resourceName": "apps/v1/namespaces/ci/deployments/runner",
                },
            })
        })
        .collect();
    let report = of(&text(&rows));
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["status"], &finding["observations"]),
        (&json!("fixed"), &json!(2)),
        "{report:#}"
    );
    assert_eq!(report["coverage"]["missed"], 1);
}

#[test]
fn words_before_the_log_are_no_titles_of_a_table() {
    for words in [
        "Defaulted container \"kube-apiserver\" out of: kube-apiserver, init (init)",
        "Starting the API server, please wait",
    ] {
        let bytes = [format!("{words}\n").into_bytes(), text(&story())].concat();
        let report = of(&bytes);
        assert_eq!(report["coverage"]["otherLines"], 1, "{words}");
        assert_eq!(report["summary"], of(&text(&story()))["summary"], "{words}");
    }
}

#[test]
fn what_was_read_before_an_error_counts() {
    let plain = of(&text(&story()));
    let mut padded = gzip(&text(&story()));
    padded.extend([0; 512]);
    let mut broken = gzip(&text(&story()));
    broken.extend(b"and something else");
    for bytes in [padded, broken] {
        let inputs = Inputs::new();
        let (report, exit) = report_on(&inputs.write("a.log.gz", &bytes), &[]);
        assert_eq!(
            (exit, &report["coverage"]["unreadable"]),
            (3, &json!(1)),
            "{:#}",
            report["errors"]
        );
        assert_eq!(report["summary"], plain["summary"]);
    }
}

#[test]
fn a_text_that_breaks_off_behind_another_is_told() {
    let story = story();
    let cut = &story[1].to_string()[..200];
    for between in ["", " ", "\0", "99 <134>1 - host "] {
        let line = format!("{}{between}{cut}\n", story[0]);
        let inputs = Inputs::new();
        let (report, _) = report_on(&inputs.write("a.log", line.as_bytes()), &[]);
        assert_eq!(report["coverage"]["unreadable"], 1, "{between:?}");
    }
    // Its beginning is missing.
    let whole = story[1].to_string();
    for start in [1, 60, 200, 300] {
        let line = format!("{}\n{}\n", &whole[start..], story[0]);
        let inputs = Inputs::new();
        let (report, _) = report_on(&inputs.write("a.log", line.as_bytes()), &[]);
        let coverage = &report["coverage"];
        assert_eq!(
            (&coverage["unreadable"], &coverage["reviews"]),
            (&json!(1), &json!(1)),
            "{start}"
        );
    }
}
