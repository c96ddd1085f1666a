//! Finds the value of a field path in a document.

use super::tree::{NodeId, Tree, Value};

impl Tree<'_> {
    /// The value at `field` (`a.b[0]['c.d']`) below `node`, or the deepest part of it that exists.
    pub(super) fn find(&self, node: NodeId, field: &str) -> NodeId {
        self.refill();
        let (mut node, mut rest) = (node, field);
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
            (node, rest) = (step, behind);
        }
        node
    }
}
