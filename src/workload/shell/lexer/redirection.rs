//! Redirections of shell text: files, here-documents, here-strings.

use super::{End, Lexer, READ_AT_ONCE, is_delimiter};
use crate::workload::budget::{keep, spend};

/// A here-document that was announced.
pub(super) struct HereDocument {
    /// The command that it belongs to.
    pub(super) command: usize,
    delimiter: String,
    /// `<<-`
    strip_tabs: bool,
    /// What looks like a substitution in it is one.
    expands: bool,
}

impl Lexer<'_> {
    /// `<`, `>` and their kin with the word behind them, which is a file, not an argument.
    pub(super) fn redirection(&mut self, current: usize) {
        if self.starts_with("<(") || self.starts_with(">(") {
            self.at += 2;
            self.nested(End::Parenthesis);
            return;
        }
        let is_output = self.starts_with(">");
        let here_string = self.starts_with("<<<");
        let here_document = self.starts_with("<<") && !here_string;
        let strip_tabs = self.starts_with("<<-");
        while self
            .peek()
            .is_some_and(|b| matches!(b, b'<' | b'>' | b'&' | b'|'))
        {
            self.at += 1;
        }
        self.at += usize::from(strip_tabs);
        while self.peek().is_some_and(|b| b == b' ' || b == b'\t') {
            self.at += 1;
        }
        if self.peek().is_some_and(|b| !is_delimiter(b)) {
            let (word, quoted) = self.word();
            if here_document {
                self.pending.push(HereDocument {
                    command: current,
                    delimiter: word.text,
                    strip_tabs,
                    expands: !quoted,
                });
            } else if here_string {
                self.commands[current].here_document = Some(word.text);
            } else if is_output {
                self.commands[current].written.push(word);
            }
        }
    }

    /// The texts of the here-documents that the line just ended has announced.
    pub(super) fn here_documents(&mut self) {
        for HereDocument {
            command,
            delimiter,
            strip_tabs,
            expands,
        } in std::mem::take(&mut self.pending)
        {
            let start = self.at;
            let mut end = self.text.len();
            while self.at < self.text.len() {
                let line_start = self.at;
                self.skip_line();
                let line = self.text[line_start..self.at].trim_end_matches('\r');
                let line = if strip_tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                self.at = (self.at + 1).min(self.text.len());
                if line == delimiter {
                    end = line_start;
                    break;
                }
            }
            let text = &self.text[start..end];
            if !(keep(text.len()) && spend(text.len() / READ_AT_ONCE)) {
                return self.stop();
            }
            self.commands[command].here_document = Some(text.to_owned());
            if expands {
                self.substitutions(text);
            }
        }
    }
}
