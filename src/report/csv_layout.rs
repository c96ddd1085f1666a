//! How an export to a table is laid out: what stands between its cells, whether it has titles, and
//! what stands before them.

use memchr::{memchr, memmem};

/// What can stand between cells; where nothing tells, the first.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// The layout of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CsvLayout {
    /// Bytes before it.
    pub(super) start: usize,
    pub(super) delimiter: u8,
    pub(super) has_titles: bool,
}

impl CsvLayout {
    /// That of the table that begins with `head`; none if it is none.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let start = preamble(head);
        let table = head.get(start..)?;
        let end = memchr(b'\n', table)?;
        let (first, rest) = table.split_at(end);
        // A line of words before the log itself is no line of titles.
        let has_plain_json = memmem::find_iter(table, b"{\"")
            .any(|at| table.get(at + 2).is_some_and(|next| *next != b'"'));
        // In cells, quotes stand twice.
        let has_cells = memmem::find(table, b"\"\":").is_some();
        // A column for each field may leave no JSON at all; one of them is `auditID`.
        let has_fields = || rest.contains(&b'{') || memmem::find(first, b"udit").is_some();
        let is_table = has_cells || has_plain_titles(first, &rest[1..]) && has_fields();
        if has_plain_json || !is_table {
            return None;
        }
        let has_titles = !first.contains(&b'{');
        Some(Self {
            start,
            delimiter: delimiter(first, has_titles),
            has_titles,
        })
    }
}

/// Length of what some programs write before a table: blank lines, comments, `sep=;` of
/// spreadsheets.
fn preamble(head: &[u8]) -> usize {
    let bom = if head.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let lines = head[bom..].split_inclusive(|byte| *byte == b'\n');
    let is_before = |line: &&[u8]| {
        let line = line.trim_ascii();
        line.is_empty() || line.starts_with(b"#") || line.len() == 5 && line.starts_with(b"sep=")
    };
    bom + lines.take_while(is_before).map(<[u8]>::len).sum::<usize>()
}

/// True for titles with commas between them, over a row with no fewer.
fn has_plain_titles(line: &[u8], rest: &[u8]) -> bool {
    let is_title = |title: &[u8]| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" _@.-[]:/()\"".contains(byte);
        let title = title.trim_ascii();
        !title.is_empty() && title.len() < 80 && title.iter().all(is_plain)
    };
    let next = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let commas = |line: &[u8]| memchr::memchr_iter(b',', line).count();
    (1..=commas(next)).contains(&commas(line)) && line.split(|byte| *byte == b',').all(is_title)
}

/// The most frequent one in a line of titles; in a row, what stands before the first quoted cell.
fn delimiter(line: &[u8], has_titles: bool) -> u8 {
    if has_titles {
        let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
        let known = DELIMITERS.into_iter().rev();
        return known
            .max_by_key(|delimiter| count(*delimiter))
            .unwrap_or(DELIMITERS[0]);
    }
    let quote = memchr(b'"', line).and_then(|at| line.get(at.checked_sub(1)?));
    let known = quote.filter(|byte| DELIMITERS.contains(byte));
    known.copied().unwrap_or(DELIMITERS[0])
}

#[cfg(test)]
mod tests {
    use super::CsvLayout;

    #[test]
    fn tables_are_told_from_logs() {
        let layout = |start, delimiter, has_titles| {
            Some(CsvLayout {
                start,
                delimiter,
                has_titles,
            })
        };
        for (head, expected) in [
            ("time,log\n1,\"{\"\"a\"\":1}\"\n", layout(0, b',', true)),
            (
                "\u{feff}time;log\n1;\"{\"\"a\"\":1}\"\n",
                layout(3, b';', true),
            ),
            (
                "sep=;\r\ntime;log\r\n1;\"{\"\"a\"\":1}\"\r\n",
                layout(7, b';', true),
            ),
            (
                "# by a tool\n\nlog\n\"{\"\"a\"\":1}\"\n",
                layout(13, b',', true),
            ),
            ("1\t\"{\"\"a\"\":1}\"\t\n", layout(0, b'\t', false)),
            ("\"{\"\"a\"\":1}\",2\n", layout(0, b',', false)),
            (
                "time,log\n1,\"{\n  \"\"a\"\": 1}\"\n",
                layout(0, b',', true),
            ),
            ("a,b\n1,{}\n", layout(0, b',', true)),
            ("auditID,verb\n1,get\n", layout(0, b',', true)),
            ("Starting, please wait\n{\"a\":1}\n", None),
            ("{\"a\":1,\"b\":\"\"}\n{\"a\":1}\n", None),
            ("I1109 one, two\nI1109 three\n", None),
            ("", None),
        ] {
            assert_eq!(CsvLayout::of(head.as_bytes()), expected, "{head:?}");
        }
    }
}
