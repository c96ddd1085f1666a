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
