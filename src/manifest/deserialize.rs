//! Reads a tree into the same shapes into which a review's JSON is read, and says where a shape is
//! wrong.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::error::ManifestError;
use super::tree::{MAX_DEPTH, NodeId, Tree, Value};

impl Tree<'_> {
    /// Reads the node as a `T`.
    ///
    /// # Errors
    /// Where its shape is another.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self, node: NodeId) -> Result<T, ManifestError> {
        self.refill();
        T::deserialize(NodeReader {
            tree: self,
            node,
            depth: 0,
        })
        .map_err(|error| {
            let (line, column) = error.place.unwrap_or_else(|| self.place(node));
            ManifestError {
                line,
                column,
                message: error.message,
            }
        })
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
struct NodeReader<'a, 't> {
    tree: &'a Tree<'t>,
    node: NodeId,
    /// Collections around the node, aliases followed.
    depth: usize,
}

/// What is wrong, and, as soon as a node is known, where.
#[derive(Debug)]
struct ReadError {
    message: String,
    place: Option<(usize, usize)>,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            place: None,
        }
    }
}

impl<'a, 't> NodeReader<'a, 't> {
    /// The reader of another node at the same depth.
    fn of(self, node: NodeId) -> Self {
        Self { node, ..self }
    }

    fn at(self, error: ReadError) -> ReadError {
        ReadError {
            place: error.place.or_else(|| Some(self.tree.place(self.node))),
            ..error
        }
    }
}

impl<'de> Deserializer<'de> for NodeReader<'de, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if !self.tree.spend() {
            return Err(self.at(de::Error::custom(
                "through aliases this document becomes too large to read",
            )));
        }
        if self.depth > MAX_DEPTH {
            return Err(self.at(de::Error::custom(
                "through aliases this document nests too deep",
            )));
        }
        let inside = NodeReader {
            depth: self.depth + 1,
            ..self
        };
        let read = match self.tree.value(self.node) {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(text) => visitor.visit_borrowed_str(text),
            Value::List(elements) => visitor.visit_seq(Elements {
                inside,
                left: elements.iter(),
            }),
            Value::Map(_) => visitor.visit_map(Entries {
                inside,
                pairs: self.tree.entries(self.node),
                at: 0,
            }),
        };
        read.map_err(|error| self.at(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

struct Elements<'a, 't> {
    /// Reads what is inside of the list.
    inside: NodeReader<'a, 't>,
    left: std::slice::Iter<'a, NodeId>,
}

impl<'a> SeqAccess<'a> for Elements<'a, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let next = self.left.next();
        next.map(|&node| seed.deserialize(self.inside.of(node)))
            .transpose()
    }
}

struct Entries<'a, 't> {
    /// Reads what is inside of the map.
    inside: NodeReader<'a, 't>,
    pairs: std::borrow::Cow<'a, [(NodeId, NodeId)]>,
    at: usize,
}

impl<'a> MapAccess<'a> for Entries<'a, '_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let next = self.pairs.get(self.at);
        next.map(|&(node, _)| seed.deserialize(self.inside.of(node)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let (_, node) = self.pairs[self.at];
        self.at += 1;
        seed.deserialize(self.inside.of(node))
    }
}
