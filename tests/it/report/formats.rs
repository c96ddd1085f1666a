//! The forms in which logs come: each gives the report that the plain lines give. Order, split and repeats do not matter.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine as _;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::support::{
    Inputs, at, clean, event, flagged, quiet, record, report_on, report_with, scan,
    scanned_flagged, text, undock,
};

pub(super) fn story() -> Vec<Value> {
    let mut missed = event(7, &at(15, "10:00"), "create");
    missed["annotations"]["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"] =
        json!("workloads.undock.dev");
    vec![
        flagged(1, &at(1, "10:00")),
        flagged(2, &at(2, "10:00")),
        clean(3, &at(9, "11:30")),
        missed,
        event(8, &at(16, "10:00"), "delete"),
    ]
}

/// The report without what names the input.
pub(super) fn of(bytes: &[u8]) -> Value {
    let inputs = Inputs::new();
    let (report, exit) = report_on(&inputs.write("input", bytes), &[]);
    assert!(
        exit != 3,
        "{:#} {}",
        report["errors"],
        String::from_utf8_lossy(bytes)
    );
    report
}

#[test]
fn every_wrapping_gives_the_same_report() {
    let story = story();
    let plain = of(&text(&story));
    assert_eq!(
        (&plain["summary"]["fixed"], &plain["coverage"]["missed"]),
        (&json!(1), &json!(1))
    );
    let strings: Vec<String> = story.iter().map(Value::to_string).collect();
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": story});
    let cloudwatch = json!({"events": strings.iter().map(|line| json!({"timestamp": 1, "message": line, "eventId": "1"})).collect::<Vec<_>>(), "nextToken": "x"});
    let insights = json!({"results": strings.iter().map(|line| json!([{"field": "@timestamp", "value": "2026"}, {"field": "@message", "value": line}])).collect::<Vec<_>>(), "status": "Complete"});
    let firehose = json!({"messageType": "DATA_MESSAGE", "logEvents": strings.iter().map(|line| json!({"id": "1", "message": line})).collect::<Vec<_>>()});
    let aks: Vec<Value> = strings
        .iter()
        .map(|line| json!({"category": "kube-audit-admin", "time": "2026", "properties": {"log": format!("{line}\n"), "stream": "stdout"}}))
        .collect();
    let rows: Vec<Value> = story.iter().map(|event| row(event, false)).collect();
    let string_rows: Vec<Value> = story.iter().map(|event| row(event, true)).collect();
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let each = |wrap: &dyn Fn(&str) -> Value| -> Vec<Value> {
        strings.iter().map(|line| wrap(line)).collect()
    };
    let spread = |event: &Value| {
        let mut event = event.clone();
        let mut annotations = serde_json::Map::new();
        for (key, value) in event["annotations"].as_object().unwrap() {
            annotations.insert(key.replace('.', "_"), value.clone());
        }
        event["annotations"] = Value::Object(annotations);
        event
    };
    let texts = |event: &Value| {
        let mut event = event.clone();
        for key in ["annotations", "objectRef", "user", "responseStatus"] {
            event[key] = json!(event[key].to_string());
        }
        event
    };
    let utf16: Vec<u8> = std::iter::once('\u{feff}')
        .chain(strings.join("\n").chars())
        .flat_map(|c| u16::try_from(u32::from(c)).unwrap().to_le_bytes())
        .collect();
    let quoted = |line: &String| format!("\"2026\",\"{}\"\n", line.replace('"', "\"\""));
    let messages: Vec<Value> = strings.iter().map(|line| json!(line)).collect();
    let objects = |prefix: &str| -> Vec<Value> {
        let flat = story.iter().map(|event| dotted(event, prefix));
        flat.map(|event| json!({"_index": "audit", "_source": event}))
            .collect()
    };
    let awslogs = |line: &str| {
        let events = json!({"messageType": "DATA_MESSAGE", "logEvents": [{"message": line}]});
        json!({"awslogs": {"data": base64(&gzip(events.to_string().as_bytes()))}})
    };
    let console: Vec<Value> = story
        .iter()
        .map(|event| json!({"@timestamp": "2026-11-01 10:00:00.000", "@message": event}))
        .collect();
    let processed: Vec<Value> = story
        .iter()
        .map(|event| json!({"stream": "stdout", "log_processed": event}))
        .collect();
    let open_telemetry: Vec<Value> =
        each(&|line| json!({"timeUnixNano": "1", "body": {"stringValue": line}}));
    let records: Vec<Value> = story
        .iter()
        .map(|event| json!({"timeUnixNano": "1", "body": any_value(event)}))
        .collect();
    let scopes = json!([{"scope": {}, "logRecords": records}]);
    let attributes = json!([{"key": "service.name", "value": {"stringValue": "audit"}}]);
    let parsed =
        json!({"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": scopes}]});
    for (name, bytes) in [
        ("a list of messages", serde_json::to_vec_pretty(&messages).unwrap()),
        ("dotted keys", text(&objects(""))),
        ("dotted keys behind a shipper's", text(&objects("kubernetes.audit."))),
        ("an event of Lambda", serde_json::to_vec_pretty(&awslogs(&strings.join("\n"))).unwrap()),
        ("events of Lambda, spaced", each(&awslogs).iter().map(|own| own.to_string().replace("\":", "\": ") + "\n").collect::<String>().into_bytes()),
        ("the console's Insights export", serde_json::to_vec(&console).unwrap()),
        ("Fluent Bit's log_processed", text(&processed)),
        ("OpenTelemetry", json!({"resourceLogs": [{"scopeLogs": [{"logRecords": open_telemetry}]}]}).to_string().into_bytes()),
        ("OpenTelemetry with parsed bodies", parsed.to_string().into_bytes()),
        ("syslog", strings.iter().map(|line| format!("<134>1 2026-11-01T10:00:00Z host kube-apiserver 1 - - {line}\n")).collect::<String>().into_bytes()),
        ("zstd", zstd(&text(&story))),
        ("texts without newlines", strings.concat().into_bytes()),
        ("several texts on a line", format!("{}\n", strings.join(" ")).into_bytes()),
        ("gzip in gzip", gzip(&gzip(&text(&story)))),
        ("UTF-16", utf16),
        ("Elasticsearch hits", json!({"hits": {"hits": each(&|line| json!({"_source": {"message": line}}))}}).to_string().into_bytes()),
        ("Loki answer", json!({"data": {"result": [{"stream": {"app": "x"}, "values": each(&|line| json!(["1", line]))}]}}).to_string().into_bytes()),
        ("logcli", strings.iter().map(|line| format!("2026-11-01T10:00:00Z {{app=\"x\", job=\"audit\"}} {line}\n")).collect::<String>().into_bytes()),
        ("Splunk", text(&each(&|line| json!({"preview": false, "result": {"_raw": line}})))),
        ("Splunk HEC", text(&story.iter().map(|event| json!({"time": 1, "event": event})).collect::<Vec<_>>())),
        ("objects inside of a shipper's", text(&story.iter().map(|event| json!({"kubernetes": {"audit": spread(event)}})).collect::<Vec<_>>())),
        ("fields as texts", text(&story.iter().map(texts).collect::<Vec<_>>())),
        ("Azure with the log as an object", text(&story.iter().map(|event| json!({"properties": {"log": event}})).collect::<Vec<_>>())),
        ("rows of a table", json!({"tables": [{"columns": [{"name": "TimeGenerated"}, {"name": "log_s"}], "rows": each(&|line| json!(["2026", line]))}]}).to_string().into_bytes()),
        ("Pub/Sub", text(&each(&|line| json!({"message": {"data": base64(line.as_bytes())}})))),
        ("Kinesis", json!({"Records": each(&|line| json!({"kinesis": {"data": base64(&gzip(line.as_bytes()))}}))}).to_string().into_bytes()),
        ("CSV", format!("TimeGenerated,log_s\n{}", strings.iter().map(quoted).collect::<String>()).into_bytes()),
        ("pieces of containerd", strings.iter().map(|line| { let (a, b) = line.split_at(100); format!("2026-11-01T10:00:00Z stdout P {a}\n2026-11-01T10:00:00Z stdout F {b}\n") }).collect::<String>().into_bytes()),
        ("bytes in the journal", text(&each(&|line| json!({"__CURSOR": "s=1", "MESSAGE": line.bytes().collect::<Vec<_>>()})))),
        ("EventList on one line", list.to_string().into_bytes()),
        ("EventList", serde_json::to_vec_pretty(&list).unwrap()),
        ("CloudWatch filter-log-events", serde_json::to_vec_pretty(&cloudwatch).unwrap()),
        ("CloudWatch on one line", cloudwatch.to_string().into_bytes()),
        ("CloudWatch Insights", serde_json::to_vec_pretty(&insights).unwrap()),
        ("Firehose", firehose.to_string().into_bytes()),
        ("AKS in storage", text(&aks)),
        ("AKS records", json!({"records": aks}).to_string().into_bytes()),
        ("AKSAudit rows", serde_json::to_vec_pretty(&rows).unwrap()),
        ("AKSAudit rows of strings", text(&string_rows)),
        ("CRI lines", strings.iter().map(|line| format!("2026-11-01T10:00:00.1Z stdout F {line}\n")).collect::<String>().into_bytes()),
        (
            "docker json-file",
            text(&strings.iter().map(|line| json!({"log": format!("{line}\n"), "stream": "stdout", "time": "2026"})).collect::<Vec<_>>()),
        ),
        ("kubectl --prefix", strings.iter().map(|line| format!("[pod/undock-1/undock] {line}\n")).collect::<String>().into_bytes()),
        ("CRLF and a BOM", format!("\u{feff}{}", strings.join("\r\n")).into_bytes()),
        ("gzip", gzip(&text(&story))),
        ("two gzip members", [gzip(&text(&story[..2])), gzip(&text(&story[2..]))].concat()),
        (
            "single pretty events",
            story.iter().map(|event| serde_json::to_string_pretty(event).unwrap() + "\n").collect::<String>().into_bytes(),
        ),
    ] {
        assert_eq!(of(&bytes), plain, "{name}");
    }
}

