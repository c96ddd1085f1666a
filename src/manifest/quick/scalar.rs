//! Texts: plain, quoted, and block scalars.

use std::borrow::Cow;

use super::{Reader, Word};
use crate::manifest::tree::{NodeId, Value};

impl<'t> Reader<'_, 't> {
    /// The text that begins here, outside of flow collections, and the blanks behind it. A plain one only up to the end of its line.
    pub(super) fn word(&mut self) -> Option<Word<'t>> {
        let word = self.any_word(|_| false);
        self.skip_spaces();
        word
    }

    /// The text that begins here, in a flow collection.
    pub(super) fn flow_word(&mut self) -> Option<Word<'t>> {
        self.any_word(|byte| matches!(byte, b',' | b'[' | b']' | b'{' | b'}'))
    }

    /// `ends` are the bytes that end a plain text, or end it behind a colon.
    fn any_word(&mut self, ends: impl Fn(u8) -> bool) -> Option<Word<'t>> {
        let (start, line, place) = (self.at, self.line, self.place(self.at));
        let quote = self.peek()?;
        let text = match quote {
            b'"' => self.double_quoted(),
            b'\'' => self.single_quoted(),
            _ if self.is_plain_start(&ends) => self.plain(&ends).map(Cow::Borrowed),
            _ => None,
        };
        Some(Word {
            text: text?,
            is_plain: !matches!(quote, b'"' | b'\''),
            start,
            line,
            place,
        })
    }

    /// Whether a plain text can begin here. Fewer than YAML allows.
    fn is_plain_start(&self, ends: impl Fn(u8) -> bool) -> bool {
        let Some(&first) = self.bytes.get(self.at) else {
            return false;
        };
        let next = self.bytes.get(self.at + 1);
        match first {
            // At the start of a line a dash can be a document's marker.
            b'-' => {
                !self.is_marker()
                    && next.is_some_and(|b| {
                        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_')
                    })
            }
            b':' => !ends(b',') && next.is_some_and(u8::is_ascii_alphanumeric),
            _ => {
                first.is_ascii_alphanumeric()
                    || !first.is_ascii()
                    || b"_./$(<~+=^;\\)".contains(&first)
            }
        }
    }

    /// The plain text from here to where it ends in this line.
    fn plain(&mut self, ends: impl Fn(u8) -> bool) -> Option<&'t str> {
        let start = self.at;
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
        Some(&self.text[start..end])
    }

    /// Adds the lines in which a plain text goes on: those that are indented more than `column`.
    pub(super) fn continue_plain(&mut self, word: &mut Word<'t>, column: usize) -> Option<()> {
        while self.peek() == Some(b'\n') {
            let (end, line) = (self.at, self.line);
            let (indent, breaks) = self.skip_empty_lines();
            match self.peek() {
                Some(b'\t') => return None,
                Some(byte) if indent > column && byte != b'#' => {}
                _ => {
                    (self.at, self.line) = (end, line);
                    break;
                }
            }
            let more = self.plain(|_| false)?;
            if more.is_empty() {
                return None;
            }
            fold(word.text.to_mut(), breaks);
            word.text.to_mut().push_str(more);
            self.skip_spaces();
        }
        Some(())
    }

    /// From the end of a line to the content of the next that has any: its indentation, and how many were empty.
    fn skip_empty_lines(&mut self) -> (usize, usize) {
        let mut breaks = 0;
        loop {
            self.newline();
            let start = self.at;
            self.skip_spaces();
            if self.peek() != Some(b'\n') {
                return (self.at - start, breaks);
            }
            breaks += 1;
        }
    }

    fn single_quoted(&mut self) -> Option<Cow<'t, str>> {
        let mut text = Cow::Borrowed("");
        self.at += 1;
        loop {
            let end = self.at + memchr::memchr2(b'\'', b'\n', &self.bytes[self.at..])?;
            append(&mut text, &self.text[self.at..end]);
            self.at = end;
            if self.bytes[end] == b'\n' {
                self.fold_quoted(&mut text)?;
                continue;
            }
            self.at += 1;
            if self.peek() != Some(b'\'') {
                return Some(text);
            }
            append(&mut text, "'");
            self.at += 1;
        }
    }

    fn double_quoted(&mut self) -> Option<Cow<'t, str>> {
        let mut text = Cow::Borrowed("");
        self.at += 1;
        loop {
            let end = self.at + memchr::memchr3(b'"', b'\\', b'\n', &self.bytes[self.at..])?;
            append(&mut text, &self.text[self.at..end]);
            self.at = end;
            match self.bytes[end] {
                b'"' => {
                    self.at += 1;
                    return Some(text);
                }
                b'\n' => self.fold_quoted(&mut text)?,
                _ => {
                    let (c, length) = self.escape(end + 1)?;
                    text.to_mut().push(c);
                    self.at = end + 1 + length;
                }
            }
        }
    }

    /// Joins the lines of a quoted text at the line feed that is here.
    fn fold_quoted(&mut self, text: &mut Cow<'t, str>) -> Option<()> {
        let kept = text.trim_end_matches([' ', '\t']).len();
        let (indent, breaks) = self.skip_empty_lines();
        // Blanks before the line feed count for nothing, unless they were escaped: that is for the parser to know.
        if kept != text.len() || self.peek() == Some(b'\t') || (indent == 0 && self.is_marker()) {
            return None;
        }
        fold(text.to_mut(), breaks);
        Some(())
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
                let digits = self
                    .text
                    .get(at + 1..at + 5)
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
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
        let (indent, breaks) = self.block_scalar_start(column)?;
        let place = self.place(self.at);
        let mut content = Content {
            text: String::new(),
            is_literal,
            breaks,
            was_blank: false,
            has_lines: false,
        };
        loop {
            let end = self.at
                + memchr::memchr(b'\n', &self.bytes[self.at..])
                    .unwrap_or(self.bytes.len() - self.at);
            content.add(&self.text[self.at..end]);
            self.at = end;
            if !self.block_scalar_line(indent, &mut content.breaks) {
                break;
            }
        }
        match chomp {
            Some(b'-') => {}
            Some(_) => content
                .text
                .extend(std::iter::repeat_n('\n', content.breaks + 1)),
            None => content.text.push('\n'),
        }
        self.next_line()?;
        if self.indent.is_some_and(|indent| indent > column) {
            return None;
        }
        Some(self.push(Value::Scalar(Cow::Owned(content.text)), place))
    }

    /// From the end of the header to the first content: its indentation, and how many lines before it are empty.
    fn block_scalar_start(&mut self, column: usize) -> Option<(usize, usize)> {
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
                _ if indent > column => return Some((indent, breaks)),
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

/// Joins two lines with `breaks` empty ones between them.
fn fold(text: &mut String, breaks: usize) {
    if breaks == 0 {
        text.push(' ');
    }
    text.extend(std::iter::repeat_n('\n', breaks));
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
