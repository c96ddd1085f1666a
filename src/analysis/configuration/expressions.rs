//! Expressions of admission policies (CEL): which texts a value has to be.

use crate::workload::budget::spend;

/// The texts in quotes that `expression` compares a value with by `==` or `in [...]`, where it asks
/// that they are equal: behind an even number of negations.
pub(crate) fn allowed(expression: &str) -> Vec<&str> {
    let mut found = Vec::new();
    // For each open bracket: whether what it holds is negated, and whether it is a list of texts
    // that a value has to be in.
    let mut open = vec![(false, false)];
    let (mut at, mut begin) = (0, 0);
    while let Some(c) = expression[at..].chars().next() {
        let (is_negated, is_list) = open.last().copied().unwrap_or_default();
        let front = || expression[begin..at].trim_end();
        let mut next = at + c.len_utf8();
        match c {
            '(' | '[' | '{' => {
                let is_in = c == '[' && ends_with_word(front(), "in");
                let operand = operand(expression[..at].trim_end());
                if !spend((at - operand) / 16) {
                    break;
                }
                let negates = expression[..operand].trim_end().ends_with('!');
                open.push((is_negated ^ (negates && c != '['), is_in));
            }
            ')' | ']' | '}' => {
                open.pop();
            }
            '&' | '|' | '?' | ':' => begin = next,
            '"' | '\'' => {
                let text = &expression[next..];
                let text = &text[..text.find(c).unwrap_or(text.len())];
                next += text.len() + c.len_utf8();
                let is_equal = front().ends_with("==") || is_list;
                if is_equal && !is_negated {
                    found.push(text);
                }
            }
            _ => {}
        }
        at = next.min(expression.len());
    }
    found
}

/// True for a text whose last word this is.
fn ends_with_word(text: &str, word: &str) -> bool {
    let front = text.strip_suffix(word);
    front.is_some_and(|front| !front.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Where the name of the call or value begins with which `text` ends: `a.b(c).d`.
fn operand(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '?');
    let mut depth = 0usize;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' if depth > 0 => depth -= 1,
            _ if depth == 0 && !is_part(c) => return at + c.len_utf8(),
            _ => {}
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_value_has_to_be() {
        for text in [
            "object.spec.volumes.all(v, !has(v.hostPath) || v.hostPath.path in ['/a', '/b'])",
            r#"volumes.all(v, v.path == "/a" || v.path == "/b")"#,
            "!volumes.exists(v, has(v.path) && !(v.path in ['/a', '/b']))",
            "volumes.all(v, !(v.path != '/c') || (v.path in ['/a', '/b']))",
        ] {
            assert_eq!(allowed(text), ["/a", "/b"], "{text}");
        }
    }

    #[test]
    fn what_it_must_not_be() {
        for text in [
            "volumes.all(v, v.path != '/a')",
            "!volumes.exists(v, v.path == '/a')",
            "volumes.all(v, !(v.path in ['/a', '/b']))",
            "!(object.path in ['/a'])",
            "!object.spec.?volumes.orValue([]).exists(v, v.path == '/a')",
            "volumes.all(v, !v.path.startsWith('/a'))",
            "x['/a'] > 1",
            "'unclosed",
            "((((",
        ] {
            assert!(allowed(text).is_empty(), "{text}");
        }
    }
}