pub(super) fn row(event: &Value, strings: bool) -> Value {
    let object = |key: &str| {
        if strings {
            json!(event[key].to_string())
        } else {
            event[key].clone()
        }
    };
    json!({
        "AuditId": event["auditID"], "Stage": event["stage"], "Verb": event["verb"], "RequestUri": event["requestURI"], "User": object("user"),
        "ObjectRef": object("objectRef"), "ResponseStatus": object("responseStatus"), "Annotations": object("annotations"),
        "StageReceivedTime": event["stageTimestamp"], "TimeGenerated": event["stageTimestamp"],
    })
}

/// As a collector of OpenTelemetry writes JSON that it has parsed.
fn any_value(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(value) => json!({"boolValue": value}),
        Value::Number(value) => json!({"intValue": value.to_string()}),
        Value::String(value) => json!({"stringValue": value}),
        Value::Array(items) => {
            let values: Vec<Value> = items.iter().map(any_value).collect();
            json!({"arrayValue": {"values": values}})
        }
        Value::Object(map) => {
            let pair =
                |(key, value): (&String, &Value)| json!({"key": key, "value": any_value(value)});
            let values: Vec<Value> = map.iter().map(pair).collect();
            json!({"kvlistValue": {"values": values}})
        }
    }
}

/// The event with all its fields side by side.
pub(super) fn dotted(event: &Value, prefix: &str) -> Value {
    let mut flat = serde_json::Map::new();
    for (key, value) in event.as_object().unwrap() {
        match value.as_object() {
            Some(inner) => flat.extend(
                inner
                    .iter()
                    .map(|(name, value)| (format!("{prefix}{key}.{name}"), value.clone())),
            ),
            None => _ = flat.insert(format!("{prefix}{key}"), value.clone()),
        }
    }
    Value::Object(flat)
}

