//! The fields of a JSON object, each unread: who wraps audit events wraps them in a way of his own.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::workload::text::LenientStr;

/// An object's fields in their order, borrowed.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(LenientStr<'a>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The unread value of the first of `keys` that is there and not null.
    pub(super) fn raw(&self, keys: &[&str]) -> Option<&'a RawValue> {
        let find = |key: &&str| {
            self.0
                .iter()
                .find(|(name, value)| *name.as_str() == **key && value.get() != "null")
        };
        keys.iter().find_map(find).map(|(_, value)| *value)
    }

    /// The text of the first of `keys` that is there; empty if none is, or it is no scalar.
    pub(super) fn text(&self, keys: &[&str]) -> LenientStr<'a> {
        self.read(keys)
    }

    /// The value of the first of `keys` that is there; the default if none is, or it has another
    /// shape.
    ///
    /// An object may also come as a string that holds it, as exports to tables have it; see
    /// [`Fields::object`].
    pub(super) fn read<T: Deserialize<'a> + Default>(&self, keys: &[&str]) -> T {
        self.raw(keys)
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default()
    }

    /// The JSON text of an object, which may be inside a string.
    pub(super) fn object(&self, keys: &[&str]) -> Option<std::borrow::Cow<'a, str>> {
        let raw = self.raw(keys)?.get();
        match raw.as_bytes().first() {
            Some(b'{') => Some(raw.into()),
            Some(b'"') => serde_json::from_str::<String>(raw)
                .ok()
                .filter(|text| text.trim_start().starts_with('{'))
                .map(Into::into),
            _ => None,
        }
    }

    /// All keys and unread values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.get()))
    }

    /// True if it is there, and null.
    pub(super) fn is_null(&self, key: &str) -> bool {
        let mut fields = self.0.iter();
        fields.any(|(name, value)| name.as_str() == key && value.get() == "null")
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.raw(&[key]).is_some()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(24);
        while let Some(pair) = map.next_entry()? {
            fields.push(pair);
        }
        Ok(Fields(fields))
    }
}
