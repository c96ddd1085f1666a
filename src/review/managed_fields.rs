//! Leaves the content of `managedFields` out of a review before it is parsed: a third to a half of each object, of
//! which nothing is read. To skip it in the parser costs as much as all rules together.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2_iter, memmem};

const KEY: &str = "\"managedFields\":[";
/// Larger reviews are rare, and a second copy of them is too much memory.
const MAX_TEXT: usize = 1024 * 1024;

/// `text` with every `managedFields` empty.
///
/// Where it is JSON, it stays the same JSON otherwise: behind `{` or `,` the key cannot be part of a string,
/// because its first quote would have ended the string.
pub(crate) fn without(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if bytes.len() > MAX_TEXT {
        return Cow::Borrowed(text);
    }
    let (mut short, mut kept) = (String::new(), 0);
    for at in memmem::find_iter(bytes, KEY) {
        let start = at + KEY.len();
        if at < kept || !matches!(bytes[..at].last(), Some(b'{' | b',')) {
            continue;
        }
        let Some(length) = length_of_list(&bytes[start..]) else { break };
        if short.is_empty() {
            short.reserve_exact(bytes.len() - length);
        }
        short.push_str(&text[kept..start]);
        kept = start + length;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    short.push_str(&text[kept..]);
    Cow::Owned(short)
}

/// The length of the list whose opening bracket stands before `bytes`, up to its closing one; `None` if it has no end.
fn length_of_list(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut seen) = (1, false, 0);
    // Brackets are rare and quotes are not: count the quotes between two brackets instead of walking over each.
    for at in memchr2_iter(b'[', b']', bytes) {
        in_string ^= has_odd_quotes(&bytes[seen..at]);
        seen = at;
        if in_string {
            continue;
        }
        match bytes[at] {
            b'[' => depth += 1,
            _ if depth == 1 => return Some(at),
            _ => depth -= 1,
        }
    }
    None
}

/// True if `bytes` open a string or close one, and do not do both.
fn has_odd_quotes(bytes: &[u8]) -> bool {
    let mut quotes = memchr_iter(b'"', bytes).count();
    let mut at = 0;
    while let Some(backslash) = memchr(b'\\', &bytes[at..]) {
        let escaped = at + backslash + 1;
        quotes -= usize::from(bytes.get(escaped) == Some(&b'"'));
        at = bytes.len().min(escaped + 1);
    }
    quotes % 2 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_emptied_and_the_rest_stays() {
        for (text, expected) in [
            (r#"{"managedFields":[],"a":1}"#, r#"{"managedFields":[],"a":1}"#),
            (r#"{"a":1,"managedFields":[{"k:{\"x\":\"]\"}":[[1],"]\\"]},"[é"],"b":[2]}"#, r#"{"a":1,"managedFields":[],"b":[2]}"#),
            (r#"[{"managedFields":[1]},{"managedFields":[2,[3]]}]"#, r#"[{"managedFields":[]},{"managedFields":[]}]"#),
            (r#"{"a":"{\"managedFields\":[1]"}"#, r#"{"a":"{\"managedFields\":[1]"}"#),
            (r#"{"managedFields":[{"managedFields":[1]},2]}"#, r#"{"managedFields":[]}"#),
            (r#"{"managedFields":null}"#, r#"{"managedFields":null}"#),
            (r#"{"managedFields":["#, r#"{"managedFields":["#),
            (r#"{"managedFields":["\"#, r#"{"managedFields":["\"#),
            (r#"{"managedFields":["a]"#, r#"{"managedFields":["a]"#),
        ] {
            assert_eq!(without(text), expected, "{text}");
        }
    }

    /// Any JSON, with keys and strings that try to mislead.
    fn json() -> impl Strategy<Value = serde_json::Value> {
        let word = prop_oneof![
            Just("managedFields".to_owned()),
            Just("{\"managedFields\":[".to_owned()),
            Just(",\"managedFields\":[\"".to_owned()),
            "[\\[\\]{}\",\\\\a:é]{0,6}",
        ];
        let leaf = prop_oneof![Just(serde_json::Value::Null), any::<i32>().prop_map(Into::into), word.clone().prop_map(Into::into)];
        leaf.prop_recursive(5, 64, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::vec((word.clone(), inner), 0..5).prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    fn emptied(value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::Array(items) => items.into_iter().map(emptied).collect(),
            Value::Object(map) => {
                let keep = |(key, value): (String, Value)| {
                    let is_emptied = key == "managedFields" && value.is_array();
                    (key, if is_emptied { Value::Array(Vec::new()) } else { emptied(value) })
                };
                Value::Object(map.into_iter().map(keep).collect())
            }
            other => other,
        }
    }

    proptest! {
        #[test]
        fn nothing_else_of_any_json_changes(value in json()) {
            let text = value.to_string();
            let short: serde_json::Value = serde_json::from_str(&without(&text)).unwrap();
            prop_assert_eq!(short, emptied(value));
        }

        #[test]
        fn no_text_is_too_strange(text in "[{,\"\\\\\\[\\]é]{0,3}(\"managedFields\":\\[)?[{,\"\\\\\\[\\]é]{0,12}") {
            let short = without(&text);
            prop_assert!(short.len() <= text.len());
        }
    }
}