/// A frame of zstd.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Uncompressed)
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn cloud_logging_has_annotations_in_labels() {
    let entries: Vec<Value> = story()
        .iter()
        .map(|event| {
            json!({
                "insertId": event["auditID"], "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "timestamp": event["stageTimestamp"],
                "labels": event["annotations"], "operation": {"id": event["auditID"], "producer": "k8s.io"},
                "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "prod-eu1"}},
                "protoPayload": {
                    "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "authenticationInfo": {"principalEmail": "alice"},
                    "methodName": format!("io.k8s.apps.v1.deployments.{}", event["verb"].as_str().unwrap()),
                    "resourceName": "apps/v1/namespaces/ci/deployments/runner", "serviceName": "k8s.io", "status": {},
                },
            })
        })
        .collect();
    for bytes in [serde_json::to_vec_pretty(&entries).unwrap(), text(&entries)] {
        let report = of(&bytes);
        assert_eq!(report["clusters"], json!(["prod-eu1"]));
        let finding = &report["findings"][0];
        assert_eq!(
            (
                &finding["status"],
                &finding["endedBy"],
                &finding["observations"]
            ),
            (&json!("fixed"), &json!("alice"), &json!(2))
        );
        assert_eq!(
            (
                &report["coverage"]["missed"],
                &report["missedWrites"][0]["resource"]
            ),
            (&json!(1), &json!("deployments"))
        );
    }
}

