//! Texts: plain, quoted, and block scalars.

use std::borrow::Cow;

use super::{Reader, Word};
use crate::manifest::tree::{NodeId, Value};

impl<'t> Reader<'_, 't> {
    /// The text that begins here, outside of flow collections. Its end is behind it, and the blanks behind that.
    pub(super) fn word(&mut self) -> Option<Word<'t>> {
        let word = match self.peek()? {
            b'"' => self.double_quoted(),
            b'\'' => self.single_quoted(),
            _ => self.plain(|_| false),
        };
        self.skip_spaces();
        word
    }

    /// The text that begins here, in a flow collection.
    pub(super) fn flow_word(&mut self) -> Option<Word<'t>> {
        match self.peek()? {
            b'"' => self.double_quoted(),
            b'\'' => self.single_quoted(),
            _ => self.plain(|byte| matches!(byte, b',' | b'[' | b']' | b'{' | b'}')),
        }
    }

    /// A text without quotes. `ends` are the bytes that end it, or end it behind a colon.
    fn plain(&mut self, ends: impl Fn(u8) -> bool) -> Option<Word<'t>> {
        let start = self.at;
        let first = self.peek()?;
        let begins = first.is_ascii_alphanumeric() || !first.is_ascii() || b"_./$(<~+=^;\\)".contains(&first);
        // A dash may begin a text that goes on at once; at the start of a line it can be a document's marker.
        let second = || self.bytes.get(start + 1).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_'));
        if !(begins || first == b'-' && second() && !self.is_marker()) {
            return None;
        }
        let (mut at, mut end) = (start, start);
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b' ' => {
                    at += 1;
                    continue;
                }
                b'\n' => break,
                b'\t' => return None,
                b':' if self.is_blank(at + 1) || ends(self.bytes[at + 1]) => break,
                b'#' if at != end => break,
                byte if ends(byte) => break,
                _ => {}
            }
            at += 1;
            end = at;
        }
        self.at = end;
        Some(Word { text: Cow::Borrowed(&self.text[start..end]), is_plain: true, start })
    }

    fn single_quoted(&mut self) -> Option<Word<'t>> {
        let (start, mut from) = (self.at, self.at + 1);
        let mut text = Cow::Borrowed("");
        loop {
            let end = from + memchr::memchr2(b'\'', b'\n', &self.bytes[from..]).filter(|at| self.bytes[from + at] == b'\'')?;
            append(&mut text, &self.text[from..end]);
            if self.bytes.get(end + 1) != Some(&b'\'') {
                self.at = end + 1;
                return Some(Word { text, is_plain: false, start });
            }
            append(&mut text, "'");
            from = end + 2;
        }
    }

    fn double_quoted(&mut self) -> Option<Word<'t>> {
        let (start, mut from) = (self.at, self.at + 1);
        let mut text = Cow::Borrowed("");
        loop {
            let end = from + memchr::memchr3(b'"', b'\\', b'\n', &self.bytes[from..])?;
            append(&mut text, &self.text[from..end]);
            match self.bytes[end] {
                b'"' => {
                    self.at = end + 1;
                    return Some(Word { text, is_plain: false, start });
                }
                b'\\' => {
                    let (c, length) = self.escape(end + 1)?;
                    text.to_mut().push(c);
                    from = end + 1 + length;
                }
                _ => return None,
            }
        }
    }

    /// The character that the escape behind a backslash stands for, and its length. Halves of a pair are the parser's work.
    fn escape(&self, at: usize) -> Option<(char, usize)> {
        Some(match self.bytes.get(at)? {
            b'n' => ('\n', 1),
            b't' => ('\t', 1),
            b'r' => ('\r', 1),
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'e' => ('\u{1b}', 1),
            b'0' => ('\0', 1),
            byte @ (b'"' | b'\\' | b'/' | b' ') => (char::from(*byte), 1),
            b'u' => {
                let digits = self.text.get(at + 1..at + 5).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
                (char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, 5)
            }
            _ => return None,
        })
    }

    /// The block scalar whose `|` or `>` is here, below something in `column`. Gives up at an indentation that is written out.
    pub(super) fn block_scalar(&mut self, column: usize) -> Option<NodeId> {
        let is_literal = self.peek() == Some(b'|');
        self.at += 1;
        let chomp = self.peek().filter(|byte| matches!(byte, b'-' | b'+'));
        self.at += usize::from(chomp.is_some());
        self.skip_spaces();
        if self.peek()? != b'\n' {
            return None;
        }
        let (indent, place) = self.block_scalar_start(column)?;
        let mut content = Content { text: String::new(), is_literal, breaks: 0, was_blank: false, has_lines: false };
        // The first line begins behind its indentation; the breaks before it were counted there.
        content.breaks = place.1;
        loop {
            let end = self.at + memchr::memchr(b'\n', &self.bytes[self.at..]).unwrap_or(self.bytes.len() - self.at);
            content.add(&self.text[self.at..end]);
            self.at = end;
            if !self.block_scalar_line(indent, &mut content.breaks) {
                break;
            }
        }
        match chomp {
            Some(b'-') => {}
            Some(_) => content.text.extend(std::iter::repeat_n('\n', content.breaks + 1)),
            None => content.text.push('\n'),
        }
        self.next_line()?;
        if self.indent.is_some_and(|indent| indent > column) {
            return None;
        }
        Some(self.push(Value::Scalar(Cow::Owned(content.text)), place.0))
    }

    /// From the end of the header to the first content: its indentation, its place, and the empty lines before it.
    fn block_scalar_start(&mut self, column: usize) -> Option<(usize, ((u32, u32), usize))> {
        let mut breaks = 0;
        loop {
            self.newline();
            let start = self.at;
            self.skip_spaces();
            let indent = self.at - start;
            match self.peek()? {
                // Blanks in a line without content can set the indentation, or break it.
                b'\n' if indent <= column + 1 => breaks += 1,
                b'\n' => return None,
                _ if indent > column => return Some((indent, (self.place(self.at), breaks))),
                _ => return None,
            }
        }
    }

    /// From the end of one line of content to the start of the next, counting the empty ones between; false if there is none.
    fn block_scalar_line(&mut self, indent: usize, breaks: &mut usize) -> bool {
        *breaks = 0;
        loop {
            if self.peek().is_none() {
                return false;
            }
            let end = self.at;
            self.newline();
            let start = self.at;
            while self.at - start < indent && self.peek() == Some(b' ') {
                self.at += 1;
            }
            match self.peek() {
                Some(b'\n') => *breaks += 1,
                Some(_) if self.at - start == indent => return true,
                // What comes is no content: its line is read again, as one that may be a comment or something else.
                _ => {
                    self.line -= 1;
                    self.at = end;
                    return false;
                }
            }
        }
    }
}

/// Adds `part` to `text`, which stays borrowed as long as there is one part.
fn append<'t>(text: &mut Cow<'t, str>, part: &'t str) {
    if text.is_empty() {
        *text = Cow::Borrowed(part);
    } else {
        text.to_mut().push_str(part);
    }
}

/// The lines of a block scalar, joined.
struct Content {
    text: String,
    is_literal: bool,
    /// Empty lines since the last content.
    breaks: usize,
    /// The last line began with a blank.
    was_blank: bool,
    has_lines: bool,
}

impl Content {
    fn add(&mut self, line: &str) {
        let is_blank = line.starts_with([' ', '\t']);
        let folds = !self.is_literal && self.has_lines && !self.was_blank && !is_blank;
        if folds && self.breaks == 0 {
            self.text.push(' ');
        } else if self.has_lines && !folds {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n('\n', self.breaks));
        self.text.push_str(line);
        self.was_blank = is_blank;
        self.has_lines = true;
    }
}
