//! What rules about configuration see: the object as a tree, and the documents in its strings.

pub(super) mod docker_inputs;
pub(super) mod log_inputs;
pub(super) mod pod_sources;
pub(super) mod promql;

use crate::embedded::{Document, Language, Node};
use crate::finding::{Finding, Rule};
use crate::workload::Workload;
use crate::workload::leaves::{Leaf, Leaves};

/// One document, with what is needed to point at a value of it.
pub(super) struct Settings<'w> {
    /// Its content.
    pub(super) root: &'w Node,
    /// Language of a document in a string; `None` for the object itself.
    pub(super) language: Option<Language>,
    leaves: &'w Leaves,
    kind: &'w str,
    name: &'w str,
    place: Place<'w>,
}

#[derive(Clone, Copy)]
enum Place<'w> {
    /// The object itself: offsets are numbers of strings.
    Object,
    /// The document in this string.
    String(&'w Leaf),
    /// A document inside that document, in the string that starts there.
    Inner(&'w Leaf, usize),
}

/// Every document of `workload`: the object itself first, then those in its strings.
pub(super) fn settings<'w>(workload: &'w Workload<'_>) -> Vec<Settings<'w>> {
    let object = Settings {
        root: workload.leaves.object(),
        language: None,
        leaves: &workload.leaves,
        kind: workload.kind(),
        name: workload.name,
        place: Place::Object,
    };
    let mut inside = Vec::new();
    for leaf in workload.leaves.iter() {
        if let Some(document) = leaf.document() {
            object.add(&mut inside, document, Place::String(leaf));
        }
    }
    inside.insert(0, object);
    inside
}

impl<'w> Settings<'w> {
    fn add(&self, found: &mut Vec<Self>, document: &'w Document, place: Place<'w>) {
        found.push(Self {
            root: &document.root,
            language: Some(document.language),
            place,
            ..*self
        });
        for (offset, inner) in &document.inner {
            let place = match place {
                Place::String(leaf) => Place::Inner(leaf, *offset),
                place => place,
            };
            self.add(found, inner, place);
        }
    }
}

impl Settings<'_> {
    /// The key of the string that the document is; empty for the object itself.
    pub(super) fn key(&self) -> &str {
        match self.place {
            Place::Object => "",
            Place::String(leaf) | Place::Inner(leaf, _) => leaf.key(),
        }
    }

    /// True for the object itself.
    pub(super) fn is_object(&self) -> bool {
        matches!(self.place, Place::Object)
    }

    /// The kind of object that the document is: its own `kind`, as installers' files in a ConfigMap have it.
    pub(super) fn kind(&self) -> &str {
        match self.place {
            Place::Object => self.kind,
            _ => self.root.text_of("kind").unwrap_or_default(),
        }
    }

    /// A finding at `node`, which is a value of this document.
    pub(super) fn finding(
        &self,
        rule: &'static Rule,
        node: &Node,
        what: String,
        evidence: &str,
    ) -> Finding {
        let (field, offset) = match self.place {
            Place::Object => {
                let leaf = self.leaves.at(node.offset);
                (leaf.map(|leaf| leaf.path.clone()), None)
            }
            Place::String(leaf) => (Some(leaf.path.clone()), Some(node.offset)),
            Place::Inner(leaf, offset) => (Some(leaf.path.clone()), Some(offset)),
        };
        // A file of kubeadm has no name.
        let name = if self.name.is_empty() {
            self.kind
        } else {
            self.name
        };
        let field = field.unwrap_or_default();
        let mut finding = Finding::new(rule, "object", name, what, field, evidence);
        finding.offset = offset;
        finding
    }
}

impl Settings<'_> {
    /// A finding at `offset` of the text of `node`.
    pub(super) fn finding_in(
        &self,
        rule: &'static Rule,
        node: &Node,
        offset: usize,
        what: String,
        evidence: &str,
    ) -> Finding {
        let mut finding = self.finding(rule, node, what, evidence);
        finding.offset = match self.place {
            Place::Object => Some(offset),
            // How a string is written decides where its characters stand; its start is known.
            Place::String(_) | Place::Inner(..) => finding.offset,
        };
        finding
    }

    /// True if the text of `node` is a document that [`settings`] has as well.
    pub(super) fn holds_document(&self, node: &Node) -> bool {
        match self.place {
            Place::Object => {
                let leaf = self.leaves.at(node.offset);
                leaf.is_some_and(|leaf| leaf.document().is_some())
            }
            Place::String(leaf) => {
                let inner = leaf.document().map(|document| &document.inner);
                inner.is_some_and(|inner| inner.iter().any(|(at, _)| *at == node.offset))
            }
            Place::Inner(..) => false,
        }
    }
}

/// The maps of `root`, each with the key under which it stands.
pub(super) fn maps(root: &Node) -> Vec<(&str, &Node)> {
    let mut found = Vec::new();
    root.walk(&mut |key, node| {
        if !node.entries().is_empty() {
            found.push((key, node));
        }
    });
    found
}

/// The scalars of `root`, each with its key and text.
pub(super) fn scalars(root: &Node) -> Vec<(&str, &Node, &str)> {
    let mut found = Vec::new();
    root.walk(&mut |key, node| found.extend(node.text().map(|text| (key, node, text))));
    found
}