#[test]
fn records_are_found_in_container_logs() {
    let record = record(1, "2026-11-01T10:00:00.000Z");
    let plain = of(&text(std::slice::from_ref(&record)));
    assert_eq!(plain["findings"][0]["status"], "open");
    for wrapped in [
        format!(
            "2026-11-01T10:00:00.1Z stderr F undock listens on 127.0.0.1\n2026-11-01T10:00:00.1Z stdout F {record}\n"
        ),
        json!({"insertId": "x", "jsonPayload": record, "resource": {"type": "k8s_container"}})
            .to_string(),
        json!({"LogMessage": record, "PodName": "undock-1"}).to_string(),
        json!({"textPayload": record.to_string()}).to_string(),
    ] {
        assert_eq!(of(wrapped.as_bytes()), plain, "{wrapped}");
    }
}

#[test]
fn order_split_and_repeats_do_not_matter() {
    let mut lines = story();
    lines.extend([
        record(1, &at(1, "10:00")),
        record(2, &at(2, "10:00")),
        quiet(20, &at(20, "10:00")),
        flagged(30, &at(3, "09:00")),
    ]);
    let inputs = Inputs::new();
    let ask = |paths: &[&std::path::Path], format: &str| {
        let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        undock(&[&["report", "-o", format], paths.as_slice()].concat()).stdout
    };
    let one = inputs.write("one.log", &text(&lines));
    let split = inputs.path("split");
    std::fs::create_dir(&split).unwrap();
    for (number, line) in lines.iter().enumerate() {
        std::fs::write(
            split.join(format!("{number}.log")),
            text(std::slice::from_ref(line)),
        )
        .unwrap();
    }
    // A different order each time, the same every run.
    let mut shuffled = lines.clone();
    for round in 0..20 {
        let length = shuffled.len();
        (0..length).for_each(|at| shuffled.swap(at, (at * 7 + round * 3 + 1) % length));
        let path = inputs.write("shuffled.log", &text(&shuffled));
        for format in ["json", "csv", "html", "markdown", "table"] {
            assert_eq!(
                ask(&[&path], format),
                ask(&[&one], format),
                "{format}, round {round}"
            );
            if round > 0 {
                break;
            }
        }
    }
    for format in ["json", "csv", "html", "markdown", "table"] {
        assert_eq!(
            ask(&[&split], format),
            ask(&[&one], format),
            "{format}, one file a line"
        );
        assert_eq!(
            ask(&[&one, &split, &one], format),
            ask(&[&one], format),
            "{format}, three times the same"
        );
    }
}

#[test]
fn standard_input_is_read() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_undock"))
        .args(["report", "-o", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&gzip(&text(&story())))
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["coverage"]["reviews"],
        3
    );
}

#[test]
fn what_cannot_be_read_is_counted_shown_and_makes_exit_3() {
    let inputs = Inputs::new();
    let good = flagged(1, &at(1, "10:00")).to_string();
    let cut = &good[..good.len() / 2];
    let broken_record = record(1, &at(1, "10:00"))
        .to_string()
        .replace("\"review.uid\"", "\"review.other\"");
    let bytes = [
        good.as_bytes(),
        b"\n",
        cut.as_bytes(),
        b"\nnot json\n",
        broken_record.as_bytes(),
        b"\n{\"undock.\": \xff}\n\n",
    ]
    .concat();
    let path = inputs.write("bad.log", &bytes);
    // A finding is certain, whatever else could not be read.
    assert_eq!(report_on(&path, &[]).1, 1);
    let (report, exit) = report_on(&path, &["--fail-on", "none"]);
    assert_eq!(
        (exit, &report["coverage"]["unreadable"]),
        (3, &json!(3)),
        "{:#}",
        report["errors"]
    );
    let lines: Vec<u64> = report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 4, 5]);
    assert_eq!(report["coverage"]["otherLines"], 1);
    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        1,
        "the rest counts"
    );
    let mut half = gzip(&text(&story()));
    half.truncate(half.len() - 12);
    assert_eq!(report_on(&inputs.write("half.gz", &half), &[]).1, 3);
    assert_eq!(
        undock(&["report", "/nowhere/at/all"]).status.code(),
        Some(3)
    );
    for nothing in [&b""[..], b"{}\n", b"[]", &gzip(b"")] {
        let output = undock(&[
            "report",
            inputs.write("empty.log", nothing).to_str().unwrap(),
        ]);
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.code() == Some(3) && told.contains("empty.log"),
            "nothing is no clean report: {output:?}"
        );
    }
    assert_eq!(
        undock(&["report", "x", "--since", "soon"]).status.code(),
        Some(2)
    );
}

