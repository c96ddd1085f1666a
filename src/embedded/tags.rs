//! Fluentd's configuration into the tree: `<source>`, settings, `</source>`.

use super::sections::{lines, setting};
use super::{MAX_DEPTH, Node, Room, Value};

/// The key under which the argument of a directive stands: `kube.**` of `<match kube.**>`.
const ARGUMENT: &str = "@argument";

/// Reads `text`; `None` where a directive is not closed by its own end.
pub(super) fn parse(text: &str, room: &mut Room) -> Option<Node> {
    let root = Node {
        value: Value::Map(Vec::new()),
        offset: 0,
    };
    let mut open: Vec<(String, Node)> = vec![(String::new(), root)];
    let mut directives = 0;
    for (offset, line) in lines(text) {
        room.take(1)?;
        if open.len() > MAX_DEPTH {
            return None;
        }
        let tag = line
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'));
        match tag {
            Some(tag) if tag.starts_with('/') => {
                let (name, node) = open.pop()?;
                if name != tag[1..].trim() {
                    return None;
                }
                directives += 1;
                push(&mut open, name, node)?;
            }
            Some(tag) => {
                let (name, argument) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
                let argument = Node {
                    value: Value::Scalar(argument.trim().to_owned()),
                    offset,
                };
                let value = Value::Map(vec![(ARGUMENT.to_owned(), argument)]);
                open.push((name.to_owned(), Node { value, offset }));
            }
            None => {
                let (key, value) = setting(line, offset);
                push(&mut open, key, value)?;
            }
        }
    }
    let (_, root) = open.pop()?;
    (open.is_empty() && directives > 0).then_some(root)
}

fn push(open: &mut [(String, Node)], key: String, node: Node) -> Option<()> {
    match open.last_mut() {
        Some((
            _,
            Node {
                value: Value::Map(entries),
                ..
            },
        )) => {
            entries.push((key, node));
            Some(())
        }
        _ => None,
    }
}
