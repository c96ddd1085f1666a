//! Splits shell text into simple commands: lists, branches, operators, here-documents.

mod grammar;
mod redirection;
mod words;

use super::word::Word;
use crate::workload::budget::{exceed, keep, spend};
use grammar::{is_assignment, is_delimiter, is_number, is_reserved};
use redirection::HereDocument;

/// A simple command as written, before prefixes such as `sudo` are taken off.
#[derive(Debug, Default)]
pub(super) struct RawCommand {
    pub(super) words: Vec<Word>,
    pub(super) assignments: Vec<Word>,
    /// Files that output goes to.
    pub(super) written: Vec<Word>,
    /// The text of a here-document on standard input.
    pub(super) here_document: Option<String>,
    /// `NAME in …` behind `for`, or the elements of an array.
    pub(super) data: Vec<Word>,
    /// The function in whose body it stands, counted from 1.
    pub(super) function: usize,
    /// Where it stands: branches around it that may not be taken, or that end with what they set.
    pub(super) branch: Branch,
    /// For `NAME()`, whose body follows: the number of the function, counted from 1.
    pub(super) defines: usize,
    /// True if the next command reads its output.
    pub(super) pipes: bool,
}

impl RawCommand {
    /// True inside `[[ … ]]`, where `&&` and `||` join conditions.
    fn is_open_test(&self) -> bool {
        let is = |word: Option<&Word>, text| word.is_some_and(|word| word.text == text);
        is(self.words.first(), "[[") && !is(self.words.last(), "]]")
    }

    /// True if nothing was said about it yet.
    fn is_unused(&self) -> bool {
        self.words.is_empty()
            && self.assignments.is_empty()
            && self.written.is_empty()
            && self.here_document.is_none()
            && self.data.is_empty()
            && self.defines == 0
            && !self.pipes
    }
}

/// A place in the nesting of branches: `if`, `case`, subshells, what follows a test and `&&`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Branch {
    /// Branches around, itself included.
    pub(super) depth: usize,
    /// Tells the branches of one depth apart.
    pub(super) number: usize,
}

/// Where a list of commands ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Input,
    Parenthesis,
    Backtick,
    /// The closing parenthesis of an array's elements, which are data.
    Array,
}

/// Substitutions inside substitutions are followed this deep; a script with deeper ones is not
/// evaluated.
const MAX_NESTING: usize = 64;

/// What an open branch takes here and where its commands are followed.
const BRANCH_BYTES: usize = 64;

/// Bytes that are read in one step.
pub(super) const READ_AT_ONCE: usize = 2;

/// What it costs to read a command and to pass it on, without its words.
const COMMAND_STEPS: usize = 32;

/// Arithmetic is counted in parts of this size.
const SPENT_AT_ONCE: usize = 64;

