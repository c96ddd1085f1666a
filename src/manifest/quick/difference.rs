//! What the quick reader and the parser make of the same document: for tests and fuzzing.

use super::read;
use crate::manifest::documents::Document;
use crate::manifest::full;
use crate::manifest::tree::{NodeId, Tree, Value};

/// Where the quick reader builds another tree than the parser, which is a defect; `None` also where it gives up.
pub fn difference(document: &Document<'_>) -> Option<String> {
    let quick = read(document)?;
    match full::parse(document) {
        Err(error) => Some(format!("the parser refuses it: {error:?}")),
        Ok(full) => quick.root().zip(full.root()).map_or_else(
            || Some("no root".to_owned()),
            |(a, b)| different((&quick, a), (&full, b)),
        ),
    }
}

fn different(a: (&Tree<'_>, NodeId), b: (&Tree<'_>, NodeId)) -> Option<String> {
    let (tree_a, tree_b) = (a.0, b.0);
    let found = || {
        Some(format!(
            "{:?} at {:?}, by the parser {:?} at {:?}",
            tree_a.value(a.1),
            tree_a.place(a.1),
            tree_b.value(b.1),
            tree_b.place(b.1)
        ))
    };
    if tree_a.place(a.1) != tree_b.place(b.1) {
        return found();
    }
    match (tree_a.value(a.1), tree_b.value(b.1)) {
        (Value::Null, Value::Null) => None,
        (Value::Scalar(x), Value::Scalar(y)) if x == y => None,
        (Value::List(x), Value::List(y)) if x.len() == y.len() => x
            .iter()
            .zip(y)
            .find_map(|(&x, &y)| different((tree_a, x), (tree_b, y))),
        (Value::Map(x), Value::Map(y)) if x.len() == y.len() => {
            x.iter().zip(y).find_map(|(x, y)| {
                different((tree_a, x.0), (tree_b, y.0))
                    .or_else(|| different((tree_a, x.1), (tree_b, y.1)))
            })
        }
        _ => found(),
    }
}
