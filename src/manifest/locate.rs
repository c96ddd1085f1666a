//! Finds the value of a field path in a document.

use super::tree::{NodeId, Tree, Value};

impl Tree<'_> {
    /// The value at `field` (`a.b[0]['c.d']`) below `node`, or the deepest part of it that exists.
    pub(super) fn find(&self, node: NodeId, field: &str) -> NodeId {
        self.find_in_parent(node, field).1
    }

    /// Line and column of that value; of a list or map under a key, those of the key.
    pub(super) fn place_at(&self, node: NodeId, field: &str) -> (usize, usize) {
        let (parent, found) = self.find_in_parent(node, field);
        let is_collection = self.is_map(found) || self.is_list(found);
        let entries = self.entries(parent);
        let mut keys = entries.iter().filter(|(_, value)| *value == found);
        let key = keys.next().filter(|_| is_collection);
        self.place(key.map_or(found, |(key, _)| *key))
    }

    /// The value of [`Self::find`], behind the list or map in which it stands.
    fn find_in_parent(&self, node: NodeId, field: &str) -> (NodeId, NodeId) {
        self.refill();
        let (mut parent, mut node, mut rest) = (node, node, field);
        while !rest.is_empty() {
            let (step, behind) = if let Some(inner) = rest.strip_prefix("['") {
                let end = inner.find("']").unwrap_or(inner.len());
                (
                    self.get(node, &inner[..end]),
                    inner.get(end + 2..).unwrap_or_default(),
                )
            } else if let Some(inner) = rest.strip_prefix('[') {
                let end = inner.find(']').unwrap_or(inner.len());
                let element =
                    inner[..end]
                        .parse()
                        .ok()
                        .and_then(|at: usize| match self.value(node) {
                            Value::List(elements) => elements.get(at).copied(),
                            _ => None,
                        });
                (element, inner.get(end + 1..).unwrap_or_default())
            } else {
                let rest = rest.strip_prefix('.').unwrap_or(rest);
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                (self.get(node, &rest[..end]), &rest[end..])
            };
            let Some(step) = step else { break };
            (parent, node, rest) = (node, step, behind);
        }
        (parent, node)
    }
}
