//! Every text of an object with its field path, for objects without a pod spec: ConfigMaps, Nodes,
//! installers' objects.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use std::cell::OnceCell;

use super::budget;
use super::text::LenientStr;
use crate::embedded::{Document, Node, TooLarge, Value};

/// The texts of an object, in the order of the input.
#[derive(Clone, Debug, Default)]
pub struct StringFields {
    found: Vec<StringField>,
    /// What their paths and texts take.
    bytes: usize,
    /// See [`StringFields::object`].
    object: OnceCell<Node>,
}

/// One text.
#[derive(Clone, Debug)]
pub struct StringField {
    /// Field path, with `['…']` around keys that hold a dot or a bracket.
    pub path: String,
    /// The text.
    pub text: String,
    /// The text as a document, if it is one; parsed once.
    document: OnceCell<Result<Option<Box<Document>>, TooLarge>>,
}

impl StringField {
    fn new(path: String, text: String) -> Self {
        Self {
            path,
            text,
            document: OnceCell::new(),
        }
    }

    /// The last key of the path: `fluent-bit.conf` of `data['fluent-bit.conf']`.
    pub fn key(&self) -> &str {
        match self.path.strip_suffix("']") {
            Some(path) => path.rsplit_once("['").map_or(path, |(_, key)| key),
            None => self
                .path
                .rsplit_once('.')
                .map_or(&self.path, |(_, key)| key),
        }
    }

    /// Name of the file and start of its text, for a literal of kustomize's generators:
    /// `NAME=TEXT`.
    fn literal(&self) -> Option<(&str, usize)> {
        if !self.path.contains(".literals[") {
            return None;
        }
        let (name, _) = self.text.split_once('=')?;
        (!name.contains(char::is_whitespace)).then_some((name, name.len() + 1))
    }

    /// The text as a document, if it is one. What is too large for that, or for what is left of
    /// the budget, is not evaluated.
    pub fn document(&self) -> Option<&Document> {
        match self.document.get_or_init(|| self.parse()) {
            Ok(document) => document.as_deref(),
            Err(TooLarge) => {
                budget::exceed();
                None
            }
        }
    }

    fn parse(&self) -> Result<Option<Box<Document>>, TooLarge> {
        if !budget::spend(self.text.len() * PARSING_STEPS) {
            return Err(TooLarge);
        }
        let document = match self.literal() {
            Some((name, start)) => Document::parse_from(name, &self.text, start)?,
            None => Document::parse(self.key(), &self.text)?,
        };
        let nodes = document.as_ref().map_or(0, |document| document.nodes);
        if !(budget::spend(nodes * NODE_STEPS) && budget::keep(nodes * NODE_BYTES)) {
            return Err(TooLarge);
        }
        Ok(document.map(Box::new))
    }
}

/// What it costs to read a byte of a document, and to make and look at a value of it.
const PARSING_STEPS: usize = 4;
const NODE_STEPS: usize = 16;
/// What a value takes, with its key and its text.
const NODE_BYTES: usize = size_of::<(String, Node)>() + 24;

/// Objects are read this deep; their structs in Kubernetes end far above it.
const MAX_DEPTH: usize = 64;
/// Longest text that is a setting of the object itself, in bytes: a longer one is a document of its
/// own, or data.
const MAX_SETTING: usize = 64 * 1024;
/// What the texts of an object may take with their paths, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Elements of a list that are kept in the tree of the object.
const MAX_ELEMENTS: usize = 100_000;

impl StringFields {
    /// True for an object whose texts nobody asked for, too.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All texts.
    pub fn iter(&self) -> impl Iterator<Item = &StringField> {
        self.found.iter()
    }

    /// True if the object has more texts than are read: long keys inside each other make long
    /// paths.
    pub fn is_cut(&self) -> bool {
        self.bytes > MAX_BYTES
    }

    fn push(&mut self, path: String, text: &str) {
        self.bytes += size_of::<StringField>() + path.len() + text.len();
        if !self.is_cut() {
            self.found.push(StringField::new(path, text.to_owned()));
        }
    }

    /// Reads the texts below `field` as what their Base64 stands for, where that is a text.
    pub fn decode(&mut self, field: &str) {
        for string_field in &mut self.found {
            let below = string_field.path.strip_prefix(field);
            if below.is_some_and(|below| below.starts_with(['.', '['])) {
                let bytes = BASE64_STANDARD.decode(string_field.text.trim()).ok();
                let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                string_field.text = text.unwrap_or_default();
            }
        }
    }

