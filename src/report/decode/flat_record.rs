//! A record of ours from one JSON object, also where a log store expanded its dotted keys or wrote
//! underscores for dots.

use serde_json::{Map, Value};

use super::event::flatten;
use super::place;
use crate::record::Record;
use crate::report::fields::Fields;

/// Keys with a dot that a record and its findings have.
const KEYS: [&str; 39] = [
    "log.level",
    "event.name",
    "schema.version",
    "service.name",
    "service.version",
    "k8s.cluster.name",
    "review.uid",
    "review.operation",
    "review.dry_run",
    "review.caller",
    "review.duration_us",
    "review.existing",
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
    "rules.off",
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::KEYS;
    use crate::record::{Caller, FindingFields, ObjectFields, OwnerFields, Record};

    /// A record without a field that could be left out.
    fn filled() -> Record {
        let (word, some) = (|| "x".to_owned(), || Some("x".to_owned()));
        Record {
            timestamp: word(),
            level: "x".into(),
            message: word(),
            event: "x".into(),
            schema: "x".into(),
            service: "x".into(),
            service_version: "x".into(),
            cluster: word(),
            review_uid: word(),
            operation: word(),
            dry_run: true,
            caller: Caller::ApiServer,
            duration_us: 1,
            mode: "x".into(),
            decision: "x".into(),
            would_deny: true,
            existing: true,
            namespace: word(),
            object: ObjectFields {
                group: word(),
                version: word(),
                kind: word(),
                name: word(),
                generate_name: word(),
                uid: word(),
            },
            owner: OwnerFields {
                group: word(),
                kind: word(),
                name: word(),
                source: "x".into(),
                team: some(),
                managed_by: some(),
                release: some(),
            },
            user: word(),
            user_kind: "x".into(),
            findings_count: 1,
            rules_off: vec![word()],
            findings: vec![FindingFields {
                rule: "x".into(),
                rule_name: "x".into(),
                impact: "x".into(),
                certainty: "x".into(),
                action: "x".into(),
                denies: Some(true),
                container: some(),
                field: word(),
                evidence: word(),
                fingerprint: word(),
                status: "x".into(),
                exempt_until: some(),
                exempt_ref: some(),
                exempt_scope: some(),
            }],
            findings_truncated: 1,
            error: some(),
            suppressed: 1,
            first_seen: some(),
        }
    }

    #[test]
    fn every_key_with_a_dot_is_known() {
        let record = json!(filled());
        let of = |value: &Value| -> Vec<String> {
            let keys = value.as_object().unwrap().keys();
            keys.filter(|key| key.contains('.')).cloned().collect()
        };
        let mut written = of(&record);
        written.extend(of(&record["findings"][0]));
        written.sort_unstable();
        let mut known = KEYS.to_vec();
        known.sort_unstable();
        assert_eq!(written, known);
    }
}
