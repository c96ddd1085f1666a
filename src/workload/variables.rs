//! The environment of a container as kubelet makes it, and `$(NAME)` filled in as kubelet does.
//!
//! Sources: kubernetes/kubernetes third_party/forked/golang/expansion/expand.go, and
//! `makeEnvironmentVariables` of pkg/kubelet/kubelet_pods.go: variables are made in the order of
//! the list, each from those before it, and of two with one name the later counts.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

use super::budget::{self, spend};
use super::object::{self, Metadata, Spec};

/// Longest argument or `NAME=value` with which Linux starts a program (`MAX_ARG_STRLEN`); with more
/// the container fails.
const MAX_STRING: usize = 128 * 1024;

/// Bytes that the variables and texts of one Pod may grow to. Linux starts no program with more
/// than 6 MiB.
pub(super) const MAX_EXPANDED: usize = 8 * 1024 * 1024;

/// What it costs to fill in a reference, and the bytes that one more step pays for.
const REFERENCE_STEPS: usize = 6;
const COPIED_AT_ONCE: usize = 64;

/// The node's address and name, by the fields of the downward API that hold them.
pub(crate) const NODE_FIELDS: [&str; 4] = [
    "$(status.hostIP)",
    "$(status.hostIPs)",
    "$(spec.nodeName)",
    "$(spec.host)",
];

/// What is known of the Pod itself, for the downward API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    /// Empty where the name is made up later.
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    /// Labels and annotations, which a Pod has from its template.
    pub(crate) metadata: Option<&'a Metadata<'a>>,
}

/// A text with its references filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expanded<'a> {
    /// What the object does not show stands there as `$(NAME)`, the node's address or name as in
    /// [`NODE_FIELDS`].
    pub(crate) text: Cow<'a, str>,
    /// True if something stands there that the object does not show.
    pub(crate) is_open: bool,
}

impl<'a> Expanded<'a> {
    fn known(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            is_open: false,
        }
    }

    /// The value of `name`, or of the field `name` of the node, which the object does not show.
    fn open(name: &str) -> Self {
        Self {
            text: Cow::Owned(format!("$({name})")),
            is_open: true,
        }
    }
}

/// The variables of one container.
#[derive(Debug)]
pub(crate) struct Variables<'a> {
    values: Vec<Expanded<'a>>,
    last: HashMap<&'a str, usize>,
}

impl<'a> Variables<'a> {
    /// The variables of `container` in a Pod of `spec`. What they grow by is taken from `room`.
    pub(crate) fn of(
        container: &'a object::Container<'a>,
        spec: &'a Spec<'a>,
        identity: Identity<'a>,
        room: &Cell<usize>,
    ) -> Self {
        let mut variables = Self {
            values: Vec::with_capacity(container.env.len()),
            last: HashMap::with_capacity(container.env.len()),
        };
        for (index, variable) in container.env.iter().enumerate() {
            let value = match &variable.value_from {
                Some(source) if variable.value.is_empty() => match &source.field_ref {
                    Some(field) => field_value(&field.field_path, spec, identity)
                        .unwrap_or_else(|| Expanded::open(&variable.name)),
                    None => Expanded::open(&variable.name),
                },
                _ => expand(&variable.value, |name| variables.get(name), room)
                    .unwrap_or_else(|| Expanded::open(&variable.name)),
            };
            variables.values.push(value);
            variables.last.insert(&variable.name, index);
        }
        variables
    }

    /// The variables of `container` as they are written, which is what probes get.
    pub(crate) fn as_written(container: &'a object::Container<'a>) -> Self {
        let variables = container.env.iter();
        Self {
            values: variables
                .clone()
                .map(|variable| Expanded::known(&variable.value))
                .collect(),
            last: variables
                .enumerate()
                .map(|(index, variable)| (variable.name.as_str(), index))
                .collect(),
        }
    }

    /// The variable `name`, if its value is not one that can change after the review: the variables
    /// of `container`, see [`object::EnvVar::can_change`].
    pub(crate) fn get_lasting(
        &self,
        container: &object::Container<'_>,
        name: &str,
    ) -> Option<&Expanded<'a>> {
        let index = self.last.get(name)?;
        let can_change = container
            .env
            .get(*index)
            .is_some_and(object::EnvVar::can_change);
        self.values.get(*index).filter(|_| !can_change)
    }

    /// The variable `name` as the container sees it, if the object sets it.
    pub(crate) fn get(&self, name: &str) -> Option<&Expanded<'a>> {
        self.last.get(name).map(|&index| &self.values[index])
    }

    /// The values, in the order of the list.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Expanded<'a>> {
        self.values.iter()
    }

    /// The value of `env[index]`, where the list has one.
    pub(crate) fn at(&self, index: usize) -> Option<&Expanded<'a>> {
        self.values.get(index)
    }
}

