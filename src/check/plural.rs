//! Counts with the right number of the noun.

/// `1 object`, `2 objects`.
pub(super) fn many(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
