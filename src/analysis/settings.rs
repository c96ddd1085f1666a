//! What rules about configuration see: the object as a tree, and the documents in its strings.

use crate::embedded::{Document, Inner, Language, Node, Value, aligned};
use crate::workload::Workload;
use crate::workload::budget::spend;
use crate::workload::string_fields::{StringField, StringFields};

/// One document, with what is needed to point at a value of it.
pub(crate) struct Settings<'w> {
    /// Its content.
    pub(crate) root: &'w Node,
    /// Language of a document in a string; `None` for the object itself.
    pub(crate) language: Option<Language>,
    /// The documents in its strings.
    inner: &'w [Inner],
    string_fields: &'w StringFields,
    kind: &'w str,
    name: &'w str,
    place: Place<'w>,
}

#[derive(Clone, Copy)]
enum Place<'w> {
    /// The object itself: offsets are numbers of strings.
    Object,
    /// The document in this string.
    String(&'w StringField),
    /// A document inside that document: its text, and where that starts in the text of the leaf.
    Inner(&'w StringField, &'w str, usize),
}

/// Every document of `workload`: the object itself first, then those in its strings.
pub(crate) fn settings<'w>(workload: &'w Workload<'_>) -> Vec<Settings<'w>> {
    if workload.string_fields.is_empty() {
        return Vec::new();
    }
    let object = Settings {
        root: workload.string_fields.object(),
        language: None,
        inner: &[],
        string_fields: &workload.string_fields,
        kind: workload.kind(),
        name: workload.name,
        place: Place::Object,
    };
    let mut inside = Vec::new();
    for string_field in workload.string_fields.iter() {
        if let Some(document) = string_field.document() {
            object.add(&mut inside, document, Place::String(string_field));
        }
    }
    inside.insert(0, object);
    inside
}

impl<'w> Settings<'w> {
    fn add(&self, found: &mut Vec<Self>, document: &'w Document, place: Place<'w>) {
        found.extend(roots(document).map(|root| Self {
            root,
            language: Some(document.language),
            inner: &document.inner,
            place,
            ..*self
        }));
        for inner in &document.inner {
            let place = match place {
                Place::Object => continue,
                Place::String(string_field) => {
                    Place::Inner(string_field, &inner.text, inner.offset)
                }
                Place::Inner(string_field, text, start) => {
                    let start = place_inside(string_field, text, start, inner.offset);
                    Place::Inner(string_field, &inner.text, start)
                }
            };
            self.add(found, &inner.document, place);
        }
    }
}

/// The objects that `document` holds: several YAML documents in one text, each of a kind of its
/// own, or the one whole.
fn roots(document: &Document) -> impl Iterator<Item = &Node> {
    let root = &document.root;
    let is_list = matches!(root.value, Value::List(_));
    let has_kinds = is_list
        && root
            .elements()
            .iter()
            .any(|element| element.get("kind").is_some());
    let roots = match has_kinds {
        true => root.elements(),
        false => std::slice::from_ref(root),
    };
    roots.iter()
}