/// A field of the Pod as the downward API gives it (kubernetes/kubernetes:
/// pkg/fieldpath/fieldpath.go, and `podFieldSelectorRuntimeValue`); `None` where it is not known
/// before the Pod runs.
fn field_value<'a>(path: &str, spec: &'a Spec<'a>, identity: Identity<'a>) -> Option<Expanded<'a>> {
    let given = |text: &'a str| (!text.is_empty()).then(|| Expanded::known(text));
    let subscript = path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"));
    if let Some((map, key)) = subscript {
        let metadata = identity.metadata?;
        let pairs = match map {
            "metadata.labels" => &metadata.labels,
            "metadata.annotations" => &metadata.annotations,
            _ => return None,
        };
        // An object has few of either, and of as many as there can be hardly any is asked for.
        if !spend(pairs.len()) {
            return None;
        }
        return pairs.get(key).and_then(given);
    }
    match path {
        "metadata.name" => given(identity.name),
        "metadata.namespace" => given(identity.namespace),
        "spec.serviceAccountName" => given(&spec.service_account_name),
        "status.hostIP" | "status.hostIPs" | "spec.nodeName" | "spec.host" => {
            Some(Expanded::open(path))
        }
        "status.podIP" | "status.podIPs" if spec.host_network.0 => {
            Some(Expanded::open("status.hostIP"))
        }
        _ => None,
    }
}

