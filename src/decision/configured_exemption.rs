//! Exemptions of the configuration file, and the patterns that say whom they are for.

use super::exemption::Exemption;
use super::{Requester, controllers};
use crate::workload::Workload;
use crate::workload::owner::OwnerSource;

/// An exemption of the configuration file, with whom it is for. An empty list is for everybody.
#[derive(Clone, Debug)]
pub struct ConfiguredExemption {
    /// What is exempt, and its terms.
    pub exemption: Exemption,
    /// Namespaces, as patterns with `*`.
    pub namespaces: Vec<String>,
    /// Owners as `KIND/NAME`, as patterns.
    pub owners: Vec<String>,
    /// User names, as patterns.
    pub users: Vec<String>,
    /// Groups, as patterns.
    pub groups: Vec<String>,
    /// Images, as patterns; all images of the object must match one.
    pub images: Vec<String>,
}

impl ConfiguredExemption {
    /// True if it is for this object, written by `requester`.
    pub(super) fn is_for(&self, workload: &Workload<'_>, requester: Requester<'_>) -> bool {
        let owner = format!("{}/{}", workload.owner.kind, workload.owner.name);
        // Of an object that was not read as a whole, an image may be missing here.
        let has_images = self.images.is_empty()
            || !workload.is_cut && (workload.images()).all(|image| any(&self.images, image));
        self.is_for_writer(workload.namespace, requester)
            && (self.owners.is_empty()
                || any(&self.owners, &owner) && is_owner_proven(workload, requester))
            && has_images
    }

    /// True if it is for whatever `requester` writes in `namespace`.
    pub(super) fn is_for_unread(&self, namespace: &str, requester: Requester<'_>) -> bool {
        self.is_for_writer(namespace, requester) && self.owners.is_empty() && self.images.is_empty()
    }

    /// True if it is for some writers alone.
    pub(super) fn is_for_writers(&self) -> bool {
        !(self.users.is_empty() && self.groups.is_empty())
    }

    fn is_for_writer(&self, namespace: &str, requester: Requester<'_>) -> bool {
        let in_groups = self.groups.is_empty()
            || requester
                .groups
                .iter()
                .any(|group| any(&self.groups, group));
        any(&self.namespaces, namespace) && any(&self.users, requester.user) && in_groups
    }
}

/// True if the owner of `workload` is more than an owner reference says, which anybody can write:
/// what built-in controllers make for an owner, they write themselves. Of other owners there is no
/// such proof, and none where nobody is writing.
fn is_owner_proven(workload: &Workload<'_>, requester: Requester<'_>) -> bool {
    let reference = workload.controller();
    let is_built_in = reference.is_some_and(|reference| controllers::is_owner(&reference.kind));
    requester.user.is_empty()
        || workload.owner.source != OwnerSource::Derived
        || !is_built_in
        || controllers::owner_of(workload, requester).is_some()
}

/// True if one of `patterns` fits `text`; none fits everything.
fn any(patterns: &[String], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
}

/// True if `text` fits `pattern`, in which `*` stands for any characters. Linear in both.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = pattern.rsplit_once('*').map(|(_, last)| last) else {
        return rest.is_empty();
    };
    let middle: Vec<&str> = parts.collect();
    for part in &middle[..middle.len() - 1] {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("ci", "ci", true),
            ("ci", "cix", false),
            ("ci-*", "ci-a", true),
            ("*", "", true),
            ("*-ci", "a-ci", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("**x**", "x", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
