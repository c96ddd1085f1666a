//! An audit event whose fields a log store wrote side by side, with dots in their keys:
//! `objectRef.resource`.

use serde_json::{Map, Value};

use crate::report::fields::Fields;

/// The key that shows it, behind what the shipper put in front.
const SIGN: &str = "objectRef.resource";
/// Fields that are objects; the keys in annotations have dots of their own.
const OBJECTS: [&str; 5] = [
    "objectRef",
    "user",
    "impersonatedUser",
    "responseStatus",
    "annotations",
];

/// The event as the API server writes it; none if the fields are something else.
pub(super) fn event(fields: &Fields<'_>) -> Option<String> {
    let prefix = fields.iter().find_map(|(key, _)| {
        let prefix = key.strip_suffix(SIGN)?;
        (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
    })?;
    let mut event = Map::new();
    for (key, value) in fields.iter() {
        let Some(key) = key.strip_prefix(prefix) else {
            continue;
        };
        // Some stores answer with a list of values for each field.
        let value = match serde_json::from_str(value) {
            Ok(Value::Array(mut values)) if values.len() == 1 => values.remove(0),
            Ok(value) => value,
            Err(_) => continue,
        };
        let (object, inner) = key.split_once('.').unwrap_or((key, ""));
        if inner.is_empty() {
            event.insert(key.to_owned(), value);
        } else if OBJECTS.contains(&object) {
            let object = event
                .entry(object)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(object) = object {
                object.insert(inner.to_owned(), value);
            }
        }
    }
    Some(Value::Object(event).to_string())
}
