//! The wire form of an AdmissionReview, read without copies; the only place that knows it.

mod head;
mod quick;
mod respond;

pub use head::Head;
pub use respond::{Answer, respond};

use quick::Unread;
use serde::Deserialize;

use crate::workload::object::Object;
use crate::workload::text::{Flag, List, Text, within};

/// A whole review.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review<'a> {
    #[serde(borrow)]
    api_version: Text<'a>,
    kind: Text<'a>,
    request: Request<'a>,
}

/// The request of a review.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    /// Identity of the review, echoed in the answer.
    #[serde(borrow)]
    pub uid: Text<'a>,
    /// The resource in the form that the webhook registered for.
    pub resource: GroupVersionResource<'a>,
    /// `ephemeralcontainers`, `resize`; empty for the object itself.
    #[serde(default)]
    pub sub_resource: Text<'a>,
    /// Absent for a CREATE that leaves the name to the API server.
    #[serde(default)]
    pub name: Text<'a>,
    /// Absent for cluster-scoped objects.
    #[serde(default)]
    pub namespace: Text<'a>,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: Text<'a>,
    /// Who writes.
    #[serde(default)]
    pub user_info: UserInfo<'a>,
    /// The object as it will be stored.
    #[serde(default)]
    pub object: Option<Object<'a>>,
    /// The object as it is stored, for an UPDATE; read only when it matters.
    #[serde(default, borrow)]
    old_object: Option<Unread<'a>>,
    /// True if the write will not be stored.
    #[serde(default)]
    pub dry_run: Flag,
}

/// A resource of the API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupVersionResource<'a> {
    /// API group; empty for the core group.
    #[serde(borrow)]
    pub group: Text<'a>,
    /// Version.
    pub version: Text<'a>,
    /// Plural name.
    pub resource: Text<'a>,
}

/// Who writes, as the API server authenticated it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UserInfo<'a> {
    /// User name.
    #[serde(borrow)]
    pub username: Text<'a>,
    /// Groups.
    pub groups: List<Text<'a>>,
}

/// The versions of `admission.k8s.io` that are spoken. They differ in nothing that undock reads or writes.
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
        [Self::V1, Self::V1Beta1].into_iter().find(|version| version.as_str() == api_version)
    }
}

/// Memory for the elements of an object's lists: a thousand containers, or some thousand variables or volumes.
/// Rules hold mounts against volumes and against each other, so twice as much takes four times as long.
const MAX_ELEMENTS: usize = 512 * 1024;

impl<'a> Request<'a> {
    /// The object as it is stored; `None` if there is none, or none that can be read.
    pub fn old_object(&self) -> Option<Object<'a>> {
        read::<Option<Object<'a>>>(self.old_object?.text()).ok().flatten()
    }
}

/// Reads a `T`, quickly if `text` has the form in which API servers send it.
fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    within(MAX_ELEMENTS, || quick::from_str(text)).or_else(|_| within(MAX_ELEMENTS, || serde_json::from_str(text)))
}

/// The text of a body.
///
/// # Errors
/// Where it is not UTF-8.
pub fn text(body: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(body).map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to()))
}

impl<'a> Review<'a> {
    /// Reads a review from its [`text`]: with the whole body checked once, the parser need not check each string.
    ///
    /// # Errors
    /// Where it is not JSON, not an AdmissionReview, or its object has a field of the wrong type. [`Head`]
    /// then tells what can be known all the same.
    pub fn parse(text: &'a str) -> Result<(Version, Request<'a>), String> {
        let review: Self = read(text).map_err(|error| without_values(&error.to_string()))?;
        let version = Version::parse(&review.api_version).filter(|_| *review.kind == *"AdmissionReview");
        let version = version.ok_or_else(|| "not an admission.k8s.io AdmissionReview of v1 or v1beta1".to_owned())?;
        Ok((version, review.request))
    }
}

/// serde's words about a value of the wrong type, without the value: secrets pass through objects.
fn without_values(error: &str) -> String {
    let quoted = error.find(": string \"").map(|at| at + ": string".len());
    match quoted.zip(error.rfind("\", expected")) {
        Some((start, end)) if start < end => format!("{}{}", &error[..start], &error[end + 1..]),
        _ => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_types_and_places_and_drop_values() {
        for (value, expected) in [
            ("\"secret\"", "invalid type: string, expected a list at line 1 column 8"),
            ("\"a\\\", expected \"", "invalid type: string, expected a list at line 1 column 16"),
            ("7", "invalid type: integer `7`, expected a list at line 1 column 1"),
        ] {
            let error = serde_json::from_str::<List<Text<'_>>>(value).unwrap_err().to_string();
            assert_eq!(without_values(&error), expected);
        }
    }
}
