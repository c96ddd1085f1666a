//! The words of shell text: quotes, substitutions, parameters.

use crate::workload::budget::{keep, spend};

use super::{End, Lexer, MAX_NESTING, READ_AT_ONCE, RawCommand, is_delimiter};

/// What a word costs, without its length.
const WORD_STEPS: usize = 8;

/// Commands that are looked at in one step.
const COMMANDS_AT_ONCE: usize = 4;

/// What a word takes, without its text: its place in a list that has some room left, and its
/// allocation.
const WORD_BYTES: usize = 3 * size_of::<String>();

impl Lexer<'_> {
    /// One word with quotes removed, and whether any part of it was quoted. Always moves on.
    pub(super) fn word(&mut self) -> (String, bool) {
        let mut word = String::new();
        let mut quoted = false;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'\'' => {
                    quoted = true;
                    self.at += 1;
                    let rest = &self.text[self.at..];
                    let length = rest.find('\'').unwrap_or(rest.len());
                    word.push_str(&rest[..length]);
                    self.at = (self.at + length + 1).min(self.text.len());
                }
                b'"' => {
                    quoted = true;
                    self.at += 1;
                    self.double_quoted(&mut word);
                }
                b'\\' => {
                    self.at += 1;
                    if self.starts_with("\n") {
                        self.at += 1;
                    } else {
                        quoted = true;
                        self.push_char(&mut word);
                    }
                }
                b'`' if self.in_backticks && self.at > start => break,
                b'$' | b'`' => self.expansion(&mut word),
                _ if is_delimiter(byte) && self.at > start => break,
                _ if is_delimiter(byte) => self.push_char(&mut word),
                _ => self.push_plain(&mut word, |b| {
                    is_delimiter(b) || matches!(b, b'\'' | b'"' | b'\\' | b'$' | b'`')
                }),
            }
        }
        if !(spend(WORD_STEPS) && keep(WORD_BYTES + word.len())) {
            self.stop();
        }
        (word, quoted)
    }

    fn double_quoted(&mut self, word: &mut String) {
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'\n') => self.at += 1,
                        Some(b'"' | b'\\' | b'$' | b'`') => self.push_char(word),
                        _ => word.push('\\'),
                    }
                }
                b'$' | b'`' => self.expansion(word),
                _ => self.push_plain(word, |b| matches!(b, b'"' | b'\\' | b'$' | b'`')),
            }
        }
    }

    /// `$(…)` and backticks are read as commands and leave `$()` in the word; `${…}` and `$NAME`
    /// stay as written.
    pub(super) fn expansion(&mut self, word: &mut String) {
        if self.starts_with("$((") {
            self.at += 1;
            if self.skip_arithmetic() {
                word.push_str("$()");
                return;
            }
            self.at -= 1;
        }
        let inside = self.commands.len();
        if self.starts_with("$(") {
            self.at += 2;
            self.nested(End::Parenthesis);
            word.push_str(self.looked_up(inside).unwrap_or("$()"));
        } else if self.starts_with("`") {
            self.at += 1;
            self.nested(End::Backtick);
            word.push_str(self.looked_up(inside).unwrap_or("$()"));
        } else if self.starts_with("${") {
            self.parameter(word);
        } else {
            self.push_char(word);
        }
    }

    /// `${NAME…}`, whose default may hold substitutions in turn.
    fn parameter(&mut self, word: &mut String) {
        if self.nesting >= MAX_NESTING {
            self.at = self.text.len();
            return;
        }
        self.nesting += 1;
        word.push_str("${");
        self.at += 2;
        while let Some(byte) = self.peek() {
            match byte {
                b'$' | b'`' => self.expansion(word),
                b'}' => {
                    self.push_char(word);
                    break;
                }
                _ => self.push_plain(word, |b| matches!(b, b'$' | b'`' | b'}')),
            }
        }
        self.nesting -= 1;
    }

    /// The program that a substitution looked up, as in `$(which docker)`, if that is all that the
    /// commands from `first` on do.
    fn looked_up(&self, first: usize) -> Option<&str> {
        if !spend((self.commands.len() - first) / COMMANDS_AT_ONCE) {
            return None;
        }
        let mut commands = self.commands[first..]
            .iter()
            .filter(|command| !command.words.is_empty());
        let (command, None) = (commands.next()?, commands.next()) else {
            return None;
        };
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        match words[..] {
            ["which", name] | ["command" | "type", "-v" | "-p", name] => Some(name),
            _ => None,
        }
    }

    /// Takes what stands in front of the next byte that `is_special`, an ASCII one.
    fn push_plain(&mut self, word: &mut String, is_special: impl Fn(u8) -> bool) {
        let rest = &self.text[self.at..];
        let length = rest.bytes().position(is_special).unwrap_or(rest.len());
        word.push_str(&rest[..length]);
        self.at += length;
    }

    pub(super) fn push_char(&mut self, word: &mut String) {
        if let Some(c) = self.text[self.at..].chars().next() {
            word.push(c);
            self.at += c.len_utf8();
        }
    }

    /// The commands of the substitutions in `text`, which is otherwise data.
    pub(super) fn substitutions(&mut self, text: &str) {
        if self.nesting >= MAX_NESTING || memchr::memchr2(b'$', b'`', text.as_bytes()).is_none() {
            return;
        }
        if !spend(text.len() / READ_AT_ONCE) {
            return self.stop();
        }
        let mut inner = Lexer {
            nesting: self.nesting + 1,
            ..Lexer::new(text)
        };
        let mut data = String::new();
        while let Some(found) = memchr::memchr3(b'$', b'`', b'\\', &text.as_bytes()[inner.at..]) {
            inner.at += found;
            if inner.starts_with("\\") {
                inner.at = (inner.at + 2).min(text.len());
                while !text.is_char_boundary(inner.at) {
                    inner.at += 1;
                }
            } else {
                inner.expansion(&mut data);
                data.clear();
            }
        }
        let branch = self.branch();
        self.commands.extend(
            inner
                .commands
                .into_iter()
                .map(|command| RawCommand { branch, ..command }),
        );
    }
}