#[test]
fn what_does_not_say_when_is_counted() {
    let mut event = flagged(1, &at(1, "10:00"));
    event["stageTimestamp"] = json!("soon");
    let broken = record(2, "yesterday");
    let lines = [event, broken, flagged(3, &at(1, "10:00"))];
    let (report, exit) = report_with(&lines, &["--fail-on", "none"]);
    assert_eq!(
        (
            exit,
            &report["coverage"]["unreadable"],
            &report["coverage"]["reviews"]
        ),
        (3, &json!(2), &json!(1))
    );
    assert!(
        report["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("invalid RFC 3339"),
        "{:#}",
        report["errors"]
    );
}

#[test]
fn inputs_that_name_no_cluster_belong_to_the_only_one_that_is_named() {
    let mut named = record(1, &at(1, "10:00"));
    named["k8s.cluster.name"] = json!("prod-eu1");
    let mut scan = scan(&at(3, "10:00"), &[scanned_flagged()]);
    let event = flagged(1, &at(1, "10:00"));
    let missed = {
        let mut missed = super::support::event(7, &at(2, "10:00"), "create");
        missed["annotations"]["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"] =
            json!("workloads.undock.dev");
        missed
    };
    let told = report_with(
        &[named.clone(), event.clone(), scan.clone(), missed.clone()],
        &["--cluster", "prod-eu1"],
    )
    .0;
    let found = report_with(
        &[event.clone(), missed.clone(), named.clone(), scan.clone()],
        &[],
    )
    .0;
    assert_eq!(found, told);
    assert_eq!(
        (
            &found["clusters"],
            found["namespaces"].as_array().unwrap().len()
        ),
        (&json!(["prod-eu1"]), 1)
    );
    assert_eq!(
        (
            &found["findings"][0]["team"],
            &found["findings"][0]["observations"]
        ),
        (&json!("build"), &json!(2))
    );
    assert_eq!(found["missedWrites"][0]["cluster"], "prod-eu1");
    // Of two, nothing tells which.
    scan["cluster"] = json!("prod-us1");
    let two = report_with(&[named, event, scan, missed], &[]).0;
    assert_eq!(
        (&two["clusters"], &two["missedWrites"][0]["cluster"]),
        (&json!(["prod-eu1", "prod-us1"]), &json!(""))
    );
}

#[test]
fn other_peoples_json_is_passed_over() {
    let mut bytes = text(&story());
    bytes.extend(
        b"{\"level\":\"info\",\"msg\":\"undock.dev is fine\"}\n{\"message\":\"{not json\"}\n{}\n",
    );
    assert_eq!(of(&bytes), of(&text(&story())));
}

#[test]
fn lines_of_other_programs_are_counted_apart() {
    let mut bytes = text(&story());
    bytes.extend(b"I1105 08:00:00.1 1 lease.go:1] Resetting endpoints {a: b}\nundock is ready\n");
    let (report, _) = report_on(&Inputs::new().write("a.log", &bytes), &[]);
    let coverage = &report["coverage"];
    assert_eq!(
        (&coverage["unreadable"], &coverage["otherLines"]),
        (&json!(0), &json!(2))
    );
}

#[test]
fn an_input_that_gives_nothing_is_named_with_what_to_do() {
    let inputs = Inputs::new();
    let good = inputs.write("good.log", &text(&story()));
    for (name, bytes, what) in [
        ("empty.log", &b""[..], "empty"),
        ("other.json", b"{\"some\": \"thing\"}", "unsupported input"),
        ("words.log", b"nothing\nof use\n", "unsupported input"),
        ("a.zip", b"PK\x03\x04 and so on", "unzip -p"),
        ("a.lz4", b"\x04\x22\x4d\x18 and so on", "lz4 -dc"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c and so on", "7z x -so"),
        ("a.orc", b"ORC\x00\x01", "JSON lines"),
        (
            "capture.avro",
            b"Obj\x01\x04\x16avro.schema {\"records\": [",
            "Avro",
        ),
        (
            "rancher.log",
            b"{\"auditID\":\"a\",\"requestURI\":\"/v3/clusters\",\"method\":\"GET\"}\n",
            "unsupported input",
        ),
        ("denied.xml", b"<?xml version=\"1.0\"?>\n<Error/>\n", "XML"),
        (
            "pointer.log",
            b"version https://git-lfs.github.com/spec/v1\noid x\n",
            "git lfs pull",
        ),
        (
            "g.yaml",
            b"---\ninsertId: a\nlabels:\n  x: y\n",
            "--format=json",
        ),
        (
            "long.json",
            b"{\"__CURSOR\":\"s=1\",\"MESSAGE\":null}\n",
            "--all",
        ),
    ] {
        let path = inputs.write(name, bytes);
        let path = path.to_str().unwrap();
        let (report, exit) = report_on(&good, &[path, "--fail-on", "none"]);
        let errors = report["errors"].as_array().unwrap();
        let message = errors[0]["message"].as_str().unwrap();
        assert!(
            exit == 3 && errors.len() == 1 && errors[0]["file"] == path && message.contains(what),
            "{name}: {exit} {errors:?}"
        );
    }
    let empty = inputs.path("none");
    std::fs::create_dir(&empty).unwrap();
    let (report, exit) = report_on(&good, &[empty.to_str().unwrap(), "--fail-on", "none"]);
    assert_eq!(
        (exit, &report["errors"][0]["message"]),
        (3, &json!("the folder is empty"))
    );
}

#[test]
fn records_are_found_with_their_keys_expanded_or_renamed() {
    let flat = record(1, &at(1, "10:00"));
    let mut nested = json!({});
    let mut renamed = json!({});
    for (key, value) in flat.as_object().unwrap() {
        renamed[key.replace('.', "_")] = value.clone();
        // `findings` is a list and the parent of `findings.count` at once, which no log store can expand.
        if key.starts_with("findings") {
            nested[key] = value.clone();
            continue;
        }
        let mut place = &mut nested;
        for part in key.split('.') {
            place = &mut place[part];
        }
        *place = value.clone();
    }
    for (name, line) in [
        ("as written", flat.clone()),
        ("expanded", nested),
        ("underscores", renamed),
        (
            "expanded in a hit",
            json!({"hits": {"hits": [{"_source": flat}]}}),
        ),
    ] {
        let report = report_with(&[line], &["--fail-on", "none"]).0;
        assert_eq!(
            report["findings"][0]["evidence"], "/var/run/docker.sock",
            "{name}"
        );
    }
}

#[test]
fn clusters_come_from_the_input() {
    let inputs = Inputs::new();
    let line = flagged(1, &at(1, "10:00"));
    let fixed = clean(2, &at(2, "10:00"));
    let azure = |name: &str, event: &Value| {
        json!({"resourceId": format!("/SUBSCRIPTIONS/X/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/{name}"),
            "properties": {"log": event.to_string()}})
    };
    let statuses = |report: &Value| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap().iter();
        let told = findings.map(|own| format!("{} {}", own["cluster"], own["status"]));
        told.map(|told| told.replace('"', "")).collect()
    };
    let report = report_with(&[azure("EU", &line), azure("US", &fixed)], &[]).0;
    assert_eq!(statuses(&report), ["eu open"]);
    let cloudwatch = |name: &str, event: &Value| json!({"logGroup": format!("/aws/eks/{name}/cluster"), "logEvents": [{"message": event.to_string()}]});
    let pair = [cloudwatch("eu", &line), cloudwatch("us", &fixed)];
    // As AWS writes it: the group before the events, over many lines.
    let pretty = format!(
        "{{\n\"logGroup\": \"/aws/eks/eu/cluster\",\n\"logEvents\": {}\n}}\n",
        pair[0]["logEvents"]
    );
    for bytes in [text(&pair), pretty.into_bytes()] {
        let report = report_on(&inputs.write("x.json", &bytes), &[]).0;
        assert_eq!(statuses(&report), ["eu open"]);
    }
    let eu = format!("eu={}", inputs.write("eu.log", &text(&[line])).display());
    let us = format!("us={}", inputs.write("us.log", &text(&[fixed])).display());
    let output = undock(&["report", "-o", "json", "--cluster", &eu, "--cluster", &us]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(statuses(&report), ["eu open"]);
    assert_eq!(report["namespaces"].as_array().unwrap().len(), 2);
}
