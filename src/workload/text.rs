//! The leaf types that objects are read into: borrowed text, lists that may be null, tolerant flags
//! and numbers.

use std::ops::Deref;

use serde::de::{Deserialize, DeserializeSeed, Deserializer};

use super::budget::keep;
pub use super::lenient_str::LenientStr;
use super::shape::{Fill, Next, ValueVisitor, read_by_value_visitor};

impl<'a> ValueVisitor<'a> for LenientStr<'a> {
    fn expected(&self) -> &'static str {
        "a string"
    }

    fn take_text(&mut self, text: &'a str) -> bool {
        *self = Self::from(text);
        true
    }

    fn take_unescaped(&mut self, text: String) -> bool {
        *self = Self::from(text);
        true
    }
}

read_by_value_visitor! { LenientStr<'a> }

/// A list that reads `null` as empty, as Go does; the API server and hand-written manifests both
/// send nulls.
#[derive(Clone, Debug)]
pub struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<T> List<T> {
    /// Adds the items of `other`.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Keeps the items that `is_kept` is true for.
    pub(crate) fn retain(&mut self, is_kept: impl FnMut(&T) -> bool) {
        self.0.retain(is_kept);
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T: ValueVisitor<'a> + Default> ValueVisitor<'a> for List<T> {
    fn expected(&self) -> &'static str {
        "a list"
    }

    fn begin_list(&mut self) -> bool {
        true
    }

    fn element(&mut self) -> Next<'_, 'a> {
        if !keep(size_of::<T>()) {
            return Next::Skip;
        }
        Next::ValueVisitor(self.0.push_mut(T::default()))
    }
}

impl<'de, T: ValueVisitor<'de> + Default> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut list = Self::default();
        Fill(&mut list).deserialize(deserializer)?;
        Ok(list)
    }
}

/// Reads `null` as the default, for fields that are not optional.
pub(crate) fn null_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether an annotation is kept. Any can be the value of a variable, but
/// `last-applied-configuration` is as large as its object, and unescaping it would cost more than
/// all rules together: a variable of it counts as unknown.
fn wanted_annotation(key: &str) -> bool {
    !key.ends_with("/last-applied-configuration")
}

/// The annotations of an object, without those that hold a copy of it.
#[derive(Clone, Debug, Default)]
pub struct Annotations<'a>(TextMap<'a>);

impl<'a> Deref for Annotations<'a> {
    type Target = TextMap<'a>;

    fn deref(&self) -> &TextMap<'a> {
        &self.0
    }
}

impl<'a> ValueVisitor<'a> for Annotations<'a> {
    fn expected(&self) -> &'static str {
        self.0.expected()
    }

    fn begin_map(&mut self) -> bool {
        true
    }

    fn field(&mut self, key: &LenientStr<'a>) -> Next<'_, 'a> {
        if wanted_annotation(key) {
            self.0.field(key)
        } else {
            Next::Skip
        }
    }
}

/// A string map (labels, selectors) in the order of the input; `null` reads as empty.
#[derive(Clone, Debug, Default)]
pub struct TextMap<'a>(Vec<(LenientStr<'a>, LenientStr<'a>)>);

impl<'a> TextMap<'a> {
    /// The value under `key`; the last one where the key is repeated.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().rev().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// How many pairs there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All pairs.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<'a> ValueVisitor<'a> for TextMap<'a> {
    fn expected(&self) -> &'static str {
        "a map"
    }

    fn begin_map(&mut self) -> bool {
        true
    }

    fn field(&mut self, key: &LenientStr<'a>) -> Next<'_, 'a> {
        if !keep(size_of::<(LenientStr<'_>, LenientStr<'_>)>()) {
            return Next::Skip;
        }
        Next::ValueVisitor(&mut self.0.push_mut((key.clone(), LenientStr::default())).1)
    }
}

