//! The text of an object: borrowed, and read from whatever scalar stands there.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::ser::{Serialize, Serializer};

/// A string of the object, borrowed from the input unless an escape forced a copy.
///
/// A newtype, because serde borrows a bare `Cow` only in a direct field, not inside `Option` or
/// `Vec`. Numbers and booleans are taken as their text: YAML manifests leave out quotes, and a
/// value that the API server would refuse later must still be seen by the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LenientStr<'a>(Cow<'a, str>);

impl<'a> LenientStr<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for LenientStr<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LenientStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for LenientStr<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'a> From<&'a str> for LenientStr<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'a> From<Cow<'a, str>> for LenientStr<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl From<String> for LenientStr<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}
