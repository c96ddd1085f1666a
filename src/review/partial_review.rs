//! What can be known of a review that cannot be read as a whole: cut off, too large, or with a
//! broken object.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::Version;
use crate::workload::text::LenientStr;

/// The fields are looked for in the beginning of a body: of a large one that could not be evaluated
/// in time, the rest is not worth more time.
const MAX_HEAD: usize = 1024 * 1024;

/// The fields around the object. kube-apiserver writes them before it, so they survive a cut.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PartialReview {
    api_version: String,
    kind: String,
    /// Identity of the review; empty if it was not reached.
    pub uid: String,
    /// API group of the resource.
    pub group: String,
    /// Plural name of the resource.
    pub resource: String,
    /// Subresource.
    pub sub_resource: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Operation.
    pub operation: String,
    /// User name.
    pub user: String,
    /// Groups of the user.
    pub groups: Vec<LenientStr<'static>>,
    /// True if the write will not be stored.
    pub dry_run: bool,
    /// True if the object is marked for deletion.
    pub is_being_deleted: bool,
}

impl PartialReview {
    /// Reads as far as `body` makes sense. Of objects only the deletion mark is
    /// read, whatever their depth.
    pub fn read(body: &[u8]) -> Self {
        let mut partial = Self::default();
        let body = &body[..body.len().min(MAX_HEAD)];
        let mut json = serde_json::Deserializer::from_slice(body);
        // The error says where the body breaks, which the caller knows already; what was read
        // before it counts.
        let _ = Fields {
            partial: &mut partial,
            level: Level::Review,
        }
        .deserialize(&mut json);
        partial
    }

    /// The version to answer in, if this is the head of a review that can be answered at all.
    pub fn version(&self) -> Option<Version> {
        // `kind` comes first in Go's encoding; a review that was cut before it has no uid either.
        let is_review = self.kind.is_empty() || self.kind == "AdmissionReview";
        Version::parse(&self.api_version).filter(|_| is_review && !self.uid.is_empty())
    }
}

#[derive(Clone, Copy)]
enum Level {
    Review,
    Request,
    Resource,
    User,
    Object,
    Metadata,
}

struct Fields<'h> {
    partial: &'h mut PartialReview,
    level: Level,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// An object that is not there.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let partial = self.partial;
        while let Some(key) = map.next_key::<String>()? {
            let target = match (self.level, key.as_str()) {
                (Level::Review, "apiVersion") => &mut partial.api_version,
                (Level::Review, "kind") => &mut partial.kind,
                (Level::Request, "uid") => &mut partial.uid,
                (Level::Request, "subResource") => &mut partial.sub_resource,
                (Level::Request, "namespace") => &mut partial.namespace,
                (Level::Request, "name") => &mut partial.name,
                (Level::Request, "operation") if !partial.operation.is_empty() => {
                    // Of two nobody knows which one is meant, and one of them may be let through
                    // unread.
                    partial.operation.clear();
                    return Ok(());
                }
                (Level::Request, "operation") => &mut partial.operation,
                (Level::Resource, "group") => &mut partial.group,
                (Level::Resource, "resource") => &mut partial.resource,
                (Level::User, "username") => &mut partial.user,
                (level, key) => {
                    match (level, key) {
                        (Level::Request, "dryRun") => {
                            partial.dry_run = map.next_value::<Option<bool>>()?.unwrap_or_default();
                            continue;
                        }
                        (Level::User, "groups") => {
                            let groups = map.next_value::<Option<Vec<String>>>()?;
                            partial.groups =
                                groups.into_iter().flatten().map(LenientStr::from).collect();
                            continue;
                        }
                        (Level::Metadata, "deletionTimestamp") => {
                            let time = map.next_value::<Option<String>>()?.unwrap_or_default();
                            partial.is_being_deleted = !time.is_empty();
                            continue;
                        }
                        _ => {}
                    }
                    let inner = match (level, key) {
                        (Level::Review, "request") => Some(Level::Request),
                        (Level::Request, "resource") => Some(Level::Resource),
                        (Level::Request, "userInfo") => Some(Level::User),
                        (Level::Request, "object") => Some(Level::Object),
                        (Level::Object, "metadata") => Some(Level::Metadata),
                        _ => None,
                    };
                    match inner {
                        Some(level) => map.next_value_seed(Fields { partial, level })?,
                        None => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                    continue;
                }
            };
            *target = map.next_value()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",
        "request":{"uid":"u-1","resource":{"group":"","version":"v1","resource":"pods"},
        "namespace":"ci","operation":"CREATE","userInfo":{"username":"me","groups":["dev"]},
        "object":{"metadata":{"deletionTimestamp":"2026-11-28T00:00:00Z"},
        "spec":{"containers":"x"}},"oldObject":null,"dryRun":true}}"#;

    #[test]
    fn every_cut_keeps_what_came_before_it() {
        for end in 0..=BODY.len() {
            let partial = PartialReview::read(&BODY.as_bytes()[..end]);
            let uid_ends = BODY.find("u-1\"").unwrap() + 4;
            assert_eq!(partial.version().is_some(), end >= uid_ends, "cut at {end}");
        }
        let whole = PartialReview::read(BODY.as_bytes());
        assert_eq!(
            (
                whole.uid.as_str(),
                whole.resource.as_str(),
                whole.user.as_str()
            ),
            ("u-1", "pods", "me")
        );
        assert_eq!(whole.groups, [LenientStr::from("dev")]);
        assert!(whole.is_being_deleted && whole.dry_run);
        let alive = BODY.replace("\"2026-11-28T00:00:00Z\"", "null");
        assert!(!PartialReview::read(alive.as_bytes()).is_being_deleted);
    }

    #[test]
    fn depth_and_bad_utf8_in_the_object_do_not_matter() {
        let deep = BODY.replace(
            "\"x\"",
            &format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)),
        );
        assert_eq!(PartialReview::read(deep.as_bytes()).uid, "u-1");
        let mut bytes = BODY.as_bytes().to_vec();
        let at = BODY.find("\"x\"").unwrap() + 1;
        bytes[at] = 0xff;
        assert_eq!(PartialReview::read(&bytes).namespace, "ci");
    }

    #[test]
    fn other_kinds_and_versions_are_not_reviews() {
        assert_eq!(
            PartialReview::read(BODY.replace("AdmissionReview", "Pod").as_bytes()).version(),
            None
        );
        assert_eq!(
            PartialReview::read(BODY.replace("io/v1\"", "io/v2\"").as_bytes()).version(),
            None
        );
        assert_eq!(PartialReview::read(b"[]").version(), None);
    }
}
