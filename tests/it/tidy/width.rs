//! Lines fit into 100 columns. rustfmt leaves comments, strings and macros alone.

use std::fs;

use super::sources;

#[test]
fn lines_have_at_most_100_columns() {
    let mut long = Vec::new();
    for path in sources("src") {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > 100 {
                long.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}
