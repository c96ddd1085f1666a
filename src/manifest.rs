//! Manifests: text of files in, objects with their places out. YAML and JSON alike, many documents,
//! lists unwrapped.
//!
//! A document that cannot be read costs only itself.

mod deserialize;
mod documents;
mod error;
mod files;
mod inner_pods;
mod locate;
mod parser;
mod tree;

pub use documents::{Document, documents};
pub use error::ManifestError;
pub(crate) use files::may_be_file;
use tree::{NodeId, Tree};

use crate::kinds::{self, Kind};
use crate::workload::inner_pod::InnerPod;
use crate::workload::object::{Metadata, Object};
use crate::workload::shape::shape;
use crate::workload::string_fields::StringFields;
use crate::workload::text::LenientStr;
use crate::workload::{owner, rendered};

/// A document that was read.
#[derive(Debug)]
pub struct Manifest<'t> {
    tree: Tree<'t>,
    items: Vec<Item>,
    skipped: usize,
}

/// An object of a document: the document itself, or an item of a list.
#[derive(Clone, Debug)]
pub struct Item {
    node: NodeId,
    api_version: String,
    /// From the list around it where it names none itself.
    kind: String,
    /// For a file that is no Kubernetes object: what it is called. Objects have names of their own.
    name: String,
}

shape! {
    /// The envelope of any object.
    struct Envelope<'a> {
        kind: LenientStr<'a> = "kind",
        api_version: LenientStr<'a> = "apiVersion",
    }

    /// What is read of an object whose other fields mean something of its own.
    struct Heading<'a> {
        kind: LenientStr<'a> = "kind",
        api_version: LenientStr<'a> = "apiVersion",
        metadata: Metadata<'a> = "metadata",
    }
}

impl<'t> Manifest<'t> {
    /// Reads `document`.
    ///
    /// # Errors
    /// Where it is not YAML or JSON, or is no object.
    pub fn parse(document: &Document<'t>) -> Result<Self, ManifestError> {
        let tree = parser::parse(document)?;
        let mut manifest = Self {
            items: Vec::new(),
            skipped: 0,
            tree,
        };
        if let Some(root) = manifest.tree.root() {
            manifest.collect(root, None)?;
        }
        Ok(manifest)
    }

    /// The objects, in the order of the document.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Reads the object of `item`; `None` for one that is no Kubernetes object or has no pod spec
    /// to speak of.
    ///
    /// # Errors
    /// Where a field that rules read has another shape than the API gives it.
    pub fn object<'a>(&'a self, item: &'a Item) -> Result<Object<'a>, ManifestError> {
        let mut object: Object<'_> = match self.tree.read(item.node) {
            Ok(object) => object,
            // A custom resource may use the names of a workload's fields for something else; what
            // is no workload has no pod spec.
            Err(error) if item.is_workload() => return Err(error),
            Err(_) => {
                let heading: Heading<'_> = self.tree.read(item.node).unwrap_or_default();
                Object {
                    api_version: heading.api_version,
                    kind: heading.kind,
                    metadata: heading.metadata,
                    ..Object::default()
                }
            }
        };
        if object.kind.is_empty() {
            object.set_type(
                LenientStr::from(&*item.api_version),
                LenientStr::from(&*item.kind),
            );
        }
        if !item.name.is_empty() {
            object.metadata.name = LenientStr::from(&*item.name);
        }
        Ok(object)
    }

    /// The pods inside `item`, if it is a custom resource; those of Kubernetes' own kinds lie where
    /// [`Object`] has them.
    pub fn inner_pods<'a>(&'a self, item: &'a Item) -> Vec<InnerPod<'a>> {
        let group = item.group();
        let holds_none = WITHOUT_PODS.iter().any(|end| group.ends_with(end))
            || rendered::is_rendered(group, item.kind());
        if group.contains('.') && !holds_none {
            inner_pods::find(&self.tree, item.node)
        } else {
            Vec::new()
        }
    }

    /// All texts of `item`.
    ///
    /// # Errors
    /// Where aliases make too many of them.
    pub fn string_fields(&self, item: &Item) -> Result<StringFields, ManifestError> {
        self.tree.read(item.node)
    }

    /// Line and column at which `item` starts.
    pub fn start(&self, item: &Item) -> (usize, usize) {
        self.tree.place(item.node)
    }

    /// Line and column of the value at `field` of `item`; those of the deepest part that exists
    /// where it does not.
    pub fn locate(&self, item: &Item, field: &str) -> (usize, usize) {
        self.tree.place_at(item.node, field)
    }

    /// The text at `field` of `item`, as YAML reads it; that of the deepest part that exists, if it
    /// is a text.
    pub fn text(&self, item: &Item, field: &str) -> Option<&str> {
        self.tree.text(self.tree.find(item.node, field))
    }

    /// Parts that are no Kubernetes objects: Helm values, kustomizations, other YAML.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Adds the object at `node`, or those of the list at `node`: one of Kubernetes' lists, the
    /// lists of clients that leave out the kind, and plain sequences.
    fn collect(&mut self, node: NodeId, implied_kind: Option<String>) -> Result<(), ManifestError> {
        if self.tree.is_null(node) {
            return Ok(());
        }
        let envelope: Envelope<'_> = if self.tree.is_map(node) {
            self.tree.read(node)?
        } else {
            Envelope::default()
        };
        let is_nameless = envelope.kind.is_empty() && implied_kind.is_none();
        let file = files::kind_of(&self.tree, node).filter(|_| is_nameless);
        if let Some((kind, name)) = file {
            self.items.push(Item {
                node,
                api_version: String::new(),
                kind: kind.to_owned(),
                name,
            });
            return Ok(());
        }
        let items = self
            .tree
            .get(node, "items")
            .filter(|items| self.tree.is_list(*items));
        let list = envelope.kind.strip_suffix("List").map(str::to_owned);
        if let (Some(list), Some(items)) = (list, items) {
            for item in self.tree.elements(items) {
                self.collect(item, (!list.is_empty()).then(|| list.clone()))?;
            }
        } else if is_nameless {
            let elements = self.tree.elements(items.unwrap_or(node));
            let before = self.items.len();
            let is_object = |element: &NodeId| self.tree.get(*element, "kind").is_some();
            let objects: Vec<_> = elements.into_iter().filter(is_object).collect();
            for element in objects {
                self.collect(element, None)?;
            }
            if self.items.len() == before {
                self.skipped += 1;
            }
        } else {
            let own = Some(envelope.kind.to_string()).filter(|kind| !kind.is_empty());
            let item = Item {
                node,
                api_version: envelope.api_version.to_string(),
                kind: own.or(implied_kind).unwrap_or_default(),
                name: String::new(),
            };
            self.items.push(item);
        }
        Ok(())
    }
}

impl Item {
    /// Its kind, from the list around it where it names none itself.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The group of its API; empty for the core.
    fn group(&self) -> &str {
        owner::group_of(&self.api_version)
    }

    /// True for kinds whose shape is fixed by Kubernetes itself.
    fn is_workload(&self) -> bool {
        let is_own_group = matches!(self.group(), "" | "apps" | "batch" | "extensions");
        is_own_group && kinds::find(&self.kind).is_some_and(Kind::is_workload)
    }
}

/// Groups, by the end of their names, without pods: definitions and roles are large for nothing,
/// and policies hold patterns of what they refuse.
const WITHOUT_PODS: [&str; 5] = [
    "apiextensions.k8s.io",
    "rbac.authorization.k8s.io",
    "gatekeeper.sh",
    "kyverno.io",
    "open-cluster-management.io",
];
