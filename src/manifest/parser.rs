//! Builds the tree of a document from the events of the YAML parser; JSON is YAML.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};

use super::documents::Document;
use super::error::ManifestError;
use super::tree::{MAX_DEPTH, Node, NodeId, Tree, Value, scalar};

/// Parses `document`.
///
/// # Errors
/// Where it is not YAML.
pub(super) fn parse<'t>(document: &Document<'t>) -> Result<Tree<'t>, ManifestError> {
    Builder {
        nodes: Vec::with_capacity(document.text.len() / 16),
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        breaks: breaks(document.text),
        document,
    }
    .build()
}

/// Where each line of YAML begins as editors count: line and column, from 0. Empty where both count alike: YAML ends a line at a
/// carriage return alone, too.
fn breaks(text: &str) -> Vec<(usize, usize)> {
    if !text.contains('\r') {
        return Vec::new();
    }
    let mut breaks = vec![(0, 0)];
    let (mut line, mut column, mut differs) = (0, 0, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        column += 1;
        match c {
            '\n' => (line, column) = (line + 1, 0),
            '\r' if chars.peek() != Some(&'\n') => differs = true,
            _ => continue,
        }
        breaks.push((line, column));
    }
    if differs { breaks } else { Vec::new() }
}

struct Builder<'d, 't> {
    nodes: Vec<Node<'t>>,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    root: Option<NodeId>,
    /// See [`breaks`].
    breaks: Vec<(usize, usize)>,
    document: &'d Document<'t>,
}

/// A collection whose end has not come.
struct Open {
    node: NodeId,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<NodeId>,
}

impl<'t> Builder<'_, 't> {
    fn build(mut self) -> Result<Tree<'t>, ManifestError> {
        let mut parser = Parser::new_from_str(self.document.text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let marker = error.marker();
                self.error(marker.line(), marker.col(), error.info())
            })?;
            let (line, column) = self.place(span.start.line(), span.start.col());
            let node = |value| Node {
                value,
                line,
                column,
            };
            match event {
                Event::Scalar(text, style, anchor, _) => {
                    let id = self.push(node(scalar(text, style == ScalarStyle::Plain)));
                    self.finish(id, anchor);
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.begin(node(Value::List(Vec::new())), anchor)?
                }
                Event::MappingStart(_, anchor, _) => {
                    self.begin(node(Value::Map(Vec::new())), anchor)?
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some(open) = self.open.pop() {
                        if let Some(name) = self.placeholder(open.node) {
                            self.nodes[open.node as usize].value =
                                Value::Scalar(format!("{{{{{name}}}}}").into());
                        }
                        self.finish(open.node, open.anchor);
                    }
                }
                Event::Alias(anchor) => match self.anchors.get(&anchor) {
                    Some(&id) => self.attach(id),
                    None => {
                        return Err(self.error(
                            span.start.line(),
                            span.start.col(),
                            "this alias is part of its own anchor",
                        ));
                    }
                },
                _ => {}
            }
        }
        Ok(Tree::new(self.nodes, self.root))
    }

    /// The name in `{{NAME}}`, which somebody fills in later and YAML reads as a map whose key is a map.
    fn placeholder(&self, node: NodeId) -> Option<&str> {
        let single = |node: NodeId| match &self.nodes[node as usize].value {
            Value::Map(pairs) => pairs.first().copied().filter(|_| pairs.len() == 1),
            _ => None,
        };
        let is_null = |node: NodeId| matches!(self.nodes[node as usize].value, Value::Null);
        let (outer, value) = single(node)?;
        let (name, inner_value) = single(outer).filter(|_| is_null(value))?;
        match &self.nodes[name as usize].value {
            Value::Scalar(name) if is_null(inner_value) => Some(name),
            _ => None,
        }
    }

    fn push(&mut self, node: Node<'t>) -> NodeId {
        self.nodes.push(node);
        NodeId::try_from(self.nodes.len() - 1).unwrap_or(NodeId::MAX)
    }

    fn begin(&mut self, node: Node<'t>, anchor: usize) -> Result<(), ManifestError> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(ManifestError {
                line: node.line as usize,
                column: node.column as usize,
                message,
            });
        }
        let node = self.push(node);
        self.open.push(Open {
            node,
            anchor,
            key: None,
        });
        Ok(())
    }

    /// A node is complete: it can be referred to, and belongs to what is open.
    fn finish(&mut self, node: NodeId, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        self.attach(node);
    }

    fn attach(&mut self, node: NodeId) {
        let Some(open) = self.open.last_mut() else {
            self.root = self.root.or(Some(node));
            return;
        };
        match &mut self.nodes[open.node as usize].value {
            Value::List(elements) => elements.push(node),
            Value::Map(pairs) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
            _ => {}
        }
    }

    /// The place in the file of what the parser has at `line`, from 1, and `column`, from 0.
    fn place(&self, line: usize, column: usize) -> (u32, u32) {
        let line = line.saturating_sub(1);
        let (line, before) = self.breaks.get(line).copied().unwrap_or((line, 0));
        self.document.place(line, before + column)
    }

    fn error(&self, line: usize, column: usize, message: impl Into<String>) -> ManifestError {
        let (line, column) = self.place(line, column);
        ManifestError {
            line: line as usize,
            column: column as usize,
            message: message.into(),
        }
    }
}
