//! Text of strangers made fit to show: cut to size, and with nothing in it that a terminal or a
//! header obeys.

use std::fmt::Display;

/// `1 scan`, `2 scans`; of `write of a kind` the first word is counted, of `open finding` the last.
pub(crate) fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    match noun.split_once(' ') {
        Some((word, rest)) if rest.contains(' ') => format!("{number} {word}{plural} {rest}"),
        _ => format!("{number} {noun}{plural}"),
    }
}

/// `text` cut to `limit` bytes at a character, with `…` where it was cut.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// `text` cut in the middle to `limit` characters, which keeps the telling ends of a name or a
/// path.
pub(crate) fn elide(text: &str, limit: usize) -> String {
    let count = text.chars().count();
    if count <= limit {
        return text.to_owned();
    }
    let tail = limit / 2;
    let head = limit - tail - 1;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{start}…{end}")
}

/// Control characters as `\u{…}`: a warning that holds one is dropped by the API server without a
/// trace (apimachinery: pkg/util/net/http.go), and a terminal obeys it.
pub(crate) fn escape_controls(text: &str) -> String {
    if is_plain(text) || !text.chars().any(is_unsafe) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if is_unsafe(c) {
                c.escape_unicode().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// `text` for a cell of a Markdown table: neither markup nor the end of the cell.
pub(crate) fn markdown_cell(text: &str) -> String {
    let mut escaped = String::new();
    for c in escape_controls(&clip(text, 300)).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '@' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// `text` as one word of a shell.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) && !text.starts_with('-') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// True for nothing but visible ASCII and spaces, as nearly all texts are.
pub(crate) fn is_plain(text: &str) -> bool {
    // Without an early end, so that the compiler looks at many bytes at a time.
    let is_shown = |byte| matches!(byte, b' '..=b'~');
    text.bytes().fold(true, |all, byte| all & is_shown(byte))
}

/// Control characters, line separators, and the marks that reorder text on a terminal.
fn is_unsafe(c: char) -> bool {
    let is_separator = matches!(c, '\u{2028}'..='\u{2029}');
    let reorders =
        matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_separator || reorders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(clip("äöü", 4), "…".to_owned());
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(elide("abcdefghij", 5), "ab…ij");
        assert_eq!(elide("äöüäöü", 3), "ä…ü");
    }

    #[test]
    fn controls_become_visible() {
        assert_eq!(
            escape_controls("a\nb\u{1b}[31m\u{202e}"),
            "a\\u{a}b\\u{1b}[31m\\u{202e}"
        );
        assert_eq!(escape_controls("plain é"), "plain é");
    }
}
