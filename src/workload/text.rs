//! The leaf types that objects are read into: borrowed text, lists that may be null, tolerant flags and numbers.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A string of the object, borrowed from the input unless an escape forced a copy.
///
/// A newtype, because serde borrows a bare `Cow` only in a direct field, not inside `Option` or `Vec`.
/// Numbers and booleans are taken as their text: YAML manifests leave out quotes, and a value
/// that the API server would refuse later must still be seen by the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.visit_string(value.to_string())
    }
}

thread_local! {
    /// Bytes that lists and maps may still take.
    static ROOM: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Runs `read` with `room` bytes for the elements of all lists and maps together; what needs more is an error.
///
/// `[{},{},…]` takes a hundred times its own size once it is read, and rules compare lists with lists: without
/// a limit one body of a few MiB costs gigabytes and seconds.
pub(crate) fn within<T>(room: usize, read: impl FnOnce() -> T) -> T {
    let before = ROOM.replace(room);
    let value = read();
    ROOM.set(before);
    value
}

fn take_room<E: Error>(bytes: usize) -> Result<(), E> {
    match ROOM.get().checked_sub(bytes) {
        Some(left) => {
            ROOM.set(left);
            Ok(())
        }
        None => Err(E::custom("more list elements than any real object has")),
    }
}

/// A list that reads `null` as empty, as Go does; the API server and hand-written manifests both send nulls.
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
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            take_room(size_of::<T>())?;
            items.push(item);
        }
        Ok(List(items))
    }
}

/// Reads `null` as the default, for structs that are not optional.
pub(crate) fn null_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether an annotation is kept. Most are not: `last-applied-configuration` alone is as large as its
/// object, and unescaping it would cost more than all rules together.
fn wanted_annotation(key: &str) -> bool {
    const PREFIXES: [&str; 3] = ["exempt.undock.dev/", "meta.helm.sh/", "kubernetes.io/config.mirror"];
    PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || key.contains("seccomp.security.alpha.kubernetes.io/")
}

/// Annotations that rules, exemptions and attribution read; all others are skipped unread.
#[derive(Clone, Debug, Default)]
pub struct Annotations<'a>(TextMap<'a>);

impl<'a> Deref for Annotations<'a> {
    type Target = TextMap<'a>;

    fn deref(&self) -> &TextMap<'a> {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Annotations<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MapVisitor { wanted: wanted_annotation }).map(Self)
    }
}

/// A string map (labels, selectors) in the order of the input; `null` reads as empty.
#[derive(Clone, Debug, Default)]
pub struct TextMap<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'a> TextMap<'a> {
    /// The value under `key`; the last one where the key is repeated.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().rev().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// All pairs.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextMap<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MapVisitor { wanted: |_| true })
    }
}

struct MapVisitor {
    wanted: fn(&str) -> bool,
}

impl<'de> Visitor<'de> for MapVisitor {
    type Value = TextMap<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of strings")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(TextMap::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if (self.wanted)(&key) {
                take_room(size_of::<(Text<'_>, Text<'_>)>())?;
                pairs.push((key, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(TextMap(pairs))
    }
}

/// A boolean; `null` and the text of unexpanded templates read as false, `"true"` as true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        Ok(Self(matches!(text.as_str(), "true" | "True" | "TRUE" | "yes" | "on")))
    }
}

/// A whole number; text that is no number (a named port, an unexpanded template) reads as `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Int(pub Option<i64>);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        Ok(Self(text.parse().ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_escapes_lies_inside_the_input() {
        let input = r#"["plain", null, "es\ncaped"]"#;
        let texts: Vec<Text<'_>> = serde_json::from_str(input).unwrap();
        let range = input.as_bytes().as_ptr_range();
        assert!(range.contains(&texts[0].as_ptr()));
        assert_eq!(texts[1].as_str(), "");
        assert_eq!(texts[2].as_str(), "es\ncaped");
    }

    #[test]
    fn null_lists_and_maps_are_empty_and_wrong_shapes_are_errors() {
        assert!(serde_json::from_str::<List<Text<'_>>>("null").unwrap().is_empty());
        assert!(serde_json::from_str::<TextMap<'_>>("null").unwrap().iter().next().is_none());
        let error = serde_json::from_str::<List<Text<'_>>>("\"x\"").unwrap_err().to_string();
        assert!(error.contains("expected a list"), "{error}");
    }

    #[test]
    fn lists_and_maps_share_one_room() {
        let read = |text: &str| serde_json::from_str::<List<Text<'_>>>(text).map(|list| list.len());
        let size = size_of::<Text<'_>>();
        assert_eq!(within(3 * size, || read("[1,2,3]")).unwrap(), 3);
        let error = within(3 * size, || read("[1,2]").and_then(|_| read("[1,2]"))).unwrap_err();
        assert!(error.to_string().contains("more list elements"), "{error}");
        assert!(within(3 * size, || serde_json::from_str::<TextMap<'_>>(r#"{"a":1,"b":2}"#)).is_err());
        assert_eq!(read("[1,2,3,4]").unwrap(), 4, "outside there is no limit");
    }

    #[test]
    fn scalars_of_another_type_keep_their_text() {
        assert_eq!(serde_json::from_str::<Text<'_>>("27").unwrap().as_str(), "27");
        assert_eq!(serde_json::from_str::<Int>("\"http\"").unwrap(), Int(None));
        assert_eq!(serde_json::from_str::<Flag>("\"true\"").unwrap(), Flag(true));
    }
}
