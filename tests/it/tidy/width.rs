//! Lines fit into 100 columns. rustfmt leaves comments, strings and macros alone.

use std::fs;

use super::sources;

/// Lines with a string or a macro that is better whole: JSON of tests, rows of tables. The number
/// only goes down.
const LONG: usize = 72;

#[test]
fn lines_have_at_most_100_columns() {
    let mut long = Vec::new();
    for path in sources("src") {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > 100 {
                long.push((
                    path.display().to_string(),
                    number + 1,
                    line.trim().to_owned(),
                ));
            }
        }
    }
    let comments: Vec<_> = long
        .iter()
        .filter(|(.., line)| line.starts_with("//"))
        .collect();
    assert!(comments.is_empty(), "{comments:#?}");
    assert!(long.len() <= LONG, "{} lines: {long:#?}", long.len());
}
