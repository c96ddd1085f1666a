//! Words in texts.

use memchr::memmem;

use super::budget::spend;

/// Up to this length a plain scan for the first byte beats a searcher's set-up.
const SHORT: usize = 256;

/// Bytes that a search looks at in the time of one step.
const SEARCHED_AT_ONCE: usize = 32;

/// True if `text` holds `needle`. A long text that the budget does not suffice for holds nothing.
pub(crate) fn mentions(text: &str, needle: &str) -> bool {
    if text.len() <= SHORT {
        return occurrences(text, needle).next().is_some();
    }
    spend(text.len() / SEARCHED_AT_ONCE)
        && memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}

/// Where `needle` stands in `text`, both of which are short.
pub(crate) fn occurrences(text: &str, needle: &str) -> impl Iterator<Item = usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    memchr::memchr_iter(needle[0], text).filter(move |at| text[*at..].starts_with(needle))
}
