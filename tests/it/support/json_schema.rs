//! JSON Schema, as far as the shipped schemas use it.

use serde_json::Value;

/// Where `value` breaks `schema`, for the keywords that the schema uses.
pub(crate) fn breaks(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let mut fail = |what: String| found.push(format!("{place}: {what}"));
    for (keyword, wanted) in schema.as_object().unwrap() {
        match (keyword.as_str(), value) {
            ("$schema" | "$id" | "title" | "description" | "items" | "properties", _) => {}
            ("type", _) => {
                let fits = match wanted.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    other => panic!("unknown type {other}"),
                };
                if !fits {
                    fail(format!("{value} is no {wanted}"));
                }
            }
            ("const", _) if value != wanted => fail(format!("{value} is not {wanted}")),
            ("enum", _) if !wanted.as_array().unwrap().contains(value) => {
                fail(format!("{value} is none of {wanted}"))
            }
            ("minimum", _) if value.as_i64() < wanted.as_i64() => {
                fail(format!("{value} is less than {wanted}"))
            }
            ("required", Value::Object(fields)) => {
                for name in wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|name| !fields.contains_key(name.as_str().unwrap()))
                {
                    fail(format!("{name} is missing"));
                }
            }
            ("additionalProperties", Value::Object(fields)) => {
                for name in fields
                    .keys()
                    .filter(|name| schema["properties"].get(name.as_str()).is_none())
                {
                    fail(format!("{name} is not described"));
                }
            }
            ("pattern", Value::String(text)) => {
                assert_eq!(wanted, "^[0-9a-f]{16}$");
                if text.len() != 16
                    || !text
                        .bytes()
                        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                {
                    fail(format!("{text} does not match {wanted}"));
                }
            }
            ("const" | "enum" | "minimum" | "required" | "additionalProperties" | "pattern", _) => {
            }
            (other, _) => panic!("unknown keyword {other}"),
        }
    }
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| {
            breaks(&schema["items"], item, &format!("{place}[{at}]"), found)
        }),
        Value::Object(fields) => {
            for (name, field) in fields
                .iter()
                .filter_map(|(name, field)| Some((name, (schema["properties"].get(name)?, field))))
            {
                breaks(field.0, field.1, &format!("{place}.{name}"), found);
            }
        }
        _ => {}
    }
}