#[derive(Default)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    nesting: usize,
    /// The next backtick ends the list at hand.
    in_backticks: bool,
    commands: Vec<RawCommand>,
    /// Numbers of the branches that are open.
    open_branches: Vec<usize>,
    /// Branches so far.
    branches: usize,
    /// Here-documents whose text starts at the next line.
    pending: Vec<HereDocument>,
    /// The functions whose bodies are open, 0 for other braces.
    bodies: Vec<usize>,
    /// Functions so far; the last one's body follows, where `awaits_body`.
    functions: usize,
    awaits_body: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// All commands, those of substitutions included.
    pub(super) fn read(mut self) -> Vec<RawCommand> {
        while self.at < self.text.len() {
            self.list(End::Input);
            // A stray closing parenthesis (the end of a `case` pattern) ends nothing.
            self.at += usize::from(self.at < self.text.len());
        }
        self.commands.retain(|command| !command.is_unused());
        self.commands
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn starts_with(&self, token: &str) -> bool {
        self.text.as_bytes()[self.at..].starts_with(token.as_bytes())
    }

    /// Commands up to `end`, which is left unread.
    fn list(&mut self, end: End) {
        // Branches around this list, which nothing in it closes.
        let base = self.open_branches.len();
        // Branches around the list of `&&` and `||` at hand, once it opened one.
        let mut chained: Option<usize> = None;
        let mut current = self.open();
        // `for NAME in …`: the words up to the end of the clause are data.
        let always_data = end == End::Array;
        let mut data = always_data;
        let mut cases = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b';' if cases > 0 && self.starts_with(";;") => {
                    self.at += 2;
                    chained = None;
                    let ends = self.case_pattern();
                    cases -= usize::from(ends);
                    self.leave(base);
                    if !ends {
                        self.enter();
                    }
                    (current, data) = (self.next(current), always_data);
                }
                b')' if end != End::Backtick => {
                    if end != End::Input {
                        return;
                    }
                    self.at += 1;
                    (current, data) = (self.next(current), false);
                }
                b'`' if end == End::Backtick => return,
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.starts_with("\\\n") => self.at += 2,
                b'\\' if self.starts_with("\\\r\n") => self.at += 3,
                b'#' => self.skip_line(),
                b'\n' => {
                    self.at += 1;
                    self.here_documents();
                    self.open_branches
                        .truncate(chained.take().unwrap_or(usize::MAX));
                    (current, data) = (self.next(current), always_data);
                }
                b'&' | b'|' if self.starts_with("&&") || self.starts_with("||") => {
                    self.at += 2;
                    if self.commands[current].is_open_test() {
                        continue;
                    }
                    let follows_test = matches!(
                        self.commands[current].words.first().map(Word::as_str),
                        Some("[" | "[[" | "test")
                    );
                    if byte == b'|' || follows_test {
                        let outside = *chained.get_or_insert(self.open_branches.len());
                        self.open_branches.truncate(outside);
                        self.enter();
                    }
                    (current, data) = (self.next(current), always_data);
                }
                b';' | b'&' | b'|' | b')' => {
                    self.at += 1;
                    self.commands[current].pipes = byte == b'|';
                    if byte != b'|' {
                        self.open_branches
                            .truncate(chained.take().unwrap_or(usize::MAX));
                    }
                    (current, data) = (self.next(current), always_data);
                }
                b'(' if self.starts_with("((") && self.skip_arithmetic() => {}
                b'(' => {
                    self.at += 1;
                    let is_empty = self.starts_with(")");
                    self.nested(End::Parenthesis);
                    let command = &mut self.commands[current];
                    if is_empty && command.words.len() == 1 && command.defines == 0 {
                        self.define(current);
                    }
                    current = self.next(current);
                }
                b'<' | b'>' => self.redirection(current),
                _ => {
                    let (mut word, quoted) = self.word();
                    let is_array = is_assignment(&word.text) && word.text.ends_with('=');
                    if is_array && self.peek() == Some(b'(') {
                        self.at += 1;
                        let elements = self.commands.len();
                        self.nested(End::Array);
                        word = self.array(word, elements);
                    }
                    let before_redirection = self.peek().is_some_and(|b| b == b'<' || b == b'>');
                    if data {
                        let is_loop = !always_data && !quoted && word.text == "do";
                        if is_loop && self.commands[current].data.len() == 1 {
                            (current, data) = (self.next(current), false);
                        } else {
                            self.commands[current].data.push(word);
                        }
                        continue;
                    }
                    let text = word.as_str();
                    let command = &mut self.commands[current];
                    if !command.words.is_empty() {
                        command.words.push(word);
                    } else if !quoted && is_reserved(text) {
                        data = matches!(text, "for" | "select");
                        match text {
                            // `function NAME {`, or the same with `()` as without the word.
                            "function" => {
                                if let Some(name) = self.word_on_line() {
                                    self.blanks();
                                    let command = &mut self.commands[current];
                                    command.words.push(name);
                                    self.define(current);
                                    if self.peek() != Some(b'(') {
                                        current = self.open();
                                    }
                                }
                            }
                            "{" => self.open_body(),
                            "}" => drop(self.bodies.pop()),
                            "time" => self.time_options(),
                            "if" => self.enter(),
                            "elif" | "else" => {
                                self.leave(base);
                                self.enter();
                            }
                            "fi" => self.leave(base),
                            "case" => {
                                self.case_head();
                                let is_open = !self.case_pattern();
                                cases += usize::from(is_open);
                                if is_open {
                                    self.enter();
                                }
                                current = self.next(current);
                            }
                            "esac" if cases > 0 => {
                                cases -= 1;
                                self.leave(base);
                            }
                            _ => {}
                        }
                        // Whatever chain led here, the branch is that of the word.
                        chained = None;
                        self.commands[current].branch = self.branch();
                        self.commands[current].function = self.function();
                    } else if before_redirection && is_number(text) {
                        // The file descriptor of a redirection.
                    } else if is_assignment(text) {
                        command.assignments.push(word);
                    } else {
                        command.words.push(word);
                    }
                }
            }
        }
    }

    /// Begins a command. Where the budget does not suffice, the rest of the text is left unread.
    fn open(&mut self) -> usize {
        if !(spend(COMMAND_STEPS) && keep(size_of::<RawCommand>())) {
            self.stop();
            if let Some(last) = self.commands.len().checked_sub(1) {
                return last;
            }
        }
        self.commands.push(RawCommand {
            branch: self.branch(),
            function: self.function(),
            ..RawCommand::default()
        });
        self.commands.len() - 1
    }

    /// Begins a command behind `current`; the same one, if nothing was said about it yet.
    fn next(&mut self, current: usize) -> usize {
        let command = &self.commands[current];
        let is_unused = current + 1 == self.commands.len()
            && command.is_unused()
            // Only the newest can be of the last command.
            && self.pending.last().is_none_or(|text| text.command != current);
        if !is_unused {
            return self.open();
        }
        self.commands[current].branch = self.branch();
        self.commands[current].function = self.function();
        current
    }

    /// Leaves the rest of the text unread.
    fn stop(&mut self) {
        self.at = self.text.len();
    }

    fn branch(&self) -> Branch {
        Branch {
            depth: self.open_branches.len(),
            number: self.open_branches.last().copied().unwrap_or_default(),
        }
    }

    /// Goes into a branch.
    fn enter(&mut self) {
        if !keep(BRANCH_BYTES) {
            self.stop();
        }
        self.branches += 1;
        self.open_branches.push(self.branches);
    }

    /// Goes out of a branch, if one is open in the list that has `base` around it.
    fn leave(&mut self, base: usize) {
        if self.open_branches.len() > base {
            self.open_branches.pop();
        }
    }

    /// Notes that `current` names a function, whose body follows.
    fn define(&mut self, current: usize) {
        self.functions += 1;
        self.awaits_body = true;
        self.commands[current].defines = self.functions;
    }

    /// Goes into braces.
    fn open_body(&mut self) {
        let is_body = std::mem::take(&mut self.awaits_body);
        let body = if is_body {
            self.functions
        } else {
            self.function()
        };
        if keep(BRANCH_BYTES) {
            self.bodies.push(body);
        }
    }

    /// The function in whose body the place is.
    fn function(&self) -> usize {
        self.bodies.last().copied().unwrap_or_default()
    }

    /// `NAME=` with the elements of its array, which are the data of the commands from `first` on.
    fn array(&mut self, mut name: Word, first: usize) -> Word {
        for element in self.commands[first..]
            .iter_mut()
            .flat_map(|command| command.data.drain(..))
        {
            if !(spend(element.references.len()) && keep(element.size())) {
                break;
            }
            name.append(" ", &element);
        }
        name
    }

    /// Passes over the options of the word `time`.
    fn time_options(&mut self) {
        while self.starts_with(" -p") || self.starts_with(" --") {
            self.at += 3;
        }
    }

    /// A substitution or subshell, its closing byte included.
    fn nested(&mut self, end: End) {
        if self.nesting >= MAX_NESTING {
            exceed();
            self.at = self.text.len();
            return;
        }
        self.nesting += 1;
        let outside = self.open_branches.len();
        let in_backticks = std::mem::replace(&mut self.in_backticks, end == End::Backtick);
        self.enter();
        self.list(end);
        self.in_backticks = in_backticks;
        self.open_branches.truncate(outside);
        self.nesting -= 1;
        self.at += usize::from(self.at < self.text.len());
    }

    /// `WORD in` after `case`.
    fn case_head(&mut self) {
        self.word_on_line();
        self.word_on_line();
    }

    /// Reads the next word, if the line has one.
    fn word_on_line(&mut self) -> Option<Word> {
        self.blanks();
        let is_word = self.peek().is_some_and(|b| !is_delimiter(b));
        is_word.then(|| self.word().0)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| b == b' ' || b == b'\t') {
            self.at += 1;
        }
    }

    /// Passes over `((…))` with a shift or a base, no here-document and no comment, if it closes
    /// on its line; true if it did. Other arithmetic reads like harmless commands.
    fn skip_arithmetic(&mut self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let mut open = 0_usize;
        for (at, byte) in rest.iter().enumerate() {
            if at % SPENT_AT_ONCE == 0 && !spend(SPENT_AT_ONCE) {
                return false;
            }
            match byte {
                b'(' => open += 1,
                b')' if open == 1 => {
                    let inside = &rest[..at];
                    let is_closed = inside.ends_with(b")")
                        && (inside.contains(&b'#') || inside.windows(2).any(|pair| pair == b"<<"));
                    self.at += if is_closed { at + 1 } else { 0 };
                    return is_closed;
                }
                b')' => open -= 1,
                // With these it may hold a command after all.
                b'\n' | b'`' | b'$'
                    if *byte == b'\n' || *byte == b'`' || rest.get(at + 1) == Some(&b'(') =>
                {
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    /// A pattern of `case` up to its parenthesis; true if `esac` ends the clauses instead.
    fn case_pattern(&mut self) -> bool {
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => self.skip_line(),
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b'|' | b';' | b'&' => self.at += 1,
                b')' => {
                    self.at += 1;
                    return false;
                }
                b'<' | b'>' => self.at += 1,
                _ => {
                    let (word, quoted) = self.word();
                    if word.as_str() == "esac" && !quoted {
                        return true;
                    }
                }
            }
        }
        true
    }

    fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }
}
