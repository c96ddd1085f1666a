//! One JSON text into what it tells: a record or a scan of ours, or an event of the API server's audit log, in whatever wrapping it came.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::audit::{Event, ObjectRef};
use super::fields::Fields;
use crate::finding::text::{clip, escape_controls};
use crate::record::Record;
use crate::scan::document::{self, ScanDocument};
use crate::workload::text::{Int, Text, TextMap};

/// What one text tells.
#[derive(Debug)]
pub(super) enum Input<'a> {
    /// A record of undock.
    Record(Record),
    /// An event of the audit log.
    Event(Event<'a>),
    /// A scan of undock.
    Scan(ScanDocument<'a>),
}

/// Takes what was read; an error says what is wrong with it.
pub(super) type Take<'t> = dyn FnMut(Input<'_>) -> Result<(), String> + 't;

/// How deep wrappers are followed; real ones are three deep.
const MAX_DEPTH: usize = 5;
/// Keys whose string holds a line of a log.
const MESSAGES: [&str; 11] = [
    "message",
    "@message",
    "log",
    "log_s",
    "LogMessage",
    "LogEntry",
    "textPayload",
    "line",
    "MESSAGE",
    "_raw",
    "body",
];
/// Keys whose object holds an entry.
const INNER: [&str; 4] = ["jsonPayload", "properties", "LogMessage", "message"];

/// Reads `bytes` to `take`. What is JSON and not ours is passed over.
///
/// # Errors
/// Where there is no JSON to read, or it breaks off, or a record of ours lacks what it must have.
pub(super) fn unit(bytes: &[u8], take: &mut Take<'_>) -> Result<(), String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    read(text.trim(), 0, take)
}

fn read(text: &str, depth: usize, take: &mut Take<'_>) -> Result<(), String> {
    match text.as_bytes().first() {
        None => Ok(()),
        _ if depth > MAX_DEPTH => Err("wrapped too deep".to_owned()),
        Some(b'{') => object(text, depth, take),
        Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(items) => list(&items, depth, take),
            Err(error) => prefixed(text, depth, take).unwrap_or_else(|| Err(place(&error))),
        },
        Some(_) => prefixed(text, depth, take).unwrap_or_else(|| Err("no JSON".to_owned())),
    }
}

/// `TIME STREAM FLAG {...}` of the kubelet, `[pod/name/container] {...}` of kubectl, `TIME STREAM {...}` of aws logs tail.
fn prefixed(text: &str, depth: usize, take: &mut Take<'_>) -> Option<Result<(), String>> {
    let mut words = text.split(' ');
    // What goes to stderr is for people.
    if words.nth(1) == Some("stderr") {
        return Some(Ok(()));
    }
    let at = text.find('{')?;
    Some(if at > 512 {
        Err("no JSON".to_owned())
    } else {
        read(&text[at..], depth + 1, take)
    })
}

/// A list of entries, or the fields of one row as CloudWatch Insights gives them.
fn list(items: &[&RawValue], depth: usize, take: &mut Take<'_>) -> Result<(), String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Cell<'a> {
        #[serde(borrow)]
        field: Text<'a>,
        value: Text<'a>,
    }
    for item in items {
        match serde_json::from_str::<Cell<'_>>(item.get()) {
            Ok(cell) if cell.field.as_str() == "@message" => {
                read(cell.value.trim(), depth + 1, take)?
            }
            Ok(cell) if !cell.field.is_empty() => {}
            _ if matches!(item.get().as_bytes().first(), Some(b'{' | b'[')) => {
                read(item.get(), depth + 1, take)?
            }
            _ => {}
        }
    }
    Ok(())
}

fn object(text: &str, depth: usize, take: &mut Take<'_>) -> Result<(), String> {
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| place(&error))?;
    if fields.text(&["event.name"]).starts_with("undock.") {
        let record = serde_json::from_str(text).map_err(|error| {
            format!("a record of undock that cannot be read: {}", place(&error))
        })?;
        return take(Input::Record(record));
    }
    let schema = fields.text(&["schema"]);
    if schema.as_str() == document::SCHEMA {
        let scan = serde_json::from_str(text)
            .map_err(|error| format!("a scan of undock that cannot be read: {}", place(&error)))?;
        return take(Input::Scan(scan));
    }
    if schema.starts_with("undock.") {
        return Err(format!(
            "{} is no input of a report; leave it out: records, audit logs and {} are",
            clip(&escape_controls(&schema), 60),
            document::SCHEMA
        ));
    }
    if fields.has("auditID") {
        return take(Input::Event(native(&fields)));
    }
    if fields.has("protoPayload") {
        return cloud_logging(&fields, take);
    }
    if fields.has("AuditId") {
        return table_row(&fields, take);
    }
    for key in [
        "items",
        "events",
        "records",
        "logEvents",
        "results",
        "value",
        "entries",
    ] {
        let Some(raw) = fields.raw(&[key]).filter(|raw| raw.get().starts_with('[')) else {
            continue;
        };
        let items: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|error| place(&error))?;
        return list(&items, depth, take);
    }
    for key in MESSAGES {
        let message: String = fields.read(&[key]);
        let message = message.trim();
        if message.contains('{') && fields.text(&["stream"]).as_str() != "stderr" {
            // A message that is no JSON is somebody else's.
            let is_ours = message.contains("undock") || message.contains("audit.k8s.io");
            return read(message, depth + 1, take)
                .or_else(|error| if is_ours { Err(error) } else { Ok(()) });
        }
    }
    match fields.raw(&INNER).filter(|raw| raw.get().starts_with('{')) {
        Some(inner) => read(inner.get(), depth + 1, take),
        None => Ok(()),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User<'a> {
    #[serde(borrow)]
    username: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Code {
    code: Int,
}

fn native<'a>(fields: &Fields<'a>) -> Event<'a> {
    let user: User<'_> = fields.read(&["user"]);
    let impersonated: User<'_> = fields.read(&["impersonatedUser"]);
    Event {
        id: fields.text(&["auditID"]),
        is_complete: is_complete(&fields.text(&["stage"])),
        time: fields.text(&["stageTimestamp", "requestReceivedTimestamp"]),
        verb: fields.text(&["verb"]),
        user: if impersonated.username.is_empty() {
            user.username
        } else {
            impersonated.username
        },
        object: fields.read(&["objectRef"]),
        code: fields.read::<Code>(&["responseStatus"]).code.0.unwrap_or(0),
        is_dry_run: is_dry_run(&fields.text(&["requestURI"])),
        has_selector: has_selector(&fields.text(&["requestURI"])),
        annotations: fields.read(&["annotations"]),
        request: fields.raw(&["requestObject"]).map(RawValue::get),
        response: fields.raw(&["responseObject"]).map(RawValue::get),
        cluster: "".into(),
    }
}

