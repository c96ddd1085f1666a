//! Block languages into the tree: `name "label" { key = value }` of Alloy and HCL, `name { key =>
//! value }` of Logstash.

use super::{MAX_DEPTH, Node, Room, Value};

/// The key under which the label of a block stands.
const LABEL: &str = "@label";

/// Reads `text`; `None` where brackets do not fit or nothing is a block.
pub(super) fn parse(text: &str, room: &mut Room) -> Option<Node> {
    let mut reader = Reader {
        tokens: tokens(text, room)?,
        next: 0,
    };
    let root = reader.block(0, None)?;
    let has_block = root.entries().iter().any(|(_, node)| node.text().is_none());
    (has_block && reader.peek().is_none()).then_some(root)
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// A word, a number, an operator.
    Word,
    /// A quoted text.
    Text,
    /// `=` or `=>`.
    Assign,
    /// One of `{}[](),`.
    Bracket(u8),
    /// The end of a line.
    Line,
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    text: String,
    offset: usize,
}

fn tokens(text: &str, room: &mut Room) -> Option<Vec<Token>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        room.take(1)?;
        let rest = &text[at..];
        let (kind, length) = match bytes[at] {
            b'\n' => (Kind::Line, 1),
            b'#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("//") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                at += rest.find("*/")? + 2;
                continue;
            }
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            quote @ (b'"' | b'\'' | b'`') => (Kind::Text, quoted(rest, quote)?),
            b'=' if rest.starts_with("=>") => (Kind::Assign, 2),
            b'=' if !rest.starts_with("==") && !rest.starts_with("=~") => (Kind::Assign, 1),
            bracket @ (b'{' | b'}' | b'[' | b']' | b'(' | b')' | b',') => {
                (Kind::Bracket(bracket), 1)
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || "{}[](),\"'`".contains(c);
                let end = rest.find(is_end).unwrap_or(rest.len());
                // `key=value` without blanks is three tokens.
                let assign = rest[..end].find('=').filter(|at| *at > 0);
                (Kind::Word, assign.unwrap_or(end).max(1))
            }
        };
        let text = match kind {
            Kind::Text => rest[1..length - 1].to_owned(),
            _ => rest.get(..length)?.to_owned(),
        };
        found.push(Token {
            kind,
            text,
            offset: at,
        });
        at += length;
    }
    Some(found)
}

/// Length of the quoted text at the start of `rest`, quotes included.
fn quoted(rest: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote != b'`' => escaped = true,
            _ if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

struct Reader {
    tokens: Vec<Token>,
    next: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn skip_lines(&mut self) {
        let is_filler = |token: &Token| matches!(token.kind, Kind::Line | Kind::Bracket(b','));
        while self.peek().is_some_and(is_filler) {
            self.next += 1;
        }
    }

    /// The statements up to `}`, or up to the end for the outermost block.
    fn block(&mut self, depth: usize, label: Option<Node>) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let offset = self.peek().map_or(0, |token| token.offset);
        let mut entries: Vec<(String, Node)> = label
            .map(|label| (LABEL.to_owned(), label))
            .into_iter()
            .collect();
        loop {
            self.skip_lines();
            match self.peek().map(|token| token.kind.clone()) {
                None if depth == 0 => break,
                None => return None,
                Some(Kind::Bracket(b'}')) if depth > 0 => {
                    self.next += 1;
                    break;
                }
                Some(_) => entries.push(self.statement(depth)?),
            }
        }
        Some(Node {
            value: Value::Map(entries),
            offset,
        })
    }

    /// `name = value`, `name "label" {` or a line that is neither, such as a condition in front of
    /// its block.
    fn statement(&mut self, depth: usize) -> Option<(String, Node)> {
        let name = self.take()?;
        let mut label: Option<Node> = None;
        loop {
            match self.peek().map(|token| token.kind.clone()) {
                Some(Kind::Assign) => {
                    self.next += 1;
                    let value = self.value(depth + 1)?;
                    return Some((name.text, value.under(name.offset)));
                }
                Some(Kind::Bracket(b'{')) => {
                    self.next += 1;
                    let block = self.block(depth + 1, label)?;
                    return Some((name.text, block.under(name.offset)));
                }
                Some(Kind::Line | Kind::Bracket(b'}')) | None => {
                    let value = Value::Scalar(String::new());
                    let offset = name.offset;
                    return Some((name.text, Node { value, offset }));
                }
                Some(_) => {
                    let token = self.take()?;
                    label.get_or_insert(Node {
                        value: Value::Scalar(token.text),
                        offset: token.offset,
                    });
                }
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let token = self.take()?;
        let offset = token.offset;
        match token.kind {
            Kind::Bracket(b'{') => self.block(depth, None),
            Kind::Bracket(b'[') => {
                let mut elements = Vec::new();
                loop {
                    self.skip_lines();
                    if self.peek()?.kind == Kind::Bracket(b']') {
                        self.next += 1;
                        let value = Value::List(elements);
                        return Some(Node { value, offset });
                    }
                    elements.push(self.value(depth + 1)?);
                }
            }
            Kind::Word | Kind::Text => {
                // Alloy's expressions (`discovery.x.targets`, `f(a, b)`) are kept as their first
                // word.
                if self
                    .peek()
                    .is_some_and(|token| token.kind == Kind::Bracket(b'('))
                {
                    self.skip_call()?;
                }
                // Logstash's codecs and other values with a block of their own.
                if self
                    .peek()
                    .is_some_and(|token| token.kind == Kind::Bracket(b'{'))
                {
                    self.next += 1;
                    let label = Node {
                        value: Value::Scalar(token.text),
                        offset,
                    };
                    return self.block(depth, Some(label));
                }
                let value = Value::Scalar(token.text);
                Some(Node { value, offset })
            }
            _ => None,
        }
    }

    fn skip_call(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.take()?.kind {
                Kind::Bracket(b'(') => depth += 1,
                Kind::Bracket(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}