/// `text` with the references that `value_of` knows filled in, by the rules of Kubernetes:
/// `$(NAME)` of an unknown name stays as it is, `$$` is `$`, and what a value brings in is not
/// looked at again. `None` if the result is longer than any program's argument, or `room` is used
/// up.
pub(crate) fn expand<'a, 'v>(
    text: &'a str,
    value_of: impl Fn(&str) -> Option<&'v Expanded<'v>>,
    room: &Cell<usize>,
) -> Option<Expanded<'a>> {
    if !text.contains('$') {
        return Some(Expanded::known(text));
    }
    let (mut expanded, mut is_open, mut rest) = (String::new(), false, text);
    let take = |expanded: &mut String, part: &str| {
        let fits = expanded.len() + part.len() <= MAX_STRING.max(text.len())
            && spend(part.len() / COPIED_AT_ONCE);
        if fits {
            expanded.push_str(part);
        }
        fits
    };
    // Without a closing parenthesis in the rest no reference is whole, and it need not be looked
    // for again.
    let mut is_closed = true;
    while let Some(at) = rest.find('$') {
        if !spend(REFERENCE_STEPS) {
            return None;
        }
        let (front, reference) = rest.split_at(at);
        let behind = &reference[1..];
        let mut fits = take(&mut expanded, front);
        if let Some(after) = behind.strip_prefix('$') {
            fits &= take(&mut expanded, "$");
            rest = after;
        } else if let Some(inner) = behind.strip_prefix('(').filter(|_| is_closed) {
            let Some((name, after)) = inner.split_once(')') else {
                is_closed = false;
                rest = reference;
                continue;
            };
            match value_of(name) {
                Some(value) => {
                    is_open |= value.is_open;
                    fits &= take(&mut expanded, &value.text);
                }
                None => {
                    is_open = true;
                    fits &= take(&mut expanded, &reference[..name.len() + 3]);
                }
            }
            rest = after;
        } else {
            fits &= take(&mut expanded, "$");
            rest = behind;
        }
        if !fits {
            return None;
        }
    }
    if !take(&mut expanded, rest) {
        return None;
    }
    let Some(left) = room.get().checked_sub(expanded.len()) else {
        budget::exceed();
        return None;
    };
    room.set(left);
    Some(Expanded {
        text: Cow::Owned(expanded),
        is_open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::object::Object;

    /// The cases of Kubernetes' own test (third_party/forked/golang/expansion/expand_test.go).
    #[test]
    fn references_are_filled_in_as_kubernetes_does() {
        let values = [
            ("VAR_A", "A"),
            ("VAR_B", "B"),
            ("VAR_C", "C"),
            ("VAR_REF", "$(VAR_A)"),
            ("VAR_EMPTY", ""),
        ]
        .map(|(name, value)| (name, Expanded::known(value)));
        let value_of = |name: &str| {
            let found = values.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| value)
        };
        let room = Cell::new(MAX_EXPANDED);
        for (text, expected) in [
            ("$(VAR_A)", "A"),
            ("___$(VAR_B)___", "___B___"),
            ("$(VAR_A)-$(VAR_A)", "A-A"),
            ("$(VAR_A)-1", "A-1"),
            ("$(VAR_A)_$(VAR_B)_$(VAR_C)", "A_B_C"),
            ("$$(VAR_B)_$(VAR_A)", "$(VAR_B)_A"),
            ("$$(VAR_A)_$$(VAR_B)", "$(VAR_A)_$(VAR_B)"),
            ("f000-$$VAR_A", "f000-$VAR_A"),
            ("foo\\$(VAR_C)bar", "foo\\Cbar"),
            ("foo\\\\$(VAR_C)bar", "foo\\\\Cbar"),
            ("foo$(VAR_EMPTY)bar", "foobar"),
            ("$(VAR_REF)", "$(VAR_A)"),
            ("$VAR_A", "$VAR_A"),
            ("$$$(VAR_A)", "$A"),
            ("$$$$$$$$(VAR_A)", "$$$$(VAR_A)"),
            ("$$$$$$$(VAR_A)", "$$$A"),
            ("$", "$"),
            ("$(", "$("),
            ("$(VAR_A", "$(VAR_A"),
            ("$(VAR_B)_$(VAR_A", "B_$(VAR_A"),
            ("$(VAR_A())", "$(VAR_A())"),
            ("$($(VAR_B))", "$($(VAR_B))"),
            ("$(VAR_NONE)", "$(VAR_NONE)"),
            ("foo$", "foo$"),
            ("%%$é", "%%$é"),
        ] {
            let expanded = expand(text, value_of, &room).unwrap();
            assert_eq!(expanded.text, expected, "{text}");
        }
    }

    fn expanded_in(container: &str, pod: &str, text: &str) -> Option<(String, bool)> {
        let json = format!(
            r#"{{"kind":"Pod","metadata":{{"name":"p","namespace":"ns",
            "labels":{{"x":"docker.sock"}},"annotations":{{"a/b":"v"}}}},
            "spec":{{{pod}"containers":[{{{container}}}]}}}}"#
        );
        let object: Object<'_> = serde_json::from_str(&json).unwrap();
        let spec = object.spec.as_deref().unwrap();
        let identity = Identity {
            name: &object.metadata.name,
            namespace: &object.metadata.namespace,
            metadata: Some(&object.metadata),
        };
        let room = Cell::new(MAX_EXPANDED);
        let variables = Variables::of(&spec.containers[0], spec, identity, &room);
        let expanded = expand(text, |name| variables.get(name), &room)?;
        Some((expanded.text.into_owned(), expanded.is_open))
    }

    #[test]
    fn variables_are_made_in_the_order_of_the_list() {
        for (env, expected) in [
            (
                r#"{"name":"B","value":"b"},{"name":"A","value":"$(B)"}"#,
                "b",
            ),
            // A later one does not count, and what stays is not looked at again.
            (
                r#"{"name":"A","value":"$(B)"},{"name":"B","value":"b"}"#,
                "$(B)",
            ),
            (
                r#"{"name":"B","value":"1"},{"name":"A","value":"$(B)"},{"name":"B","value":"2"}"#,
                "1",
            ),
            (
                r#"{"name":"A","value":"1"},{"name":"A","value":"$(A)2"}"#,
                "12",
            ),
            (
                r#"{"name":"B","value":"x"},{"name":"A","value":"$$(B)"}"#,
                "$(B)",
            ),
            (
                r#"{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}"#,
                "p",
            ),
            (
                r#"{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.namespace"}}}"#,
                "ns",
            ),
            (
                r#"{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['x']"}}}"#,
                "docker.sock",
            ),
            (
                r#"{"name":"A",
                "valueFrom":{"fieldRef":{"fieldPath":"metadata.annotations['a/b']"}}}"#,
                "v",
            ),
            (
                r#"{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"spec.serviceAccountName"}}}"#,
                "sa",
            ),
        ] {
            let container = format!(r#""env":[{env}]"#);
            let pod = r#""serviceAccountName":"sa","#;
            let (text, _) = expanded_in(&container, pod, "$(A)").unwrap();
            assert_eq!(text, expected, "{env}");
        }
    }

    #[test]
    fn what_the_object_does_not_show_stays_open() {
        for (source, expected) in [
            (r#""fieldRef":{"fieldPath":"metadata.uid"}"#, "$(A)"),
            (r#""fieldRef":{"fieldPath":"metadata.labels['y']"}"#, "$(A)"),
            (r#""configMapKeyRef":{"name":"c","key":"k"}"#, "$(A)"),
            (
                r#""fieldRef":{"fieldPath":"status.hostIP"}"#,
                "$(status.hostIP)",
            ),
            (
                r#""fieldRef":{"fieldPath":"status.podIP"}"#,
                "$(status.hostIP)",
            ),
        ] {
            let container = format!(
                r#""env":[{{"name":"A","valueFrom":{{{source}}}}},{{"name":"B","value":"$(A)"}}]"#
            );
            let found = expanded_in(&container, r#""hostNetwork":true,"#, "$(B)").unwrap();
            assert_eq!(found, (expected.to_owned(), true), "{source}");
        }
    }

    #[test]
    fn chains_of_any_length_end_and_those_that_multiply_stay_open() {
        let chain = |factor: &str| {
            let links = (1..500).map(|i| {
                let value = format!("$(A{})", i - 1).repeat(factor.len());
                format!(r#",{{"name":"A{i}","value":"{value}"}}"#)
            });
            let links: String = links.collect();
            format!(r#""env":[{{"name":"A0","value":"docker.sock"}}{links}]"#)
        };
        let found = expanded_in(&chain("1"), "", "$(A499)").unwrap();
        assert_eq!(found, ("docker.sock".to_owned(), false));
        let (text, is_open) = expanded_in(&chain("12"), "", "$(A499)").unwrap();
        assert!(is_open && text.len() <= MAX_STRING, "{}", text.len());
    }
}
