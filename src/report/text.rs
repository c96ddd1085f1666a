//! Counts with the right plural, for verdicts and outputs.

/// `1 scan`, `2 scans`
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