impl Settings<'_> {
    /// The key of the string that the document is; empty for the object itself.
    pub(crate) fn key(&self) -> &str {
        match self.place {
            Place::Object => "",
            Place::String(string_field) | Place::Inner(string_field, ..) => string_field.key(),
        }
    }

    /// True for the object itself.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.place, Place::Object)
    }

    /// The kind of object that the document is: its own `kind`, as installers' files in a ConfigMap
    /// have it.
    pub(crate) fn kind(&self) -> &str {
        match self.place {
            Place::Object => self.kind,
            _ => self.root.text_of("kind").unwrap_or_default(),
        }
    }

    /// The kind of the object in which the document stands.
    pub(crate) fn object_kind(&self) -> &str {
        self.kind
    }

    /// The text that the document is; `None` for the object itself and for a document inside
    /// another.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.place {
            Place::String(string_field) => Some(&string_field.text),
            Place::Object | Place::Inner(..) => None,
        }
    }

    /// The name that a message gives the object: a file of kubeadm has none.
    pub(crate) fn object_name(&self) -> &str {
        match self.name {
            "" => self.kind,
            name => name,
        }
    }

    /// The field of `node`, which is a value of this document, and where in the text of that field
    /// it stands.
    pub(crate) fn place_of(&self, node: &Node) -> (String, Option<usize>) {
        match self.place {
            Place::Object => {
                let string_field = self.string_fields.at(node.offset);
                let first = string_field.map(|string_field| string_field.path.as_str());
                (
                    above(first.unwrap_or_default(), depth(node)).to_owned(),
                    None,
                )
            }
            Place::String(string_field) => (string_field.path.clone(), Some(node.offset)),
            Place::Inner(string_field, text, start) => {
                let offset = place_inside(string_field, text, start, node.offset);
                (string_field.path.clone(), Some(offset))
            }
        }
    }

    /// As for [`Self::place_of`], for what stands at `inside` in the text of `node`, as far as the
    /// spelling of that text shows it.
    pub(crate) fn place_within(&self, node: &Node, inside: usize) -> (String, Option<usize>) {
        let (field, start) = self.place_of(node);
        let text = node.text().unwrap_or_default();
        let offset = match self.place {
            Place::Object => Some(inside),
            Place::String(string_field) | Place::Inner(string_field, ..) => start.map(|start| {
                let source = string_field.text.get(start..).unwrap_or_default();
                start + aligned(text, inside, source).unwrap_or_default()
            }),
        };
        (field, offset)
    }

    /// True if the text of `node` is a document that [`settings`] has as well.
    pub(crate) fn holds_document(&self, node: &Node) -> bool {
        match self.place {
            Place::Object => {
                let string_field = self.string_fields.at(node.offset);
                string_field.is_some_and(|string_field| string_field.document().is_some())
            }
            _ => (self.inner.iter()).any(|inner| inner.offset == node.offset),
        }
    }
}

/// How many steps below `node`, which is a value of an object, its first text stands.
fn depth(node: &Node) -> usize {
    let is_first = |child: &&Node| child.offset == node.offset;
    let first = match &node.value {
        Value::Scalar(_) => None,
        // Elements without a text have the number of the next one.
        Value::List(elements) => elements.iter().rfind(is_first),
        Value::Map(entries) => entries.iter().map(|(_, value)| value).rfind(is_first),
    };
    first.map_or(0, |first| 1 + depth(first))
}

/// The field that is so many steps above `field`.
fn above(field: &str, steps: usize) -> &str {
    (0..steps).fold(field, |field, _| {
        let start = if field.ends_with("']") {
            field.rfind("['")
        } else if field.ends_with(']') {
            field.rfind('[')
        } else {
            field.rfind('.')
        };
        &field[..start.unwrap_or_default()]
    })
}

/// Where `offset` of `text` stands in the text of `string_field`, in which the string starts at
/// `start`; the start, where escapes inside escapes hide it.
fn place_inside(string_field: &StringField, text: &str, start: usize, offset: usize) -> usize {
    let source = string_field.text.get(start..).unwrap_or_default();
    start + aligned(text, offset, source).unwrap_or_default()
}

/// The maps of `root`, each with the key under which it stands; none, where the budget does not
/// suffice for a look at all of it.
pub(crate) fn maps(root: &Node) -> Vec<(&str, &Node)> {
    let is_map = |(_, node): &(&str, &Node)| !node.entries().is_empty();
    nodes(root).into_iter().filter(is_map).collect()
}

/// The scalars of `root`, each with its key and text; none, as for [`maps`].
pub(crate) fn scalars(root: &Node) -> Vec<(&str, &Node, &str)> {
    let nodes = nodes(root).into_iter();
    let found = nodes.filter_map(|(key, node)| Some((key, node, node.text()?)));
    found.collect()
}

fn nodes(root: &Node) -> Vec<(&str, &Node)> {
    let mut found = Vec::new();
    // Whoever asks for the values of many parts is stopped before the first look too many.
    if spend(0) {
        root.walk(&mut |key, node| found.push((key, node)));
    }
    if !spend(found.len()) {
        found.clear();
    }
    found
}
