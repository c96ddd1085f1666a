//! The lines of a text, looked up by number.

/// The lines of a text; their starts are found at the first look.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// The lines of `text`.
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            starts: Vec::new(),
        }
    }

    /// Line `number`, from 1, without its end; empty where there is none.
    pub(super) fn get(&mut self, number: usize) -> &'t str {
        let Some(start) = self.start(number) else {
            return "";
        };
        let end = self
            .start(number + 1)
            .map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }

    /// The whole text.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// Where `column` of `line` is, in bytes; both from 1.
    pub(super) fn offset(&mut self, line: usize, column: usize) -> Option<usize> {
        let start = self.start(line)?;
        let mut characters = self.text[start..].char_indices();
        let (inside, _) = characters.nth(column.checked_sub(1)?)?;
        Some(start + inside)
    }

    /// Line and column of the character at `offset` in bytes.
    pub(super) fn place(&mut self, offset: usize) -> (usize, usize) {
        self.start(1);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        (line, self.text[start..offset].chars().count() + 1)
    }

    /// Where line `number` begins, in bytes.
    fn start(&mut self, number: usize) -> Option<usize> {
        if self.starts.is_empty() {
            self.starts.push(0);
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes());
            self.starts.extend(ends.map(|end| end + 1));
        }
        self.starts.get(number.checked_sub(1)?).copied()
    }
}