/// A LogEntry of Cloud Logging: annotations are labels, the audit event is in `protoPayload`.
fn cloud_logging(fields: &Fields<'_>, take: &mut Take<'_>) -> Result<(), String> {
    let payload: Fields<'_> = fields.read(&["protoPayload"]);
    let method = payload.text(&["methodName"]);
    if !method.starts_with("io.k8s.") {
        return Ok(());
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Labels<'a> {
        #[serde(borrow)]
        labels: TextMap<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Id<'a> {
        #[serde(borrow)]
        id: Text<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Login<'a> {
        #[serde(borrow)]
        principal_email: Text<'a>,
    }
    let operation: Id<'_> = fields.read(&["operation"]);
    let resource: Labels<'_> = fields.read(&["resource"]);
    let name = payload.text(&["resourceName"]);
    // gRPC codes; whatever is not OK was not stored.
    let code = match payload.read::<Code>(&["status"]).code.0.unwrap_or(0) {
        0 => 200,
        7 => 403,
        code => 400 + code.clamp(0, 99),
    };
    take(Input::Event(Event {
        id: if operation.id.is_empty() {
            fields.text(&["insertId"])
        } else {
            operation.id
        },
        is_complete: true,
        time: fields.text(&["timestamp", "receiveTimestamp"]),
        verb: method.rsplit('.').next().unwrap_or_default().into(),
        user: payload
            .read::<Login<'_>>(&["authenticationInfo"])
            .principal_email,
        object: ObjectRef::from_path(&name),
        code,
        is_dry_run: fields
            .read::<TextMap<'_>>(&["labels"])
            .get("command.gke.io/dryRun")
            .is_some(),
        has_selector: true,
        annotations: fields.read(&["labels"]),
        request: payload.raw(&["request"]).map(RawValue::get),
        response: payload.raw(&["response"]).map(RawValue::get),
        cluster: resource
            .labels
            .get("cluster_name")
            .unwrap_or_default()
            .into(),
    }))
}

/// A row of AKSAudit or AKSAuditAdmin: the fields are columns, objects may be strings.
fn table_row(fields: &Fields<'_>, take: &mut Take<'_>) -> Result<(), String> {
    let [user, object, status, annotations, request, response] = [
        "User",
        "ObjectRef",
        "ResponseStatus",
        "Annotations",
        "RequestObject",
        "ResponseObject",
    ]
    .map(|key| fields.object(&[key]));
    fn part<'t, T: Deserialize<'t> + Default>(text: &'t Option<std::borrow::Cow<'_, str>>) -> T {
        text.as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
    take(Input::Event(Event {
        id: fields.text(&["AuditId"]),
        is_complete: is_complete(&fields.text(&["Stage"])),
        time: fields.text(&["StageReceivedTime", "RequestReceivedTime", "TimeGenerated"]),
        verb: fields.text(&["Verb"]),
        user: part::<User<'_>>(&user).username,
        object: part(&object),
        code: part::<Code>(&status).code.0.unwrap_or(0),
        is_dry_run: is_dry_run(&fields.text(&["RequestUri"])),
        has_selector: has_selector(&fields.text(&["RequestUri"])),
        annotations: part(&annotations),
        request: request.as_deref(),
        response: response.as_deref(),
        cluster: "".into(),
    }))
}

fn is_complete(stage: &str) -> bool {
    matches!(stage, "" | "ResponseComplete" | "Panic")
}

fn is_dry_run(uri: &str) -> bool {
    uri.split_once('?')
        .is_some_and(|(_, query)| query.split('&').any(|pair| pair.starts_with("dryRun=")))
}

/// True if only some objects of a collection are meant.
fn has_selector(uri: &str) -> bool {
    uri.is_empty() || uri.contains("labelSelector=") || uri.contains("fieldSelector=")
}

/// serde's words without the value that it stumbled over: secrets pass through logs.
fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON text ends before it is whole",
        serde_json::error::Category::Data => {
            "a field is missing, or has another type than it should"
        }
        _ => "not JSON",
    };
    format!("{what} (column {})", error.column())
}
