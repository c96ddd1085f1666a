//! A reader of the YAML that nearly all manifests are, several times as fast as the parser that reads all of YAML.
//!
//! It knows block maps and lists, plain and quoted texts, block scalars, flow collections and JSON. Where anything else comes
//! (anchors, tags, tabs between words, odd indentation, any error) it gives up, and the parser reads the document from its
//! start. So it never decides what is YAML: either it builds the very tree that the parser builds, places included, or none.
//! Property tests and a fuzz target hold it to that.

#[cfg(any(test, fuzzing))]
pub(super) mod difference;
mod flow;
mod scalar;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::documents::Document;
use super::tree::{MAX_DEPTH, Node, NodeId, Tree, Value, scalar};

/// Reads `document`; `None` where that is the parser's work.
pub(super) fn read<'t>(document: &Document<'t>) -> Option<Tree<'t>> {
    let text = document.text;
    let is_ascii = text.is_ascii();
    let is_readable = |b: u8| (b >= b' ' && b != 0x7f) || b == b'\n' || b == b'\t';
    // Folded, not searched: that is done for many bytes at once.
    let readable = text.bytes().fold(true, |all, b| all & is_readable(b))
        && (is_ascii || text.chars().all(is_printable));
    readable
        .then(|| Reader::new(document, is_ascii).document())
        .flatten()
}

/// Less than what YAML prints, by a few characters that mean something else in old versions of it.
fn is_printable(c: char) -> bool {
    c.is_ascii()
        || (c >= '\u{a0}'
            && !matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            ))
}

/// A key may be that long before the parser takes it for something else. In bytes: never more than its count of characters.
const MAX_KEY: usize = 1000;

struct Reader<'d, 't> {
    document: &'d Document<'t>,
    text: &'t str,
    bytes: &'t [u8],
    is_ascii: bool,
    nodes: Vec<Node<'t>>,
    /// Where it reads, in bytes.
    at: usize,
    /// Indentation of the line whose content comes next; `None` at the end.
    indent: Option<usize>,
    /// Number of the line, from 0.
    line: usize,
    /// Up to here the characters of the line are counted.
    counted: usize,
    column: usize,
    /// The document is one flow collection, as JSON is.
    is_flow: bool,
}

/// A plain or quoted text.
struct Word<'t> {
    text: Cow<'t, str>,
    is_plain: bool,
    /// Where it begins: in bytes, by line from 0, and in the file.
    start: usize,
    line: usize,
    place: (u32, u32),
}

impl<'d, 't> Reader<'d, 't> {
    fn new(document: &'d Document<'t>, is_ascii: bool) -> Self {
        let text = document.text;
        let nodes = Vec::with_capacity(text.len() / 16);
        let (bytes, is_flow) = (text.as_bytes(), false);
        Self {
            document,
            text,
            bytes,
            is_ascii,
            nodes,
            at: 0,
            indent: Some(0),
            line: 0,
            counted: 0,
            column: 0,
            is_flow,
        }
    }

