//! How objects are read: one loop over the fields of any shape, from any format that serde reads.
//!
//! A shape says where the value of a key belongs; the loop takes it there. With a reader derived
//! for each type, the code for one review was several times larger than a processor's instruction
//! cache, and waiting for that code took longer than running it (`docs/performance.md`).

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::lenient_str::LenientStr;

/// Where a value of the input goes. What a place does not take is an error that names what it
/// expects.
///
/// `null` leaves every place as it is, which is empty: Go reads it so.
pub(crate) trait ValueVisitor<'a> {
    /// What belongs here, with its article.
    fn expected(&self) -> &'static str;

    /// Takes a text, a number or a boolean as it is written; false if none belongs here.
    fn take_text(&mut self, _: &'a str) -> bool {
        false
    }

    /// The same for a text that does not stand in the input so: escapes were in it, or the reader
    /// made it.
    fn take_unescaped(&mut self, _: String) -> bool {
        false
    }

    /// Begins a map; false if none belongs here.
    fn begin_map(&mut self) -> bool {
        false
    }

    /// Where the value under `key` goes.
    fn field(&mut self, _: &LenientStr<'a>) -> Next<'_, 'a> {
        Next::Skip
    }

    /// Begins a list; false if none belongs here.
    fn begin_list(&mut self) -> bool {
        false
    }

    /// Where the next element goes.
    fn element(&mut self) -> Next<'_, 'a> {
        Next::Skip
    }

    /// What to do with the value of a field that this is the place of.
    fn as_field(&mut self, number: u32) -> Next<'_, 'a>
    where
        Self: Sized,
    {
        Next::Field(number, self)
    }
}

/// What to do with the value that comes next.
pub(crate) enum Next<'p, 'a> {
    /// Jump over it.
    Skip,
    /// Take it to a place of its own.
    ValueVisitor(&'p mut dyn ValueVisitor<'a>),
    /// Take it to the place of a field, which has this number among the fields of its shape and
    /// comes once.
    Field(u32, &'p mut dyn ValueVisitor<'a>),
    /// Keep its text as it is. JSON alone can.
    Unread(&'p mut Option<&'a str>),
}

/// The text of a value that may never be needed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unread<'a>(pub(crate) Option<&'a str>);

impl<'a> ValueVisitor<'a> for Unread<'a> {
    fn expected(&self) -> &'static str {
        "anything"
    }

    fn as_field(&mut self, _: u32) -> Next<'_, 'a> {
        Next::Unread(&mut self.0)
    }
}

/// The fields of an object that have come. Of two with the same key nobody knows which one is
/// meant.
#[derive(Default)]
pub(crate) struct Seen(u64);

impl Seen {
    /// True if the field of this number comes for the first time.
    pub(crate) fn is_first(&mut self, number: u32) -> bool {
        let before = self.0;
        self.0 |= 1 << number;
        self.0 != before
    }
}

/// Takes one value to its place.
pub(crate) struct Fill<'p, 'a>(pub(crate) &'p mut dyn ValueVisitor<'a>);

impl<'a> Fill<'_, 'a> {
    fn text<E: Error>(self, text: &'a str, found: &str) -> Result<(), E> {
        if self.0.take_text(text) {
            Ok(())
        } else {
            Err(self.unexpected(found))
        }
    }

    fn unescaped<E: Error>(self, text: String, found: &str) -> Result<(), E> {
        if self.0.take_unescaped(text) {
            Ok(())
        } else {
            Err(self.unexpected(found))
        }
    }

    /// Never with the value: secrets pass through objects.
    #[cold]
    fn unexpected<E: Error>(&self, found: &str) -> E {
        E::custom(format_args!(
            "invalid type: {found}, expected {}",
            self.0.expected()
        ))
    }
}

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.expected())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.text(text, "a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        self.unescaped(text, "a string")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.text(if value { "true" } else { "false" }, "a boolean")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.unescaped(value.to_string(), "a number")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.unescaped(value.to_string(), "a number")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.unescaped(value.to_string(), "a number")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        if !self.0.begin_list() {
            return Err(self.unexpected("a list"));
        }
        while let Some(()) = sequence.next_element_seed(Element(&mut *self.0))? {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if !self.0.begin_map() {
            return Err(self.unexpected("a map"));
        }
        let mut seen = Seen::default();
        while let Some(key) = map.next_key::<LenientStr<'de>>()? {
            match self.0.field(&key) {
                Next::Skip => {
                    map.next_value::<IgnoredAny>()?;
                }
                Next::Field(number, _) if !seen.is_first(number) => {
                    return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                }
                Next::ValueVisitor(place) | Next::Field(_, place) => {
                    map.next_value_seed(Fill(place))?
                }
                Next::Unread(text) => *text = Some(map.next_value::<&RawValue>()?.get()),
            }
        }
        Ok(())
    }
}

