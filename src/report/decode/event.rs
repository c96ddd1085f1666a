//! An event of the audit log from the fields of one JSON object: as kube-apiserver writes it, as
//! Google and Azure do, and with the changes that log stores make (objects as strings, dots as
//! underscores, maps as lists of pairs).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Take;
use crate::report::audit::{Event, ObjectRef};
use crate::report::decode::Input;
use crate::report::fields::Fields;
use crate::workload::text::{LenientInt, LenientStr, TextMap};

/// Gives the event to `take`; false if the object is none.
///
/// # Errors
/// Those of `take`.
pub(super) fn read(
    fields: &Fields<'_>,
    cluster: &str,
    take: &mut Take<'_>,
) -> Result<bool, String> {
    let payload = ["protoPayload", "protopayload_auditlog"];
    // Other servers count their own requests with an `auditID`.
    let has = |keys: &[&str]| fields.raw(keys).is_some();
    if has(&["auditID", "AuditId"]) && has(&["verb", "Verb"]) {
        kubernetes(fields, cluster, take)?;
    } else if has(&payload) {
        google(fields, &fields.read(&payload), cluster, take)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// The cluster that a wrapper names: by its resource in Azure, its log group in AWS, or a label.
pub(super) fn cluster(fields: &Fields<'_>) -> Option<String> {
    let resource = fields.text(&["resourceId", "_ResourceId"]);
    let mut segments = resource.split('/');
    if segments.any(|segment| segment.eq_ignore_ascii_case("managedClusters")) {
        return segments.next().map(str::to_ascii_lowercase);
    }
    let group = fields.text(&["logGroup", "log_group", "logGroupName"]);
    if let Some(name) = from_log_group(&group) {
        return Some(name);
    }
    let label = fields.text(&[
        "k8s.cluster.name",
        "k8s_cluster_name",
        "cluster_name",
        "__tag__:cluster_id",
    ]);
    (!label.is_empty() && !fields.text(&["event.name"]).starts_with("undock."))
        .then(|| label.to_string())
}

/// `/aws/eks/NAME/cluster`
pub(in crate::report) fn from_log_group(group: &str) -> Option<String> {
    let name = group.rsplit(':').next().unwrap_or(group);
    let name = name.strip_prefix("/aws/eks/")?.strip_suffix("/cluster")?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User<'a> {
    #[serde(borrow)]
    username: LenientStr<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Code {
    code: LenientInt,
}

/// As the API server writes it, or with its fields as columns of a table; objects may be strings.
fn kubernetes(fields: &Fields<'_>, cluster: &str, take: &mut Take<'_>) -> Result<(), String> {
    let part = |keys: &[&str]| fields.object(keys);
    fn read<'t, T: Deserialize<'t> + Default>(text: &'t Option<Cow<'_, str>>) -> T {
        text.as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
    let user = part(&["user", "User"]);
    let impersonated = part(&["impersonatedUser", "ImpersonatedUser"]);
    let object = part(&["objectRef", "ObjectRef"]);
    let status = part(&["responseStatus", "ResponseStatus"]);
    let request = part(&["requestObject", "RequestObject"]);
    let response = part(&["responseObject", "ResponseObject"]);
    let (user, impersonated): (User<'_>, User<'_>) = (read(&user), read(&impersonated));
    let uri = fields.text(&["requestURI", "RequestUri"]);
    let stage = fields.text(&["stage", "Stage"]);
    take(Input::Event(Event {
        id: fields.text(&["auditID", "AuditId"]),
        is_complete: matches!(stage.as_str(), "" | "ResponseComplete" | "Panic"),
        time: fields.text(&[
            "stageTimestamp",
            "StageReceivedTime",
            "requestReceivedTimestamp",
            "RequestReceivedTime",
            "TimeGenerated",
        ]),
        verb: fields.text(&["verb", "Verb"]),
        user: if impersonated.username.is_empty() {
            user.username
        } else {
            impersonated.username
        },
        object: read(&object),
        code: read::<Code>(&status).code.0.unwrap_or(0),
        is_dry_run: is_dry_run(&uri),
        has_selector: has_selector(&uri),
        annotations: pairs(fields, &["annotations", "Annotations"]),
        request: request.as_deref(),
        response: response.as_deref(),
        cluster: cluster.into(),
    }))
}

/// A LogEntry of Cloud Logging, or its row in BigQuery: annotations are labels, the audit event is
/// the payload.
fn google(
    fields: &Fields<'_>,
    payload: &Fields<'_>,
    cluster: &str,
    take: &mut Take<'_>,
) -> Result<(), String> {
    let method = payload.text(&["methodName"]);
    if !method.starts_with("io.k8s.") {
        return Ok(());
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Id<'a> {
        #[serde(borrow)]
        id: LenientStr<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Login<'a> {
        #[serde(borrow)]
        principal_email: LenientStr<'a>,
    }
    let operation: Id<'_> = fields.read(&["operation"]);
    let resource: Fields<'_> = fields.read(&["resource"]);
    let name = payload.text(&["resourceName"]);
    // gRPC codes; whatever is not OK was not stored.
    let code = match payload.read::<Code>(&["status"]).code.0.unwrap_or(0) {
        0 => 200,
        7 => 403,
        code => 400 + code.clamp(0, 99),
    };
    let labels = pairs(fields, &["labels"]);
    // Tables have a column for each label that any row has.
    let is_dry_run = labels.iter().any(|(key, value)| {
        matches!(key, "command.gke.io/dryRun" | "command_gke_io_dryRun") && !value.is_empty()
    });
    let request = payload.object(&["request", "requestJson"]);
    let response = payload.object(&["response", "responseJson"]);
    let of_resource = pairs(&resource, &["labels"]);
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
        is_dry_run,
        has_selector: true,
        annotations: labels,
        request: request.as_deref(),
        response: response.as_deref(),
        cluster: of_resource.get("cluster_name").unwrap_or(cluster).into(),
    }))
}

/// A map of texts: as one, as a string that holds it, with its keys expanded at their dots, or as a
/// list of keys and values.
fn pairs<'a>(fields: &Fields<'a>, keys: &[&str]) -> TextMap<'a> {
    let Some(raw) = fields.raw(keys) else {
        return TextMap::default();
    };
    if let Ok(map) = serde_json::from_str(raw.get()) {
        return map;
    }
    let mut value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    if let Value::String(text) = &value {
        value = serde_json::from_str(text).unwrap_or_default();
    }
    let mut flat = Map::new();
    match value {
        Value::Object(map) => flatten("", map, &mut flat),
        Value::Array(items) => flat.extend(items.into_iter().filter_map(|mut item| {
            let value = item.get_mut("value")?.take();
            Some((item.get("key")?.as_str()?.to_owned(), value))
        })),
        _ => {}
    }
    TextMap::deserialize(Value::Object(flat)).unwrap_or_default()
}

/// Nested maps into one, with dots between the keys.
pub(super) fn flatten(prefix: &str, map: Map<String, Value>, flat: &mut Map<String, Value>) {
    for (key, value) in map {
        let key = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Object(inner) => flatten(&key, inner, flat),
            value => _ = flat.insert(key, value),
        }
    }
}

fn is_dry_run(uri: &str) -> bool {
    uri.split_once('?')
        .is_some_and(|(_, query)| query.split('&').any(|pair| pair.starts_with("dryRun=")))
}

/// True if only some objects of a collection are meant, or the path is not told.
fn has_selector(uri: &str) -> bool {
    uri.is_empty() || uri.contains("labelSelector=") || uri.contains("fieldSelector=")
}
