//! Flow collections, and so JSON.

use super::{Reader, deeper};
use crate::manifest::tree::{NodeId, Value};

impl Reader<'_, '_> {
    /// The collection whose bracket is here, inside `depth` others.
    pub(super) fn flow(&mut self, depth: usize) -> Option<NodeId> {
        let place = self.place(self.at);
        let is_list = self.peek() == Some(b'[');
        let id = self.push(Value::Null, place);
        let depth = deeper(depth)?;
        self.at += 1;
        let value = if is_list {
            self.flow_list(depth)
        } else {
            self.flow_map(depth)
        };
        self.nodes[id as usize].value = value?;
        Some(id)
    }

    fn flow_list(&mut self, depth: usize) -> Option<Value<'static>> {
        let mut elements = Vec::new();
        self.skip_flow_blanks()?;
        while self.peek() != Some(b']') {
            elements.push(self.flow_value(depth)?);
            self.flow_separator(b']')?;
        }
        self.at += 1;
        Some(Value::List(elements))
    }

    fn flow_map(&mut self, depth: usize) -> Option<Value<'static>> {
        let mut pairs = Vec::new();
        self.skip_flow_blanks()?;
        while self.peek() != Some(b'}') {
            let word = self.flow_word()?;
            let end = self.at;
            self.skip_spaces();
            // Behind a quoted key, and only right behind it, the colon stands for itself.
            let needs_blank = word.is_plain || self.at != end;
            if !self.is_key(&word) || (needs_blank && !self.is_blank(self.at + 1)) {
                return None;
            }
            let key = self.push_word(word);
            self.at += 1;
            self.skip_flow_blanks()?;
            pairs.push((key, self.flow_value(depth)?));
            self.flow_separator(b'}')?;
        }
        self.at += 1;
        Some(Value::Map(pairs))
    }

    fn flow_value(&mut self, depth: usize) -> Option<NodeId> {
        if matches!(self.peek()?, b'[' | b'{') {
            return self.flow(depth);
        }
        let word = self.flow_word()?;
        Some(self.push_word(word))
    }

    /// Over the comma between two entries, up to `close`.
    fn flow_separator(&mut self, close: u8) -> Option<()> {
        self.skip_flow_blanks()?;
        match self.peek()? {
            b',' => {
                self.at += 1;
                self.skip_flow_blanks()
            }
            byte => (byte == close).then_some(()),
        }
    }

    /// Over blanks and line feeds. Gives up at tabs that may count as indentation.
    fn skip_flow_blanks(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b' ') => self.at += 1,
                Some(b'\t') if self.is_flow => self.at += 1,
                Some(b'\n') => {
                    self.newline();
                    if self.is_marker() {
                        return None;
                    }
                }
                _ => return Some(()),
            }
        }
    }
}