    /// The text at `path`.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.found
            .iter()
            .find(|string_field| string_field.path == path)
            .map(|string_field| string_field.text.as_str())
    }

    /// The object itself as a tree. The `offset` of a scalar is the number of its text in
    /// [`StringFields::iter`], that of a list or map the number of its first text.
    pub fn object(&self) -> &Node {
        self.object.get_or_init(|| {
            let mut root = Node {
                value: Value::Map(Vec::new()),
                offset: 0,
            };
            let is_short =
                |(_, string_field): &(usize, &StringField)| string_field.text.len() <= MAX_SETTING;
            for (number, string_field) in self.found.iter().enumerate().filter(is_short) {
                let size = string_field.path.len() + string_field.text.len();
                if !(budget::spend(NODE_STEPS + size) && budget::keep(NODE_BYTES + size)) {
                    break;
                }
                insert(&mut root, &string_field.path, &string_field.text, number);
            }
            root
        })
    }

    /// The text with this number.
    pub fn at(&self, number: usize) -> Option<&StringField> {
        self.found.get(number)
    }
}

/// Puts `text` at `path` (`a.b[0]['c.d']`) below `node`. Texts come in the order of the object, so
/// each belongs to the end of what is there.
fn insert(node: &mut Node, path: &str, text: &str, number: usize) {
    let Some((step, rest)) = first_step(path) else {
        node.value = Value::Scalar(text.to_owned());
        return;
    };
    let child = |value| Node {
        value,
        offset: number,
    };
    let is_list = rest.starts_with('[') && !rest.starts_with("['");
    let empty = || {
        child(if is_list {
            Value::List(Vec::new())
        } else {
            Value::Map(Vec::new())
        })
    };
    let inner = match &mut node.value {
        Value::Map(entries) => {
            if entries.last().is_none_or(|(key, _)| key != step) {
                entries.push((step.to_owned(), empty()));
            }
            entries.last_mut().map(|(_, inner)| inner)
        }
        Value::List(elements) => {
            // Elements without a text have no number of their own.
            let at = step.parse::<usize>().unwrap_or_default();
            while elements.len() <= at && elements.len() < MAX_ELEMENTS {
                elements.push(empty());
            }
            elements.last_mut()
        }
        Value::Scalar(_) => None,
    };
    if let Some(inner) = inner {
        insert(inner, rest, text, number);
    }
}

/// The first key or index of `path`, and what follows it.
fn first_step(path: &str) -> Option<(&str, &str)> {
    if path.is_empty() {
        return None;
    }
    if let Some(inner) = path.strip_prefix("['") {
        let end = inner.find("']")?;
        return Some((&inner[..end], &inner[end + 2..]));
    }
    if let Some(inner) = path.strip_prefix('[') {
        let end = inner.find(']')?;
        return Some((&inner[..end], &inner[end + 1..]));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let end = path.find(['.', '[']).unwrap_or(path.len());
    Some((&path[..end], &path[end..]))
}

impl<'de> Deserialize<'de> for StringFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut string_fields = Self::default();
        Collector {
            string_fields: &mut string_fields,
            path: String::new(),
            depth: 0,
        }
        .deserialize(deserializer)?;
        Ok(string_fields)
    }
}

struct Collector<'l> {
    string_fields: &'l mut StringFields,
    path: String,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Collector<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > MAX_DEPTH {
            return IgnoredAny::deserialize(deserializer).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collector<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.string_fields.push(self.path, text);
        Ok(())
    }

    /// Nothing, or an empty map, is a setting as well: `docker: {}`.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_str("")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let mut index = 0;
        let depth = self.depth + 1;
        while sequence
            .next_element_seed(Collector {
                string_fields: &mut *self.string_fields,
                path: format!("{}[{index}]", self.path),
                depth,
            })?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        let mut is_empty = true;
        while let Some(key) = map.next_key::<LenientStr<'de>>()? {
            is_empty = false;
            // What others wrote about the object is not the object.
            if matches!(
                key.as_str(),
                "managedFields" | "kubectl.kubernetes.io/last-applied-configuration"
            ) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let path = if key.contains(['.', '[', ']', '\'']) {
                format!("{}['{key}']", self.path)
            } else if self.path.is_empty() {
                key.to_string()
            } else {
                format!("{}.{key}", self.path)
            };
            map.next_value_seed(Collector {
                string_fields: &mut *self.string_fields,
                path,
                depth,
            })?;
        }
        if is_empty {
            self.string_fields.push(self.path, "");
        }
        Ok(())
    }
}
