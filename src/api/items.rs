//! Takes a list apart while it arrives, so that never more than one of its items is held.
//!
//! Only strings and brackets are looked at here; each item is read as JSON by whoever takes it.

use std::ops::ControlFlow;

use memchr::memchr2;

use super::request::ApiError;

/// Bytes that a list may have besides its items.
const MAX_OUTSIDE: usize = 1 << 20;
/// Bytes that are kept of an item that is too large, for its name.
const HEAD: usize = 4 << 10;

/// An item of the list.
pub(super) enum Item<'i> {
    /// Its JSON.
    Whole(&'i [u8]),
    /// The beginning of one that is larger than the limit.
    TooLarge(&'i [u8]),
}

/// A list that is arriving.
#[derive(Default)]
pub(super) struct Items {
    max: usize,
    /// Everything but the items: `{"kind":"PodList","metadata":{},"items":[]}`.
    outside: Vec<u8>,
    item: Vec<u8>,
    is_too_large: bool,
    /// True inside the array of items.
    in_items: bool,
    /// Open brackets: of the list, or of the item inside of the array.
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Items {
    /// A list whose items have at most `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            ..Self::default()
        }
    }

    /// Takes the next bytes of the list. `take` is given every item that ends in them, and may end
    /// the list.
    pub(super) fn push(
        &mut self,
        chunk: &[u8],
        mut take: impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ApiError> {
        // The bytes from `kept` on belong together and are not stored yet.
        let (mut kept, mut at) = (0, 0);
        while at < chunk.len() {
            let byte = chunk[at];
            if self.is_escaped {
                self.is_escaped = false;
            } else if self.in_string {
                match memchr2(b'"', b'\\', &chunk[at..]) {
                    None => break,
                    Some(step) => at += step,
                }
                self.is_escaped = chunk[at] == b'\\';
                self.in_string = self.is_escaped;
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'[' if self.depth == 1 && !self.in_items => {
                        self.store(&chunk[kept..=at])?;
                        kept = at + 1;
                        if self.is_at_items() {
                            (self.in_items, self.depth) = (true, 0);
                        } else {
                            self.depth += 1;
                        }
                    }
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' if self.depth > 0 => {
                        self.depth -= 1;
                        if self.in_items && self.depth == 0 {
                            self.store(&chunk[kept..=at])?;
                            kept = at + 1;
                            if self.give(&mut take).is_break() {
                                return Ok(ControlFlow::Break(()));
                            }
                        }
                    }
                    // The end of the array, which closes what was open outside of it.
                    b']' if self.in_items => {
                        kept = at;
                        self.item.clear();
                        (self.in_items, self.depth) = (false, 1);
                    }
                    // What stands between them and is no object is no item.
                    b',' | b' ' | b'\n' | b'\r' | b'\t' if self.in_items && self.depth == 0 => {
                        kept = at + 1;
                        self.item.clear();
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        self.store(&chunk[kept..])?;
        Ok(ControlFlow::Continue(()))
    }

    /// The list without its items.
    pub(super) fn finish(self) -> Vec<u8> {
        self.outside
    }

    /// True behind `"items":[` of the list itself.
    fn is_at_items(&self) -> bool {
        let before = |text: &'_ [u8], end: &[u8]| {
            text.trim_ascii_end()
                .strip_suffix(end)
                .map(<[u8]>::to_owned)
        };
        before(&self.outside, b"[")
            .and_then(|text| before(&text, b":"))
            .and_then(|text| before(&text, b"\"items\""))
            .is_some_and(|text| matches!(text.trim_ascii_end().last(), Some(b'{' | b',')))
    }

    fn store(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        if !self.in_items {
            if self.outside.len() + bytes.len() > MAX_OUTSIDE {
                let problem = "a list with more than 1 MiB besides its items";
                return Err(ApiError::Unreadable(problem.to_owned()));
            }
            self.outside.extend_from_slice(bytes);
        } else if self.is_too_large || self.item.len() + bytes.len() > self.max {
            keep_head(&mut self.item, bytes);
            self.is_too_large = true;
        } else {
            self.item.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn give(&mut self, take: &mut impl FnMut(Item<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let item = std::mem::take(&mut self.item);
        let flow = if std::mem::take(&mut self.is_too_large) {
            take(Item::TooLarge(&item))
        } else {
            take(Item::Whole(&item))
        };
        // A buffer of ordinary size serves the next item, too.
        if item.capacity() <= 1 << 20 {
            self.item = item;
            self.item.clear();
        }
        flow
    }
}

/// Adds `bytes` to `item`, which is too large, as far as its name needs them.
pub(super) fn keep_head(item: &mut Vec<u8>, bytes: &[u8]) {
    item.extend_from_slice(&bytes[..bytes.len().min(HEAD)]);
    item.truncate(HEAD);
    item.shrink_to_fit();
}

/// `NAMESPACE/NAME` from the beginning of an object, as far as it tells.
pub(super) fn name_of(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let value = |key: &str| {
        let metadata = text.split_once("\"metadata\"")?.1;
        let after = metadata.split_once(key)?.1.trim_start();
        let value = after.strip_prefix(':')?.trim_start().strip_prefix('"')?;
        Some(value.split_once('"')?.0.to_owned())
    };
    let name = value("\"name\"").unwrap_or_else(|| "an object".to_owned());
    match value("\"namespace\"") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The items and the rest of `text`, which arrives in pieces of `size` bytes.
    fn split(text: &str, size: usize, max: usize) -> (Vec<Result<Value, String>>, Value) {
        let mut items = Items::new(max);
        let mut found = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            let flow = items.push(chunk, |item| {
                found.push(match item {
                    Item::Whole(json) => Ok(serde_json::from_slice(json).unwrap()),
                    Item::TooLarge(head) => Err(name_of(head)),
                });
                ControlFlow::Continue(())
            });
            assert!(flow.unwrap().is_continue());
        }
        (found, serde_json::from_slice(&items.finish()).unwrap())
    }

    #[test]
    fn items_are_found_wherever_the_list_is_cut() {
        let list = json!({
            "a": ["\"items\":[", {"items": [1]}],
            "items": [{"x": "}]\\\""}, {"items": [[]], "y": []}],
            "kind": "List", "metadata": {"continue": "abc"},
        });
        for text in [
            list.to_string(),
            serde_json::to_string_pretty(&list).unwrap(),
        ] {
            for size in 1..text.len() {
                let (items, rest) = split(&text, size, 100);
                assert_eq!(
                    items,
                    [Ok(list["items"][0].clone()), Ok(list["items"][1].clone())]
                );
                assert_eq!(rest["metadata"], list["metadata"]);
                assert_eq!(rest["items"], json!([]));
                assert_eq!(rest["a"], list["a"]);
            }
        }
    }

    #[test]
    fn lists_without_items_are_whole() {
        for text in [
            r#"{"items":[]}"#,
            r#"{"items":null}"#,
            r#"{"items" : [ ] }"#,
            r#"{"items":[null, 1]}"#,
            "{}",
        ] {
            let (items, rest) = split(text, 3, 100);
            assert_eq!(items, []);
            assert!(rest.is_object());
        }
    }

    #[test]
    fn an_item_that_is_too_large_costs_only_itself() {
        // As the API server orders it.
        let large = format!(
            r#"{{"metadata":{{"name":"big","namespace":"ci"}},"data":"{}"}}"#,
            "x".repeat(100_000)
        );
        let list = format!(r#"{{"metadata":{{}},"items":[{{"a":1}},{large},{{"b":2}}]}}"#);
        for size in [1, 7, 4096, 1 << 20] {
            let (items, _) = split(&list, size, 50_000);
            assert_eq!(
                items,
                [
                    Ok(json!({"a": 1})),
                    Err("big".to_owned()),
                    Ok(json!({"b": 2}))
                ]
                .map(|item| item.map_err(|name| format!("ci/{name}")))
            );
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<String>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("items|[a-z\"\\\\{\\[]{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_list_comes_apart_as_a_json_reader_takes_it(
            items in prop::collection::vec(
                prop::collection::hash_map("[a-z\"]{1,6}", value(), 0..4),
                0..6
            ),
            metadata in value(),
            size in 1..200_usize,
        ) {
            let list = json!({"items": items, "kind": "List", "metadata": metadata});
            let (found, rest) = split(&list.to_string(), size, 1 << 20);
            let found: Vec<Value> = found.into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(Value::from(found), list["items"].clone());
            prop_assert_eq!(&rest["metadata"], &list["metadata"]);
        }
    }
}