read_by_value_visitor! { TextMap<'a> }

/// A boolean; `null` and the text of unexpanded templates read as false, `"true"` as true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LenientBool(pub bool);

impl<'a> ValueVisitor<'a> for LenientBool {
    fn expected(&self) -> &'static str {
        "a boolean"
    }

    fn take_text(&mut self, text: &'a str) -> bool {
        self.0 = is_true(text);
        true
    }

    fn take_unescaped(&mut self, text: String) -> bool {
        self.0 = is_true(&text);
        true
    }
}

read_by_value_visitor! { LenientBool }

/// What YAML 1.1 reads as true.
fn is_true(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "yes" | "on")
}

/// Whether there is something at all, whatever it is: an `emptyDir` of no settings, a list of any
/// elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IsSet(pub(crate) bool);

impl<'a> ValueVisitor<'a> for IsSet {
    fn expected(&self) -> &'static str {
        "anything"
    }

    fn take_text(&mut self, _: &'a str) -> bool {
        self.0 = true;
        true
    }

    fn take_unescaped(&mut self, _: String) -> bool {
        self.0 = true;
        true
    }

    fn begin_map(&mut self) -> bool {
        self.0 = true;
        true
    }

    fn begin_list(&mut self) -> bool {
        true
    }

    fn element(&mut self) -> Next<'_, 'a> {
        self.0 = true;
        Next::Skip
    }
}

/// A whole number; text that is no number (a named port, an unexpanded template) reads as `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LenientInt(pub Option<i64>);

impl<'a> ValueVisitor<'a> for LenientInt {
    fn expected(&self) -> &'static str {
        "a number"
    }

    fn take_text(&mut self, text: &'a str) -> bool {
        self.0 = text.parse().ok();
        true
    }

    fn take_unescaped(&mut self, text: String) -> bool {
        self.0 = text.parse().ok();
        true
    }
}

read_by_value_visitor! { LenientInt }

#[cfg(test)]
mod tests {
    use super::super::budget::{Budget, within};
    use super::*;

    #[test]
    fn text_without_escapes_lies_inside_the_input() {
        let input = r#"["plain", null, "es\ncaped"]"#;
        let texts: Vec<LenientStr<'_>> = serde_json::from_str(input).unwrap();
        let range = input.as_bytes().as_ptr_range();
        assert!(range.contains(&texts[0].as_ptr()));
        assert_eq!(texts[1].as_str(), "");
        assert_eq!(texts[2].as_str(), "es\ncaped");
    }

    #[test]
    fn lists_and_maps_share_one_budget() {
        let size = size_of::<LenientStr<'_>>() as u64;
        let room = |count: u64| Budget {
            steps: 0,
            bytes: count * size,
        };
        let read = |text: &str| {
            serde_json::from_str::<List<LenientStr<'_>>>(text)
                .unwrap()
                .len()
        };
        let (length, spent) = within(room(3), || read("[1,2,3]"));
        assert!(length == 3 && !spent.is_exceeded());
        // What has no room is left out, and what stands behind it is still read.
        let (length, spent) = within(room(3), || read("[1,2]") + read("[1,2]"));
        assert!(length == 3 && spent.is_exceeded());
        let map = || serde_json::from_str::<TextMap<'_>>(r#"{"a":1,"b":2}"#).unwrap();
        let (map, spent) = within(room(3), map);
        assert!(map.get("b").is_none() && map.get("a") == Some("1") && spent.is_exceeded());
    }

    #[test]
    fn scalars_of_another_type_keep_their_text() {
        assert_eq!(
            serde_json::from_str::<LenientStr<'_>>("27")
                .unwrap()
                .as_str(),
            "27"
        );
        assert_eq!(
            serde_json::from_str::<LenientInt>("\"http\"").unwrap(),
            LenientInt(None)
        );
        assert_eq!(
            serde_json::from_str::<LenientBool>("\"true\"").unwrap(),
            LenientBool(true)
        );
    }
}