    fn document(mut self) -> Option<Tree<'t>> {
        if self.text.starts_with("---") {
            self.at += 3;
            if !self.is_blank(self.at) {
                return None;
            }
            self.skip_spaces();
            if !self.is_line_end() {
                return None;
            }
        }
        self.next_line()?;
        let column = self.indent?;
        let root = if matches!(self.peek(), Some(b'{' | b'[')) {
            self.is_flow = true;
            let root = self.flow(0)?;
            self.end_line(None)?;
            root
        } else {
            self.node(None, column, 0)?
        };
        self.indent
            .is_none()
            .then(|| Tree::new(self.nodes, Some(root)))
    }

    /// What begins here, `column` behind the start of its line, below something in column `parent` and inside `depth` collections.
    fn node(&mut self, parent: Option<usize>, column: usize, depth: usize) -> Option<NodeId> {
        if self.is_dash() {
            let place = self.place(self.at);
            return self.list(column, place, depth);
        }
        if matches!(self.peek()?, b'[' | b'{' | b'|' | b'>') {
            return self.value(parent?, depth);
        }
        let word = self.word()?;
        if self.peek() == Some(b':') {
            self.map(column, word, depth)
        } else {
            self.text(word, parent?)
        }
    }

    /// The list whose first dash is here.
    fn list(&mut self, column: usize, place: (u32, u32), depth: usize) -> Option<NodeId> {
        let id = self.push(Value::List(Vec::new()), place);
        let depth = deeper(depth)?;
        let mut elements = Vec::new();
        loop {
            let dash = self.at;
            self.at += 1;
            self.skip_spaces();
            let inner = column + self.at - dash;
            elements.push(if self.is_line_end() {
                self.next_line()?;
                let indent = self.indent.filter(|indent| *indent > column)?;
                self.node(Some(column), indent, depth)?
            } else {
                self.node(Some(column), inner, depth)?
            });
            if !(self.is_indented_by(column)? && self.is_dash()) {
                break;
            }
        }
        self.nodes[id as usize].value = Value::List(elements);
        Some(id)
    }

    /// The map whose first key was read; its colon is here.
    fn map(&mut self, column: usize, mut key: Word<'t>, depth: usize) -> Option<NodeId> {
        let id = self.push(Value::Map(Vec::new()), key.place);
        let depth = deeper(depth)?;
        let mut pairs = Vec::new();
        loop {
            if !self.is_key(&key) || !self.is_blank(self.at + 1) {
                return None;
            }
            let key_id = self.push_word(key);
            let colon = self.at;
            self.at += 1;
            self.skip_spaces();
            let value = if self.is_line_end() {
                self.value_below(column, colon, depth)?
            } else {
                self.value(column, depth)?
            };
            pairs.push((key_id, value));
            if !self.is_indented_by(column)? {
                break;
            }
            key = self.word()?;
        }
        self.nodes[id as usize].value = Value::Map(pairs);
        Some(id)
    }

    /// The value of a key that has none in its line.
    fn value_below(&mut self, column: usize, colon: usize, depth: usize) -> Option<NodeId> {
        let place = self.place(colon);
        self.next_line()?;
        match self.indent {
            Some(indent) if indent > column => self.node(Some(column), indent, depth),
            Some(indent) if indent == column && self.is_dash() => {
                // For a list that is not indented the parser gives the place behind the first dash.
                let mut behind = self.at + 1;
                while self.bytes.get(behind) == Some(&b' ') {
                    behind += 1;
                }
                let place = self.place(behind);
                if matches!(self.bytes.get(behind), None | Some(b'\n' | b'#')) {
                    None
                } else {
                    self.list(column, place, depth)
                }
            }
            _ => Some(self.push(Value::Null, place)),
        }
    }

    /// The value that begins here, below something in `column`.
    fn value(&mut self, column: usize, depth: usize) -> Option<NodeId> {
        match self.peek()? {
            b'|' | b'>' => self.block_scalar(column),
            b'[' | b'{' => {
                let id = self.flow(depth)?;
                self.end_line(Some(column))?;
                Some(id)
            }
            _ => {
                let word = self.word()?;
                self.text(word, column)
            }
        }
    }

    /// The text that `word` begins, below something in `column`.
    fn text(&mut self, mut word: Word<'t>, column: usize) -> Option<NodeId> {
        if word.is_plain {
            self.continue_plain(&mut word, column)?;
        }
        let id = self.push_word(word);
        self.end_line(Some(column))?;
        Some(id)
    }

    /// Whether `word` is a key whose colon is here.
    fn is_key(&self, word: &Word<'_>) -> bool {
        self.peek() == Some(b':') && self.line == word.line && self.at - word.start <= MAX_KEY
    }

    /// Whether the next line goes on with what stands in `column`; gives up where it is indented more.
    fn is_indented_by(&self, column: usize) -> Option<bool> {
        match self.indent {
            Some(indent) if indent > column => None,
            indent => Some(indent == Some(column)),
        }
    }

    /// Goes to the next line, which may not be indented more than `column`: that would belong to what just ended.
    fn end_line(&mut self, column: Option<usize>) -> Option<()> {
        self.skip_spaces();
        if !self.is_line_end() {
            return None;
        }
        self.next_line()?;
        (self.indent.is_none() || self.indent <= column).then_some(())
    }

    /// True where the line holds nothing more, or a comment, which is skipped.
    fn is_line_end(&mut self) -> bool {
        if self.peek() == Some(b'#')
            && self
                .at
                .checked_sub(1)
                .is_none_or(|before| matches!(self.bytes[before], b' ' | b'\n'))
        {
            self.at +=
                memchr::memchr(b'\n', &self.bytes[self.at..]).unwrap_or(self.bytes.len() - self.at);
        }
        matches!(self.peek(), None | Some(b'\n'))
    }

    /// From the end of a line to the content of the next one that has any. Gives up at document markers.
    fn next_line(&mut self) -> Option<()> {
        loop {
            if self.peek() == Some(b'\n') {
                self.newline();
            }
            let start = self.at;
            self.skip_spaces();
            match self.peek() {
                None => {
                    self.indent = None;
                    return Some(());
                }
                Some(b'\n') => {}
                Some(b'#') => drop(self.is_line_end()),
                Some(b'\t') => return None,
                Some(_) => {
                    self.indent = Some(self.at - start);
                    return (!self.is_marker()).then_some(());
                }
            }
        }
    }

    /// Over the line feed that is here.
    fn newline(&mut self) {
        self.at += 1;
        self.line += 1;
        (self.counted, self.column) = (self.at, 0);
    }

    /// True at the start of a line that begins as `---` and `...` do.
    fn is_marker(&self) -> bool {
        let at_start = self.at == 0 || self.bytes[self.at - 1] == b'\n';
        at_start
            && (self.bytes[self.at..].starts_with(b"---")
                || self.bytes[self.at..].starts_with(b"..."))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// True for a space, the end of the line and that of the text.
    fn is_blank(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), None | Some(b' ' | b'\n'))
    }

    fn is_dash(&self) -> bool {
        self.peek() == Some(b'-') && self.is_blank(self.at + 1)
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Line and column in the file of what is at `at` of this line, behind all that was asked for before.
    fn place(&mut self, at: usize) -> (u32, u32) {
        self.column += if self.is_ascii {
            at - self.counted
        } else {
            self.text[self.counted..at].chars().count()
        };
        self.counted = at;
        self.document.place(self.line, self.column)
    }

    fn push(&mut self, value: Value<'t>, (line, column): (u32, u32)) -> NodeId {
        self.nodes.push(Node {
            value,
            line,
            column,
        });
        NodeId::try_from(self.nodes.len() - 1).unwrap_or(NodeId::MAX)
    }

    fn push_word(&mut self, word: Word<'t>) -> NodeId {
        self.push(scalar(word.text, word.is_plain), word.place)
    }
}

/// The depth of what is in a collection that itself is in `depth` others; gives up where the parser refuses it.
fn deeper(depth: usize) -> Option<usize> {
    (depth < MAX_DEPTH).then_some(depth + 1)
}
