//! The wire form of an AdmissionReview, read without copies; the only place that knows it.

mod partial_review;
mod quick;
mod respond;

pub use partial_review::PartialReview;
pub use respond::{Answer, respond};

use serde::de::DeserializeSeed;

use crate::workload::budget::{Budget, Spent, within};
use crate::workload::object::Object;
use crate::workload::shape::{Fill, Unread, ValueVisitor, shape};
use crate::workload::text::{LenientBool, LenientStr, List};

shape! {
    /// A whole review.
    pub struct Review<'a> {
        api_version: LenientStr<'a> = "apiVersion",
        kind: LenientStr<'a> = "kind",
        /// In a box, because it is large and handed on.
        request: Option<Box<Request<'a>>> = "request",
    }

    /// The request of a review.
    pub struct Request<'a> {
        /// Identity of the review, echoed in the answer.
        pub uid: LenientStr<'a> = "uid",
        /// The resource in the form that the webhook registered for.
        pub resource: GroupVersionResource<'a> = "resource",
        /// `ephemeralcontainers`, `resize`; empty for the object itself.
        pub sub_resource: LenientStr<'a> = "subResource",
        /// Absent for a CREATE that leaves the name to the API server.
        pub name: LenientStr<'a> = "name",
        /// Absent for cluster-scoped objects.
        pub namespace: LenientStr<'a> = "namespace",
        /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
        pub operation: LenientStr<'a> = "operation",
        /// Who writes.
        pub user_info: UserInfo<'a> = "userInfo",
        /// The object as it will be stored.
        pub object: Option<Object<'a>> = "object",
        /// The object as it is stored, for an UPDATE; read only when it matters.
        old_object: Unread<'a> = "oldObject",
        /// True if the write will not be stored.
        pub dry_run: LenientBool = "dryRun",
        /// List elements of the object are left out, because there was no room for them.
        pub is_cut: bool,
    }

    /// A resource of the API.
    pub struct GroupVersionResource<'a> {
        /// API group; empty for the core group.
        pub group: LenientStr<'a> = "group",
        /// Version.
        pub version: LenientStr<'a> = "version",
        /// Plural name.
        pub resource: LenientStr<'a> = "resource",
    }

    /// Who writes, as the API server authenticated it.
    pub struct UserInfo<'a> {
        /// User name.
        pub username: LenientStr<'a> = "username",
        /// Groups.
        pub groups: List<LenientStr<'a>> = "groups",
    }
}

/// The versions of `admission.k8s.io` that are spoken. They differ in nothing that undock reads or
/// writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `admission.k8s.io/v1`
    V1,
    /// `admission.k8s.io/v1beta1`, from API servers before 1.16 and webhooks registered for it.
    V1Beta1,
}

impl Version {
    /// The `apiVersion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "admission.k8s.io/v1",
            Self::V1Beta1 => "admission.k8s.io/v1beta1",
        }
    }

    fn parse(api_version: &str) -> Option<Self> {
        [Self::V1, Self::V1Beta1]
            .into_iter()
            .find(|version| version.as_str() == api_version)
    }
}

impl<'a> Request<'a> {
    /// The object as it is stored, and whether all of it was read; `None` if there is none, or none
    /// that can be read.
    pub fn old_object(&self) -> Option<(Object<'a>, bool)> {
        let (object, spent) = read::<Option<Object<'a>>>(self.old_object.0?).ok()?;
        Some((object?, !spent.is_exceeded()))
    }
}

/// Reads a `T`, quickly if `text` has the form in which API servers send it. List elements for
/// which the budget has no bytes are left out.
fn read<'a, T: ValueVisitor<'a> + Default>(text: &'a str) -> Result<(T, Spent), serde_json::Error> {
    let mut value = T::default();
    if let (Ok(()), spent) = within(Budget::READING, || quick::fill(text, &mut value)) {
        return Ok((value, spent));
    }
    let mut value = T::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let (read, spent) = within(Budget::READING, || Fill(&mut value).deserialize(&mut json));
    read?;
    json.end()?;
    Ok((value, spent))
}

/// The text of a body.
///
/// # Errors
/// Where it is not UTF-8.
pub fn text(body: &[u8]) -> Result<&str, String> {
    // The quicker check does not tell where the fault is.
    simdutf8::basic::from_utf8(body)
        .or_else(|_| std::str::from_utf8(body))
        .map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to()))
}

impl<'a> Review<'a> {
    /// Reads a review from its [`text`]: with the whole body checked once, the parser need not
    /// check each string.
    ///
    /// # Errors
    /// Where it is not JSON, not an AdmissionReview, or its object has a field of the wrong type.
    /// [`PartialReview`] then tells what can be known all the same.
    pub fn parse(text: &'a str) -> Result<(Version, Box<Request<'a>>), String> {
        let (review, spent) = read::<Self>(text).map_err(|error| error.to_string())?;
        let version =
            Version::parse(&review.api_version).filter(|_| *review.kind == *"AdmissionReview");
        let version = version.ok_or("not an admission.k8s.io AdmissionReview of v1 or v1beta1")?;
        let mut request = review.request.ok_or("there is no request")?;
        request.is_cut = spent.is_exceeded();
        for (field, value) in [
            ("uid", &request.uid),
            ("operation", &request.operation),
            ("resource", &request.resource.resource),
        ] {
            if value.is_empty() {
                return Err(format!("request.{field} is empty"));
            }
        }
        match &*request.operation {
            "CREATE" | "UPDATE" | "DELETE" | "CONNECT" => Ok((version, request)),
            _ => Err("request.operation is none of CREATE, UPDATE, DELETE and CONNECT".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_types_and_places_and_no_values() {
        let head = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":"#;
        let request = r#"{"uid":"u","resource":{"resource":"pods"},"operation":"CREATE","object":"#;
        for (rest, expected) in [
            (
                "\"secret\"}".to_owned(),
                "invalid type: a string, expected a map at line 1 column 79",
            ),
            (
                format!("{request}\"secret\"}}}}"),
                "invalid type: a string, expected a map at line 1 column 151",
            ),
            (
                format!("{request}{{\"spec\":[]}}}}}}"),
                "invalid type: a list, expected a map at line 1 column 153",
            ),
            ("null}".to_owned(), "there is no request"),
            ("{}}".to_owned(), "request.uid is empty"),
            (r#"{"uid":"u"}}"#.to_owned(), "request.operation is empty"),
            (
                r#"{"uid":"u","operation":"CREATE","resource":{}}}"#.to_owned(),
                "request.resource is empty",
            ),
            (
                r#"{"uid":"u","operation":"create","resource":{"resource":"pods"}}}"#.to_owned(),
                "request.operation is none of CREATE, UPDATE, DELETE and CONNECT",
            ),
        ] {
            assert_eq!(
                Review::parse(&format!("{head}{rest}")).unwrap_err(),
                expected,
                "{rest}"
            );
        }
    }
}
