//! Escapes in texts: `$'\x64'`, and what `printf` and `echo -e` write.

use crate::workload::budget::keep;

/// `text` with its escapes read as `$'…'` and `printf` do. Unknown ones stay.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let (character, length) = escape(behind);
        match character {
            Some(character) => plain.push(character),
            None => plain.push('\\'),
        }
        rest = &behind[length..];
    }
    plain.push_str(rest);
    plain
}

/// The character that an escape stands for, and its length behind the backslash.
fn escape(behind: &str) -> (Option<char>, usize) {
    let Some(first) = behind.chars().next() else {
        return (None, 0);
    };
    let number = |start: usize, most: usize, radix: u32| {
        let digits = behind[start..].chars().take(most);
        let length = digits.take_while(|c| c.is_digit(radix)).count();
        if length == 0 {
            return (None, 0);
        }
        let value = u32::from_str_radix(&behind[start..start + length], radix);
        (value.ok().and_then(char::from_u32), start + length)
    };
    match first {
        'n' => (Some('\n'), 1),
        't' => (Some('\t'), 1),
        'r' => (Some('\r'), 1),
        'a' | 'b' | 'e' | 'E' | 'f' | 'v' => (Some(' '), 1),
        '\\' | '\'' | '"' | '?' => (Some(first), 1),
        'x' => number(1, 2, 16),
        'u' => number(1, 4, 16),
        'U' => number(1, 8, 16),
        '0' => number(0, 4, 8),
        '1'..='7' => number(0, 3, 8),
        _ => (None, 0),
    }
}

/// What `printf` writes, if that is plain text: `words` are its format and what is put into it.
/// `None` for conversions other than `%s` and `%b`.
pub(super) fn printf(words: &[String]) -> Option<String> {
    let (format, mut values) = words.split_first()?;
    let (format, mut written) = (unescape(format), String::new());
    loop {
        if !keep(format.len()) {
            return None;
        }
        let before = values.len();
        let mut rest = format.as_str();
        while let Some(at) = rest.find('%') {
            written.push_str(&rest[..at]);
            let (conversion, behind) = rest[at + 1..].split_at_checked(1)?;
            rest = behind;
            match conversion {
                "%" => written.push('%'),
                "s" | "b" => {
                    let value = values.split_first();
                    if let Some((value, others)) = value {
                        if !keep(value.len()) {
                            return None;
                        }
                        written.push_str(value);
                        values = others;
                    }
                }
                _ => return None,
            }
        }
        written.push_str(rest);
        // The format is used again for what is left, as long as it takes any.
        if values.is_empty() || values.len() == before {
            return Some(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_shells_do() {
        for (text, plain) in [
            (r"\x64ocker", "docker"),
            (r"\144ocker", "docker"),
            (r"\0144ocker", "docker"),
            (r"\u0064ocker\n", "docker\n"),
            (r"a\zb\", r"a\zb\"),
            ("é", "é"),
            (r"\xzz", r"\xzz"),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }

    #[test]
    fn printf_writes_its_words() {
        let written = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            printf(&words)
        };
        assert_eq!(
            written(&["%s.%s", "docker", "sock"]).unwrap(),
            "docker.sock"
        );
        assert_eq!(written(&["%s ", "docker", "ps"]).unwrap(), "docker ps ");
        assert_eq!(written(&["docker ps\\n"]).unwrap(), "docker ps\n");
        assert_eq!(written(&["%d", "1"]), None);
        assert_eq!(written(&[]), None);
    }
}
