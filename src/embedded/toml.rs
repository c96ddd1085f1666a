//! TOML into the tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{MAX_DEPTH, Node, Room, Value};

/// Reads `text`; `None` where it is not TOML.
pub(super) fn parse(text: &str, room: &mut Room) -> Option<Node> {
    // Its library has made the values, each of which takes some bytes of the text.
    room.take(text.len() / 4)?;
    let table = DeTable::parse(text).ok()?;
    Some(Node {
        value: entries(text, table.get_ref(), 0),
        offset: 0,
    })
}

fn entries(text: &str, table: &DeTable<'_>, depth: usize) -> Value {
    let mut pairs: Vec<(String, Node)> = table
        .iter()
        .map(|(key, value)| (key.get_ref().to_string(), node(text, value, depth + 1)))
        .collect();
    // The library sorts by key; places are in the order of the text.
    pairs.sort_by_key(|(_, node)| node.offset);
    Value::Map(pairs)
}

fn node(text: &str, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
    let span = value.span();
    let value = match value.get_ref() {
        DeValue::String(string) => Value::Scalar(string.to_string()),
        _ if depth > MAX_DEPTH => Value::List(Vec::new()),
        DeValue::Array(array) => Value::List(
            array
                .iter()
                .map(|value| node(text, value, depth + 1))
                .collect(),
        ),
        DeValue::Table(table) => entries(text, table, depth),
        _ => Value::Scalar(text.get(span.clone()).unwrap_or_default().to_owned()),
    };
    Node {
        value,
        offset: span.start,
    }
}
