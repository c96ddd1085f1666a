//! YAML into the tree. Several documents are a list, aliases are copies.

use std::collections::HashMap;

use granit_parser::{Event, Parser};

use super::{MAX_DEPTH, Node, Room, Value};

/// A collection whose end has not come.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value, and its place.
    key: Option<(String, usize)>,
}

/// Reads `text`; `None` where it is not YAML, or larger than a document may be.
pub(super) fn parse(text: &str, room: &mut Room) -> Option<Node> {
    let mut reader = Reader {
        open: Vec::new(),
        anchors: HashMap::new(),
        roots: Vec::new(),
        room,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.ok()?;
        let node = |value| Node {
            value,
            offset: span.start.byte_offset().unwrap_or_default(),
        };
        match event {
            Event::Scalar(text, _, anchor, _) => {
                reader.finish(node(Value::Scalar(text.into_owned())), anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                reader.begin(node(Value::List(vec![])), anchor)?
            }
            Event::MappingStart(_, anchor, _) => reader.begin(node(Value::Map(vec![])), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                let open = reader.open.pop()?;
                reader.finish(open.node, open.anchor)?;
            }
            Event::Alias(anchor) => {
                let (node, size) = reader.anchors.get(&anchor)?;
                reader.room.take(*size)?;
                let copy = node.clone();
                reader.finish(copy, 0)?;
            }
            _ => {}
        }
    }
    let first = reader.roots.first()?.offset;
    match reader.roots.len() {
        1 => reader.roots.pop(),
        _ => Some(Node {
            value: Value::List(reader.roots),
            offset: first,
        }),
    }
}

struct Reader<'r> {
    open: Vec<Open>,
    /// What can be referred to, and how many values it is.
    anchors: HashMap<usize, (Node, usize)>,
    roots: Vec<Node>,
    room: &'r mut Room,
}

impl Reader<'_> {
    fn begin(&mut self, node: Node, anchor: usize) -> Option<()> {
        self.open.push(Open {
            node,
            anchor,
            key: None,
        });
        (self.open.len() <= MAX_DEPTH).then_some(())
    }

    /// A value is complete: it can be referred to, and belongs to what is open.
    fn finish(&mut self, node: Node, anchor: usize) -> Option<()> {
        self.room.take(1)?;
        if anchor != 0 {
            let size = size(&node);
            self.room.take(size)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.roots.push(node);
            return Some(());
        };
        match (&mut open.node.value, open.key.take()) {
            (Value::List(elements), _) => elements.push(node),
            (Value::Map(_), None) => {
                open.key = Some((node.text().unwrap_or_default().to_owned(), node.offset));
            }
            (Value::Map(entries), Some((key, _))) if key == "<<" => merge(entries, &node),
            (Value::Map(entries), Some((key, place))) => entries.push((key, node.under(place))),
            (Value::Scalar(_), _) => return None,
        }
        Some(())
    }
}

/// Adds the pairs of a merge key (`<<`) behind the map's own.
fn merge(entries: &mut Vec<(String, Node)>, source: &Node) {
    for source in source.elements() {
        entries.extend(source.entries().iter().cloned());
    }
}

fn size(node: &Node) -> usize {
    let mut nodes = 0;
    node.walk(&mut |_, _| nodes += 1);
    nodes
}
