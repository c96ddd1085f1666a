//! Words of the page: names, times, anchors; each cut to a size that a table bears.

use crate::finding::text::elide;

/// A name in a table, cut in the middle.
pub(super) fn short(text: &str) -> String {
    elide(text, 72)
}

/// `2026-11-20 10:00 UTC`
pub(super) fn minute(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(clock)) => format!("{day} {clock} UTC"),
        _ => time.to_owned(),
    }
}

/// The texts that say something.
pub(super) fn filled<const N: usize>(texts: [String; N]) -> Vec<String> {
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

/// The anchor of a thing with these names, which no other one has.
pub(super) fn anchor(what: &str, names: &[&str]) -> String {
    let mut anchor = what.to_owned();
    for name in names {
        anchor.push('.');
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                anchor.push(char::from(byte));
            } else {
                anchor.push_str(&format!("_{byte:02x}"));
            }
        }
    }
    anchor
}