/// Takes one element to the list: its place is made only once it is there.
struct Element<'p, 'a>(&'p mut dyn ValueVisitor<'a>);

impl<'de> DeserializeSeed<'de> for Element<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0.element() {
            Next::ValueVisitor(place) | Next::Field(_, place) => {
                Fill(place).deserialize(deserializer)
            }
            Next::Skip | Next::Unread(_) => IgnoredAny::deserialize(deserializer).map(|_| ()),
        }
    }
}

/// What may be absent; `null` is absent.
impl<'a, T: ValueVisitor<'a> + Default> ValueVisitor<'a> for Option<T> {
    fn expected(&self) -> &'static str {
        T::default().expected()
    }

    fn take_text(&mut self, text: &'a str) -> bool {
        self.get_or_insert_default().take_text(text)
    }

    fn take_unescaped(&mut self, text: String) -> bool {
        self.get_or_insert_default().take_unescaped(text)
    }

    fn begin_map(&mut self) -> bool {
        self.get_or_insert_default().begin_map()
    }

    fn field(&mut self, key: &LenientStr<'a>) -> Next<'_, 'a> {
        self.as_mut().map_or(Next::Skip, |value| value.field(key))
    }

    fn begin_list(&mut self) -> bool {
        self.get_or_insert_default().begin_list()
    }

    fn element(&mut self) -> Next<'_, 'a> {
        self.as_mut().map_or(Next::Skip, ValueVisitor::element)
    }
}

/// A pod template may hold another one.
impl<'a, T: ValueVisitor<'a>> ValueVisitor<'a> for Box<T> {
    fn expected(&self) -> &'static str {
        T::expected(self)
    }

    fn begin_map(&mut self) -> bool {
        T::begin_map(self)
    }

    fn field(&mut self, key: &LenientStr<'a>) -> Next<'_, 'a> {
        T::field(self, key)
    }
}

/// Lets serde read a type as a place of its own.
macro_rules! read_by_value_visitor {
    ($($type:ident)::+ $(<$a:lifetime>)?) => {
        impl<'de $(: $a, $a)?> serde::Deserialize<'de> for $($type)::+ $(<$a>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // With the input's own lifetime; what it borrows lives longer than is asked for.
                let mut value = $($type)::+::default();
                let fill = $crate::workload::shape::Fill(&mut value);
                serde::de::DeserializeSeed::deserialize(fill, deserializer)?;
                Ok(value)
            }
        }
    };
}

