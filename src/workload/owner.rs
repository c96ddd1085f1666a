//! The object that a person edits: the Deployment, not its ReplicaSet and not its Pods.
//!
//! For grouping only. A derived owner never makes a check be skipped (kyverno#2164 was such a
//! bypass).

use std::borrow::Cow;

use super::object::Object;

/// An owner and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// API group; empty for the core group.
    pub group: Cow<'a, str>,
    /// Kind.
    pub kind: Cow<'a, str>,
    /// Name; of a series, what its names have in common, with `*` for the rest.
    pub name: Cow<'a, str>,
    /// How it was found.
    pub source: OwnerSource,
}

/// How an owner was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerSource {
    /// The object itself.
    Own,
    /// From the owner reference, and from the names that the built-in controllers give.
    Derived,
    /// The maker of a series, of which the object is one.
    Series,
}

impl OwnerSource {
    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Derived => "derived",
            Self::Series => "series",
        }
    }
}

/// `object` as its own owner.
pub(super) fn own<'a>(object: &'a Object<'a>) -> Owner<'a> {
    Owner {
        group: group_of(&object.api_version).into(),
        kind: object.kind.as_str().into(),
        name: own_name(object).into(),
        source: OwnerSource::Own,
    }
}

/// The object's name, else its `generateName`.
pub(super) fn own_name<'a>(object: &'a Object<'a>) -> &'a str {
    let metadata = &object.metadata;
    if metadata.name.is_empty() {
        &metadata.generate_name
    } else {
        &metadata.name
    }
}

/// The group of an `apiVersion`.
pub(crate) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}
