//! The object that a person edits: the Deployment, not its ReplicaSet and not its Pods.
//!
//! For grouping only. A derived owner never makes a check be skipped (kyverno#2164 was such a bypass).

use std::borrow::Cow;

use super::object::Object;

/// An owner and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// API group; empty for the core group.
    pub group: Cow<'a, str>,
    /// Kind.
    pub kind: Cow<'a, str>,
    /// Name; the `generateName` of an object that has no name yet.
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
}

impl OwnerSource {
    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Derived => "derived",
        }
    }
}

/// The owner of `object`, by its controller reference.
///
/// A ReplicaSet of a Deployment is named `DEPLOYMENT-HASH` with the hash in the label `pod-template-hash`
/// (deployment controller), a Job of a CronJob `CRONJOB-MINUTES` (cronjob controller, minutes since 1970).
pub(super) fn of<'a>(object: &'a Object<'a>) -> Owner<'a> {
    // A mirror Pod is controlled by its Node, but what people edit is the static Pod's file.
    let controller = object
        .metadata
        .owner_references
        .iter()
        .find(|reference| reference.controller.0);
    let Some(reference) = controller.filter(|reference| *reference.kind != *"Node") else {
        return own(object);
    };
    let hash = object.metadata.labels.get("pod-template-hash");
    derive(
        &reference.api_version,
        &reference.kind,
        &reference.name,
        hash,
    )
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

/// What a person edits, told from the controller of an object and from the object's label `pod-template-hash`.
pub(crate) fn derive<'a>(
    api_version: &'a str,
    kind: &'a str,
    name: &'a str,
    hash: Option<&str>,
) -> Owner<'a> {
    let derived = |group: &'a str, kind: &'a str, name: &'a str| Owner {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        source: OwnerSource::Derived,
    };
    match kind {
        "ReplicaSet" => {
            let hash = hash.filter(|hash| !hash.is_empty());
            let deployment = hash
                .and_then(|hash| name.strip_suffix(hash))
                .and_then(|rest| rest.strip_suffix('-'));
            match deployment {
                Some(deployment) => derived("apps", "Deployment", deployment),
                None => derived("apps", "ReplicaSet", name),
            }
        }
        "Job" => match name.rsplit_once('-') {
            Some((cron_job, minutes))
                if minutes.len() >= 8 && minutes.bytes().all(|b| b.is_ascii_digit()) =>
            {
                derived("batch", "CronJob", cron_job)
            }
            _ => derived("batch", "Job", name),
        },
        kind => derived(group_of(api_version), kind, name),
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
