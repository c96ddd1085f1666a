//! JSON into the tree, by way of YAML, of which it is a part.

use super::{Node, Room, yaml};

/// Reads `text`; `None` where it is neither.
pub(super) fn parse(text: &str, room: &mut Room) -> Option<Node> {
    // YAML knows no tabs between tokens, and in a string of JSON there is none.
    yaml::parse(&text.replace('\t', " "), room)
}
