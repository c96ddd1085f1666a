//! Splits a file into documents before any of them is parsed, so that a broken one leaves the
//! others alone.

use memchr::memmem;
use serde_json::value::RawValue;

/// One document of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'t> {
    /// Its text.
    pub text: &'t str,
    /// Line of the file at which the text starts, from 1.
    pub line: usize,
    /// Column at which it starts, from 1; above 1 only for JSON objects that share a line.
    pub column: usize,
    /// The `# Source:` comment that Helm writes above each document: the template's path.
    pub source: Option<&'t str>,
}

impl Document<'_> {
    /// Line and column in the file, from 1, of what the text has at these, from 0.
    pub(super) fn place(&self, line: usize, column: usize) -> (u32, u32) {
        let column = if line == 0 {
            column + self.column
        } else {
            column + 1
        };
        let line = line + self.line;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}

/// The documents of `text`. Those without content (comments, blank lines) are left out.
pub fn documents(text: &str) -> Vec<Document<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = text
        .trim_start()
        .starts_with('{')
        .then(|| json_documents(text))
        .flatten();
    if let Some(found) = json {
        return found;
    }
    let mut found = Vec::new();
    let (mut start, mut line) = (0, 1);
    let separators = memmem::find_iter(text.as_bytes(), SEPARATOR)
        .filter(|at| is_separator(&text[*at..]))
        .map(|at| at + 1);
    for end in separators.chain([text.len()]) {
        found.extend(document(&text[start..end], line));
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[start..end]).count();
        start = end;
    }
    found
}

/// A line begins with it: the end of the one before belongs to it.
const SEPARATOR: &str = "\n---";

/// `---` at the start of a line, alone or before white space: content may follow it.
fn is_separator(text: &str) -> bool {
    text.strip_prefix(SEPARATOR)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn document(text: &str, line: usize) -> Option<Document<'_>> {
    let mut source = None;
    let mut has_content = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(path) = line.strip_prefix("# Source: ") {
            source = source.or(Some(path));
        } else if !(line.is_empty()
            || line.starts_with('#')
            || line == "---"
            || line == "..."
            || line.starts_with('%'))
        {
            has_content = true;
            break;
        }
    }
    has_content.then_some(Document {
        text,
        line,
        column: 1,
        source,
    })
}

/// JSON objects one after the other, as `kubectl get -o json` and log files give them; `None` if
/// the text is something else.
fn json_documents(text: &str) -> Option<Vec<Document<'_>>> {
    let mut found = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let (mut line, mut line_start, mut counted) = (1, 0, 0);
    while let Some(value) = stream.next() {
        let value = value.ok()?.get();
        let start = stream.byte_offset() - value.len();
        for newline in memchr::memchr_iter(b'\n', &text.as_bytes()[counted..start]) {
            (line, line_start) = (line + 1, counted + newline + 1);
        }
        counted = start;
        found.push(Document {
            text: value,
            line,
            column: text[line_start..start].chars().count() + 1,
            source: None,
        });
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(usize, &str)> {
        documents(text)
            .into_iter()
            .map(|document| (document.line, document.text.trim()))
            .collect()
    }

    #[test]
    fn yaml_is_split_at_separators() {
        assert_eq!(split("a: 1\n---\nb: 2\n"), [(1, "a: 1"), (2, "---\nb: 2")]);
        assert_eq!(
            split("---\n# only a comment\n---\nb: 2\n---\n"),
            [(3, "---\nb: 2")]
        );
        assert_eq!(
            split("--- {a: 1}\n--- # x\nb: 2"),
            [(1, "--- {a: 1}"), (2, "--- # x\nb: 2")]
        );
        assert_eq!(
            split("a: |\n  ---\n  x\nb: ----\n"),
            [(1, "a: |\n  ---\n  x\nb: ----")]
        );
        assert_eq!(split("a: 1\r\n---\r\nb: 2\r\n").len(), 2);
        assert_eq!(split("\u{feff}a: 1"), [(1, "a: 1")]);
        assert_eq!(split(""), []);
    }

    #[test]
    fn json_is_split_at_objects() {
        let found = documents("{\"a\":1}\n\n{\"b\":\n2} {\"c\":3}\n");
        let places: Vec<_> = found
            .iter()
            .map(|document| (document.line, document.column))
            .collect();
        assert_eq!(places, [(1, 1), (3, 1), (4, 4)]);
    }

    #[test]
    fn helm_names_the_template() {
        let text = "---\n# Source: app/templates/a.yaml\na: 1\n---\nb: 2\n";
        let sources: Vec<_> = documents(text)
            .into_iter()
            .map(|document| document.source)
            .collect();
        assert_eq!(sources, [Some("app/templates/a.yaml"), None]);
    }
}
