//! The words of shell text: quotes, substitutions, parameters.

use crate::workload::budget::{exceed, keep, spend};

use super::super::escapes::{printf, unescape};
use super::super::word::{Reference, Word};
use super::{End, Lexer, MAX_NESTING, READ_AT_ONCE, RawCommand, is_assignment, is_delimiter};

/// What a word costs, without its length.
const WORD_STEPS: usize = 8;

/// Commands that are looked at in one step.
const COMMANDS_AT_ONCE: usize = 4;

/// What a word takes, without its text: its place in a list that has some room left, and its
/// allocation.
const WORD_BYTES: usize = 3 * size_of::<String>();

impl Lexer<'_> {
    /// One word with quotes removed, and whether any part of it was quoted. Always moves on.
    pub(super) fn word(&mut self) -> (Word, bool) {
        let mut word = Word::default();
        let mut quoted = false;
        let start = self.at;
        // True for an assignment, once that was asked for behind a `=`.
        let mut assigns = None;
        while let Some(byte) = self.peek() {
            match byte {
                b'~' if self.is_tilde(start, &word.text, &mut assigns) => {
                    // What is put there does not come apart.
                    self.refer(&mut word, true, None);
                    self.push_char(&mut word.text);
                }
                b'~' => self.push_char(&mut word.text),
                b'\'' => {
                    quoted = true;
                    self.at += 1;
                    let rest = &self.text[self.at..];
                    let length = rest.find('\'').unwrap_or(rest.len());
                    word.text.push_str(&rest[..length]);
                    self.at = (self.at + length + 1).min(self.text.len());
                }
                b'"' => {
                    quoted = true;
                    self.at += 1;
                    self.double_quoted(&mut word);
                }
                b'$' if self.starts_with("$'") => {
                    quoted = true;
                    self.at += 2;
                    self.escaped(&mut word.text);
                }
                b'$' if self.starts_with("$\"") => self.at += 1,
                b'\\' => {
                    self.at += 1;
                    if self.starts_with("\n") {
                        self.at += 1;
                    } else {
                        quoted = true;
                        self.push_char(&mut word.text);
                    }
                }
                b'`' if self.in_backticks && self.at > start => break,
                b'$' | b'`' => self.expansion(&mut word, false),
                _ if is_delimiter(byte) && self.at > start => break,
                _ if is_delimiter(byte) => self.push_char(&mut word.text),
                _ => self.push_plain(&mut word.text, |b| {
                    is_delimiter(b) || matches!(b, b'\'' | b'"' | b'\\' | b'$' | b'`' | b'~')
                }),
            }
        }
        if !(spend(WORD_STEPS) && keep(WORD_BYTES + word.text.len())) {
            self.stop();
        }
        (word, quoted)
    }

    /// True at a `~` that stands for the home directory in the word from `start` on, of which
    /// `before` was read: at its beginning, or at that of the value that it `assigns`.
    fn is_tilde(&self, start: usize, before: &str, assigns: &mut Option<bool>) -> bool {
        let mut is_value =
            || before.ends_with('=') && *assigns.get_or_insert_with(|| is_assignment(before));
        let ends = |byte: Option<&u8>| byte.is_none_or(|b| is_delimiter(*b) || *b == b'/');
        ends(self.text.as_bytes().get(self.at + 1)) && (self.at == start || is_value())
    }

    /// Notes that something is filled in at the end of `word`.
    fn refer(&mut self, word: &mut Word, is_quoted: bool, output: Option<Word>) {
        if keep(size_of::<Reference>()) {
            word.refer(is_quoted, output);
        } else {
            self.stop();
        }
    }

    fn double_quoted(&mut self, word: &mut Word) {
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
                        Some(b'"' | b'\\' | b'$' | b'`') => self.push_char(&mut word.text),
                        _ => word.text.push('\\'),
                    }
                }
                b'$' | b'`' => self.expansion(word, true),
                _ => self.push_plain(&mut word.text, |b| matches!(b, b'"' | b'\\' | b'$' | b'`')),
            }
        }
    }

    /// The rest of `$'…'`, its closing quote included.
    fn escaped(&mut self, word: &mut String) {
        let start = self.at;
        while let Some(byte) = self.peek().filter(|byte| *byte != b'\'') {
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        let end = self.at.min(self.text.len());
        word.push_str(&unescape(self.text.get(start..end).unwrap_or_default()));
        self.at = (end + 1).min(self.text.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    /// `$(…)` and backticks are read as commands and leave `$()` in the word; `${…}` and `$NAME`
    /// stay as written. The word notes where they are.
    pub(super) fn expansion(&mut self, word: &mut Word, is_quoted: bool) {
        if self.starts_with("$((") {
            self.at += 1;
            if self.skip_arithmetic() {
                self.refer(word, is_quoted, None);
                word.text.push_str("$()");
                return;
            }
            self.at -= 1;
        }
        let inside = self.commands.len();
        if self.starts_with("$(") {
            self.at += 2;
            self.nested(End::Parenthesis);
            let output = self.output(inside);
            self.refer(word, is_quoted, output);
            word.text.push_str("$()");
        } else if self.starts_with("`") {
            self.at += 1;
            self.nested(End::Backtick);
            let output = self.output(inside);
            self.refer(word, is_quoted, output);
            word.text.push_str("$()");
        } else if self.starts_with("${") {
            self.parameter(word, is_quoted);
        } else {
            if self.starts_with("$") {
                self.refer(word, is_quoted, None);
            }
            self.push_char(&mut word.text);
        }
    }

    /// `${NAME…}`, whose default may hold substitutions in turn.
    fn parameter(&mut self, word: &mut Word, is_quoted: bool) {
        if self.nesting >= MAX_NESTING {
            exceed();
            self.at = self.text.len();
            return;
        }
        self.nesting += 1;
        self.at += 2;
        self.refer(word, is_quoted, None);
        word.text.push_str("${");
        while let Some(byte) = self.peek() {
            match byte {
                b'$' | b'`' => self.expansion(word, is_quoted),
                b'}' => {
                    self.push_char(&mut word.text);
                    break;
                }
                _ => self.push_plain(&mut word.text, |b| matches!(b, b'$' | b'`' | b'}')),
            }
        }
        self.nesting -= 1;
    }

    /// What a substitution writes, if all that the commands from `first` on do is to look up a
    /// program, as in `$(which docker)`, or to write words.
    fn output(&self, first: usize) -> Option<Word> {
        if !spend((self.commands.len() - first) / COMMANDS_AT_ONCE) {
            return None;
        }
        // Substitutions inside it lie in branches of their own.
        let depth = self.commands.get(first)?.branch.depth;
        let mut commands = self.commands[first..]
            .iter()
            .filter(|command| !command.words.is_empty() && command.branch.depth == depth);
        let (command, None) = (commands.next()?, commands.next()) else {
            return None;
        };
        let words = command.words.iter();
        let size: usize = words.clone().map(|word| WORD_STEPS + word.size()).sum();
        if !spend(command.words.len()) {
            return None;
        }
        let texts: Vec<&str> = words.map(Word::as_str).collect();
        match texts[..] {
            ["which", _] => command.words.get(1).cloned(),
            ["command" | "type", "-v" | "-p", _] => command.words.get(2).cloned(),
            ["echo", ..] if keep(size) => {
                let is_option = |word: &&Word| matches!(word.as_str(), "-n" | "-e" | "-E");
                let mut words = command.words[1..].iter().skip_while(is_option);
                let mut written = words.next().cloned().unwrap_or_default();
                words.for_each(|word| written.append(" ", word));
                Some(written)
            }
            ["printf", ..] if command.words.iter().all(|word| word.references.is_empty()) => {
                let words: Vec<String> = texts[1..].iter().map(|word| (*word).to_owned()).collect();
                printf(&words).map(Word::literal)
            }
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
        if memchr::memchr2(b'$', b'`', text.as_bytes()).is_none() {
            return;
        }
        if self.nesting >= MAX_NESTING {
            return exceed();
        }
        if !spend(text.len() / READ_AT_ONCE) {
            return self.stop();
        }
        let mut inner = Lexer {
            nesting: self.nesting + 1,
            ..Lexer::new(text)
        };
        let mut data = Word::default();
        while let Some(found) = memchr::memchr3(b'$', b'`', b'\\', &text.as_bytes()[inner.at..]) {
            inner.at += found;
            if inner.starts_with("\\") {
                inner.at = (inner.at + 2).min(text.len());
                while !text.is_char_boundary(inner.at) {
                    inner.at += 1;
                }
            } else {
                inner.expansion(&mut data, true);
                data = Word::default();
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
