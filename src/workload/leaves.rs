//! Every text of an object with its field path, for objects without a pod spec: ConfigMaps, Nodes, installers' objects.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::text::Text;

/// The texts of an object, in the order of the input.
#[derive(Clone, Debug, Default)]
pub struct Leaves {
    found: Vec<Leaf>,
}

/// One text.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Field path, with `['…']` around keys that hold a dot or a bracket.
    pub path: String,
    /// The text.
    pub text: String,
}

/// Objects are read this deep; their structs in Kubernetes end far above it.
const MAX_DEPTH: usize = 64;

impl Leaves {
    /// All texts.
    pub fn iter(&self) -> impl Iterator<Item = &Leaf> {
        self.found.iter()
    }

    /// The text at `path`.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.found
            .iter()
            .find(|leaf| leaf.path == path)
            .map(|leaf| leaf.text.as_str())
    }
}

impl<'de> Deserialize<'de> for Leaves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut leaves = Self::default();
        Collector {
            leaves: &mut leaves,
            path: String::new(),
            depth: 0,
        }
        .deserialize(deserializer)?;
        Ok(leaves)
    }
}

struct Collector<'l> {
    leaves: &'l mut Leaves,
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
        self.leaves.found.push(Leaf {
            path: self.path,
            text: text.to_owned(),
        });
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
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
                leaves: &mut *self.leaves,
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
        while let Some(key) = map.next_key::<Text<'de>>()? {
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
                leaves: &mut *self.leaves,
                path,
                depth,
            })?;
        }
        Ok(())
    }
}
