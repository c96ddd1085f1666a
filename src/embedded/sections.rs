//! Files of sections into the tree: INI, systemd units, Fluent Bit's classic format, and the inside
//! of a section alone.

use std::iter;

use super::{Node, Room, Value};

/// Reads `text`; `None` where a line is neither section, setting nor comment.
pub(super) fn parse(text: &str, room: &mut Room) -> Option<Node> {
    let mut root: Vec<(String, Node)> = Vec::new();
    let mut section: Option<(String, Node)> = None;
    for (offset, line) in whole_lines(text) {
        room.take(1)?;
        let name = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = name {
            root.extend(section.take());
            let value = Value::Map(Vec::new());
            section = Some((
                name.trim_matches(['[', ']']).trim().to_owned(),
                Node { value, offset },
            ));
            continue;
        }
        // `@SET key=value` and `@INCLUDE file` stand outside of sections.
        let (key, value) = setting(line, offset);
        match &mut section {
            Some((
                _,
                Node {
                    value: Value::Map(entries),
                    ..
                },
            )) => entries.push((key, value)),
            _ => root.push((key, value)),
        }
    }
    root.extend(section);
    let has_section = root.iter().any(|(_, node)| node.text().is_none());
    (has_section || is_body(text)).then_some(Node {
        value: Value::Map(root),
        offset: 0,
    })
}

/// True for what stands in a section, without its header: `KEY=VALUE` in each line, or the settings
/// of a plugin of Fluent Bit, which begin with its name.
pub(super) fn is_body(text: &str) -> bool {
    let is_key = |key: &str| {
        let is_key_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        !key.is_empty() && key.bytes().all(is_key_byte)
    };
    let is_assignment = |line: &str| {
        let pair = line.split_once('=');
        pair.is_some_and(|(key, _)| is_key(key.trim_end()))
    };
    let is_plugin_setting = |line: &str| {
        let pair = line.split_once(char::is_whitespace);
        pair.is_some_and(|(key, _)| is_key(key))
    };
    let mut lines = lines(text).map(|(_, line)| line).peekable();
    let is_plugin = lines.peek().is_some_and(|first| {
        let name = first.split_once(char::is_whitespace);
        name.is_some_and(|(key, _)| key.eq_ignore_ascii_case("name"))
    });
    lines.all(|line| is_assignment(line) || is_plugin && is_plugin_setting(line))
}

/// The lines of `text` that say something, without indentation, each with its place.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n')
        .scan(0, |next, line| {
            let start = *next;
            *next += line.len();
            Some((start, line))
        })
        .filter_map(|(start, line)| {
            let said = line.trim();
            let is_comment = said.starts_with(['#', ';']);
            let indentation = line.len() - line.trim_start().len();
            (!said.is_empty() && !is_comment).then_some((start + indentation, said))
        })
}

/// The same, with the lines on which a command of a unit goes on (` \`).
fn whole_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut lines = lines(text);
    iter::from_fn(move || {
        let (start, first) = lines.next()?;
        let mut end = start + first.len();
        while text[..end].ends_with(" \\") {
            let Some((next, line)) = lines.next() else {
                break;
            };
            end = next + line.len();
        }
        Some((start, &text[start..end]))
    })
}

/// `key value`, `key=value` or `key = value`, and the place of the value.
pub(super) fn setting(line: &str, offset: usize) -> (String, Node) {
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(line.len());
    let rest = line[end..].trim_start();
    let value = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let value_offset = offset + line.len() - value.len();
    let value = unquote(value);
    let node = Node {
        value: Value::Scalar(value.to_owned()),
        offset: value_offset,
    };
    (line[..end].to_owned(), node)
}

fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    value
}
