//! A document as a tree of borrowed nodes with their places. Aliases share nodes, so it never
//! outgrows its text.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

/// A node of a [`Tree`].
pub(super) type NodeId = u32;

/// A parsed document.
#[derive(Debug)]
pub(super) struct Tree<'t> {
    nodes: Vec<Node<'t>>,
    root: Option<NodeId>,
    /// Nodes that one reading may visit: aliases can make a small tree look exponentially large.
    budget: Cell<usize>,
}

#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) value: Value<'t>,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A node's content. Mappings hold pairs of key and value.
#[derive(Debug)]
pub(super) enum Value<'t> {
    Null,
    Scalar(Cow<'t, str>),
    List(Vec<NodeId>),
    Map(Vec<(NodeId, NodeId)>),
}

/// Nodes that one reading may visit besides ten times those that there are: no honest manifest says
/// that much through aliases.
const ALIASED: usize = 50_000;
/// Collections inside collections; serde_json stops at the same depth.
pub(super) const MAX_DEPTH: usize = 127;

impl<'t> Tree<'t> {
    /// A tree of `nodes`.
    pub(super) fn new(nodes: Vec<Node<'t>>, root: Option<NodeId>) -> Self {
        Self {
            nodes,
            root,
            budget: Cell::new(0),
        }
    }

    /// The document's node; `None` for an empty document.
    pub(super) fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// Makes the budget whole again, for the next reading.
    pub(super) fn refill(&self) {
        self.budget.set(ALIASED + 10 * self.nodes.len());
    }

    /// Takes one node from the budget; false when it is used up.
    pub(super) fn spend(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 0
    }

    pub(super) fn value(&self, node: NodeId) -> &Value<'t> {
        &self.nodes[node as usize].value
    }

    /// Line and column of `node`, from 1.
    pub(super) fn place(&self, node: NodeId) -> (usize, usize) {
        let node = &self.nodes[node as usize];
        (node.line as usize, node.column as usize)
    }

    /// True for a mapping.
    pub(super) fn is_map(&self, node: NodeId) -> bool {
        matches!(self.value(node), Value::Map(_))
    }

    /// True for a sequence.
    pub(super) fn is_list(&self, node: NodeId) -> bool {
        matches!(self.value(node), Value::List(_))
    }

    /// True for `null` and an empty value.
    pub(super) fn is_null(&self, node: NodeId) -> bool {
        matches!(self.value(node), Value::Null)
    }

    /// The elements of a sequence.
    pub(super) fn elements(&self, node: NodeId) -> Vec<NodeId> {
        match self.value(node) {
            Value::List(elements) => elements.clone(),
            _ => Vec::new(),
        }
    }

    /// The value under `key` of a mapping.
    pub(super) fn get(&self, node: NodeId, key: &str) -> Option<NodeId> {
        self.entries(node)
            .iter()
            .rev()
            .find(|(k, _)| self.text(*k) == Some(key))
            .map(|(_, value)| *value)
    }

    /// The text of a scalar.
    pub(super) fn text(&self, node: NodeId) -> Option<&str> {
        match self.value(node) {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a mapping, with merge keys resolved and only the last of repeated keys, as
    /// kubectl reads them.
    pub(super) fn entries(&self, node: NodeId) -> Cow<'_, [(NodeId, NodeId)]> {
        self.merged_entries(node, 0)
    }

    /// `depth` counts merges inside merges, which a chain of anchors can make as long as the
    /// document.
    fn merged_entries(&self, node: NodeId, depth: usize) -> Cow<'_, [(NodeId, NodeId)]> {
        let Value::Map(pairs) = self.value(node) else {
            return Cow::Borrowed(&[]);
        };
        let is_plain = |(at, (key, _)): (usize, &(NodeId, NodeId))| {
            let text = self.text(*key);
            text != Some("<<")
                && !pairs[..at]
                    .iter()
                    .any(|(other, _)| self.text(*other) == text)
        };
        // Few keys or none repeated is nearly every mapping; large ones are data, where a set pays.
        if pairs.len() <= 32 && pairs.iter().enumerate().all(is_plain) {
            return Cow::Borrowed(pairs);
        }
        let mut merged: Vec<(NodeId, NodeId)> = Vec::with_capacity(pairs.len());
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(pairs.len());
        for &(key, value) in pairs {
            let Some(text) = self.text(key).filter(|text| *text != "<<") else {
                continue;
            };
            match places.get(text) {
                Some(&at) => merged[at] = (key, value),
                None => {
                    places.insert(text, merged.len());
                    merged.push((key, value));
                }
            }
        }
        for &(_, source) in pairs
            .iter()
            .filter(|(key, _)| self.text(*key) == Some("<<"))
        {
            let sources = if self.is_list(source) {
                self.elements(source)
            } else {
                vec![source]
            };
            for (key, value) in sources
                .into_iter()
                .flat_map(|source| self.merge_source(source, depth + 1))
            {
                let Some(text) = self.text(key) else { continue };
                if !places.contains_key(text) {
                    places.insert(text, merged.len());
                    merged.push((key, value));
                }
            }
        }
        Cow::Owned(merged)
    }

    /// The pairs of a merged mapping; merges inside merges cost budget, because they can multiply.
    fn merge_source(&self, source: NodeId, depth: usize) -> Vec<(NodeId, NodeId)> {
        if depth < MAX_DEPTH && self.spend() {
            self.merged_entries(source, depth).into_owned()
        } else {
            Vec::new()
        }
    }
}

/// The value of a scalar: `null` in its spellings is nothing, unless it is quoted.
pub(super) fn scalar(text: Cow<'_, str>, is_plain: bool) -> Value<'_> {
    if is_plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
        Value::Null
    } else {
        Value::Scalar(text)
    }
}