/// Declares structs, with the key of each field behind it. Fields without a key are not in the
/// input.
macro_rules! shape {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident $(<$a:lifetime>)? { $($fields:tt)* })+) => {$(
        shape! { @struct [$(#[$meta])* $vis struct $name $(<$a>)?] $($fields)* }
        shape! { @place [$name] [$($a)?] $($fields)* }
        $crate::workload::shape::read_by_value_visitor! { $name $(<$a>)? }
    )+};
    (
        @struct [$($head:tt)*]
        $($(#[$meta:meta])* $vis:vis $field:ident: $type:ty $(= $key:literal)?),* $(,)?
    ) => {
        #[derive(Debug, Default)]
        $($head)* { $($(#[$meta])* $vis $field: $type),* }
    };
    (@place [$name:ident] [] $($fields:tt)*) => {
        impl<'a> $crate::workload::shape::ValueVisitor<'a> for $name {
            shape! { @methods 'a $($fields)* }
        }
    };
    (@place [$name:ident] [$a:lifetime] $($fields:tt)*) => {
        impl<$a> $crate::workload::shape::ValueVisitor<$a> for $name<$a> {
            shape! { @methods $a $($fields)* }
        }
    };
    (
        @methods $a:lifetime
        $($(#[$meta:meta])* $vis:vis $field:ident: $type:ty $(= $key:literal)?),* $(,)?
    ) => {
        fn expected(&self) -> &'static str {
            "a map"
        }

        fn begin_map(&mut self) -> bool {
            true
        }

        fn field(
            &mut self,
            key: &$crate::workload::lenient_str::LenientStr<$a>,
        ) -> $crate::workload::shape::Next<'_, $a> {
            use $crate::workload::shape::ValueVisitor;
            #[allow(non_camel_case_types, reason = "they number the fields")]
            enum Number { $($(#[doc = $key] $field,)?)* }
            match key.as_str() {
                $($($key => ValueVisitor::as_field(&mut self.$field, Number::$field as u32),)?)*
                _ => $crate::workload::shape::Next::Skip,
            }
        }
    };
}

pub(crate) use {read_by_value_visitor, shape};

#[cfg(test)]
mod tests {
    use super::super::text::{LenientBool, LenientInt, List, TextMap};

    shape! {
        struct Thing<'a> {
            name: super::LenientStr<'a> = "name",
            flag: LenientBool = "isFlag",
            number: Option<LenientInt> = "number",
            inner: Option<Box<Thing<'a>>> = "inner",
            list: List<Thing<'a>> = "list",
            map: TextMap<'a> = "map",
            unread: u8,
        }
    }

    fn read(text: &str) -> Result<Thing<'_>, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn each_value_goes_to_its_place() {
        let thing = read(
            r#"{"x":[{}],"name":1.5,"isFlag":true,"number":7,"inner":{"name":"b"},
            "list":[{"name":"c"},null],"map":{"k":"v","k":"w"}}"#,
        );
        let thing = thing.unwrap();
        assert_eq!(
            (
                thing.name.as_str(),
                thing.flag.0,
                thing.number,
                thing.unread
            ),
            ("1.5", true, Some(LenientInt(Some(7))), 0)
        );
        assert_eq!(thing.inner.unwrap().name.as_str(), "b");
        assert_eq!(
            thing
                .list
                .iter()
                .map(|thing| thing.name.as_str())
                .collect::<Vec<_>>(),
            ["c", ""]
        );
        assert_eq!(thing.map.get("k"), Some("w"));
    }

    #[test]
    fn null_is_what_is_not_there() {
        let thing = read(
            r#"{"name":null,"isFlag":null,"number":null,"inner":null,"list":null,"map":null}"#,
        )
        .unwrap();
        assert_eq!(format!("{thing:?}"), format!("{:?}", Thing::default()));
        assert!(read(r#"{"inner":{}}"#).unwrap().inner.is_some());
    }

    #[test]
    fn a_value_of_another_kind_is_named_and_not_shown() {
        for (text, error) in [
            (
                r#"{"list":"secret"}"#,
                "invalid type: a string, expected a list",
            ),
            (
                r#"{"list":["secret"]}"#,
                "invalid type: a string, expected a map",
            ),
            (r#"{"inner":[1]}"#, "invalid type: a list, expected a map"),
            (r#"{"map":7}"#, "invalid type: a number, expected a map"),
            (r#"{"name":{}}"#, "invalid type: a map, expected a string"),
            (
                r#"{"number":[]}"#,
                "invalid type: a list, expected a number",
            ),
            (
                r#"{"isFlag":[]}"#,
                "invalid type: a list, expected a boolean",
            ),
            (
                r#"{"map":{"k":[]}}"#,
                "invalid type: a list, expected a string",
            ),
            (r#"{"name":"a","name":"b"}"#, "duplicate field `name`"),
        ] {
            let found = read(text).map(drop).unwrap_err();
            assert!(
                found.starts_with(&format!("{error} at line 1 column ")),
                "{text}: {found}"
            );
        }
    }
}
