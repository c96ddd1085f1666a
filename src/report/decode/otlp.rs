//! Maps as OpenTelemetry writes them, lists of keys and typed values: the body or the attributes of
//! a log record whose JSON a collector has parsed (opentelemetry-proto: common.proto AnyValue; in
//! JSON, integers of 64 bits are strings).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// One key with its value.
#[derive(Deserialize)]
struct KeyValue {
    key: String,
    value: AnyValue,
}

/// A value of one of these types; of none, if it is null.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct AnyValue {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Value>,
    double_value: Option<Value>,
    bytes_value: Option<String>,
    array_value: Option<List<Self>>,
    kvlist_value: Option<List<KeyValue>>,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    values: Vec<T>,
}

/// The map that a list of keys and values is, as JSON; none if the list is something else.
pub(super) fn map(items: &[&RawValue]) -> Option<String> {
    // Lists of other things are told by their first item.
    serde_json::from_str::<KeyValue>(items.first()?.get()).ok()?;
    let pairs: Option<Vec<KeyValue>> = items
        .iter()
        .map(|item| serde_json::from_str(item.get()).ok())
        .collect();
    Some(object(pairs?).to_string())
}

fn object(pairs: Vec<KeyValue>) -> Value {
    let pairs = pairs.into_iter();
    let map: Map<String, Value> = pairs.map(|own| (own.key, own.value.plain())).collect();
    Value::Object(map)
}

impl AnyValue {
    fn plain(self) -> Value {
        let integer = |value: Value| match value.as_str().and_then(|text| text.parse::<i64>().ok())
        {
            Some(number) => Value::from(number),
            None => value,
        };
        let text = self.string_value.or(self.bytes_value).map(Value::from);
        let list = |list: List<Self>| list.values.into_iter().map(Self::plain).collect();
        text.or(self.bool_value.map(Value::from))
            .or(self.int_value.map(integer))
            .or(self.double_value)
            .or(self.array_value.map(list))
            .or(self.kvlist_value.map(|list| object(list.values)))
            .unwrap_or_default()
    }
}
