//! Counts with the right plural, for verdicts and outputs.

/// `1 scan`, `2 scans`
pub(super) fn count(number: u64, noun: &str) -> String {
    let (word, rest) = noun.split_once(' ').unwrap_or((noun, ""));
    let plural = if number == 1 { "" } else { "s" };
    // The first word is the one that is counted: `writes of a reviewed kind`; of `open finding`, the last.
    match rest.split_once(' ') {
        Some(_) => format!("{number} {word}{plural} {rest}"),
        None => format!("{number} {noun}{plural}"),
    }
}
