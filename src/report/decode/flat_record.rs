//! A record of ours from one JSON object, also where a log store expanded its dotted keys or wrote
//! underscores for dots.

use serde_json::{Map, Value};

use super::event::flatten;
use super::place;
use crate::record::Record;
use crate::report::fields::Fields;

/// Keys with a dot that a record and its findings have.
const KEYS: [&str; 36] = [
    "log.level",
    "event.name",
    "schema.version",
    "service.name",
    "service.version",
    "k8s.cluster.name",
    "review.uid",
    "review.operation",
    "review.dry_run",
    "review.duration_us",
    "k8s.namespace.name",
    "k8s.object.group",
    "k8s.object.version",
    "k8s.object.kind",
    "k8s.object.name",
    "k8s.object.generate_name",
    "k8s.object.uid",
    "owner.group",
    "owner.kind",
    "owner.name",
    "owner.source",
    "owner.team",
    "owner.managed_by",
    "owner.release",
    "user.name",
    "user.kind",
    "findings.count",
    "findings.truncated",
    "dedupe.suppressed",
    "dedupe.first_seen",
    "rule.id",
    "rule.name",
    "container.name",
    "exempt.until",
    "exempt.ref",
    "exempt.scope",
];

/// The record, if the object is one.
///
/// # Errors
/// If it is one and lacks what it must have.
pub(super) fn read(fields: &Fields<'_>, json: &str) -> Result<Option<Record>, String> {
    let is_ours = |name: &str| name.starts_with("undock.");
    let broken = |error: serde_json::Error| {
        format!("a record of undock that cannot be read: {}", place(&error))
    };
    if is_ours(&fields.text(&["event.name"])) {
        return serde_json::from_str(json).map(Some).map_err(broken);
    }
    let nested: Fields<'_> = fields.read(&["event"]);
    if !is_ours(&nested.text(&["name"])) && !is_ours(&fields.text(&["event_name"])) {
        return Ok(None);
    }
    let map: Map<String, Value> = serde_json::from_str(json).map_err(broken)?;
    serde_json::from_value(Value::Object(dotted(map)))
        .map(Some)
        .map_err(broken)
}

/// With its keys as a record has them.
fn dotted(map: Map<String, Value>) -> Map<String, Value> {
    let mut flat = Map::new();
    flatten("", map, &mut flat);
    flat.into_iter()
        .map(|(key, value)| {
            let known = KEYS.iter().find(|known| is_same(known, &key));
            let value = match value {
                Value::Array(items) => items.into_iter().map(dotted_item).collect(),
                value => value,
            };
            (known.map_or(key, |known| (*known).to_owned()), value)
        })
        .collect()
}

fn dotted_item(item: Value) -> Value {
    match item {
        Value::Object(map) => Value::Object(dotted(map)),
        item => item,
    }
}

fn is_same(known: &str, key: &str) -> bool {
    let same = |(known, key): (u8, u8)| known == key || known == b'.' && key == b'_';
    known.len() == key.len() && known.bytes().zip(key.bytes()).all(same)
}
