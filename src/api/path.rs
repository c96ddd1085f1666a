//! Paths of the Kubernetes API. Every segment is percent-encoded: no name can lead to another path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::kinds::{Handling, Kind};

/// The path of the resource `plural`: of all namespaces or of one, of all objects or of one. Empty
/// parts are left out; an empty `group` is the core group.
pub fn resource(group: &str, version: &str, namespace: &str, plural: &str, name: &str) -> String {
    let mut path = String::from(if group.is_empty() { "/api" } else { "/apis" });
    let namespaces = if namespace.is_empty() {
        ""
    } else {
        "namespaces"
    };
    for segment in [group, version, namespaces, namespace, plural, name] {
        if !segment.is_empty() {
            path.push('/');
            path.push_str(&encode(segment));
        }
    }
    path
}

/// Path of the list of `kind`, in `namespace` unless that is empty; for namespaces the path of that
/// one.
pub fn list_path(kind: &Kind, namespace: &str) -> String {
    let (namespace, name) = match kind.handling {
        Handling::Namespace => ("", namespace),
        _ if kind.is_namespaced => (namespace, ""),
        _ => ("", ""),
    };
    resource(kind.group, &kind.version, namespace, kind.plural, name)
}

/// What stands for itself in a segment of a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `text` as one segment of a path or one value of a query.
pub fn encode(text: &str) -> String {
    match text {
        // A segment of dots alone would be a step in the tree of paths.
        "." | ".." => utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        _ => utf8_percent_encode(text, PLAIN).to_string(),
    }
}

/// True for a DNS label (RFC 1123), which every name of a namespace is.
pub fn is_dns_label(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| is_plain(byte) || byte == b'-')
        && name.bytes().next().is_some_and(is_plain)
        && name.bytes().next_back().is_some_and(is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let path = |group, namespace, name| resource(group, "v1", namespace, "pods", name);
        assert_eq!(path("", "", ""), "/api/v1/pods");
        assert_eq!(
            path("apps", "ci", "x"),
            "/apis/apps/v1/namespaces/ci/pods/x"
        );
        assert_eq!(
            path("", "kube-system/configmaps?x=", ".."),
            "/api/v1/namespaces/kube-system%2Fconfigmaps%3Fx%3D/pods/%2E%2E"
        );
    }

    proptest! {
        #[test]
        fn no_name_leads_elsewhere(namespace in ".{1,80}", name in ".{1,80}") {
            let path = resource("", "v1", &namespace, "pods", &name);
            let uri: hyper::Uri = path.parse().unwrap();
            prop_assert_eq!(uri.path(), path.as_str());
            prop_assert_eq!(uri.query(), None);
            let segments: Vec<&str> = uri.path().split('/').collect();
            prop_assert_eq!(segments.len(), 7);
            prop_assert!(segments.iter().all(|segment| !matches!(*segment, "." | "..")));
            prop_assert_eq!(segments[3], "namespaces");
            prop_assert_eq!(segments[5], "pods");
        }

        #[test]
        fn a_dns_label_needs_no_encoding(name in ".{0,70}") {
            prop_assert!(!is_dns_label(&name) || encode(&name) == name);
        }
    }

    #[test]
    fn labels_are_told_from_other_names() {
        for good in ["a", "kube-system", "0x", &"a".repeat(63)] {
            assert!(is_dns_label(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a.b",
            "a/b",
            "a?b",
            "ä",
            &"a".repeat(64),
        ] {
            assert!(!is_dns_label(bad), "{bad}");
        }
    }
}
