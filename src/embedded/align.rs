//! A character of a value and where the file has it: scalars are written in several styles.

/// Where in `source`, which begins at a scalar of YAML, JSON or TOML, the character stands that is
/// at `offset` of `text`, its value.
pub(crate) fn aligned(text: &str, offset: usize, source: &str) -> Option<usize> {
    let lines = [("\"\"\"", Style::Lines), ("'''", Style::Plain)];
    let lines = lines.into_iter().find_map(|(quotes, style)| {
        let rest = source.strip_prefix(quotes)?;
        Some(quotes.len() + align(text, offset, rest, style)?)
    });
    if lines.is_some() {
        return lines;
    }
    let inside = |quote| source.strip_prefix(quote).map(|rest| (1, rest));
    let double =
        inside('"').and_then(|(at, rest)| Some(at + align(text, offset, rest, Style::Double)?));
    let single =
        || inside('\'').and_then(|(at, rest)| Some(at + align(text, offset, rest, Style::Single)?));
    double
        .or_else(single)
        .or_else(|| align(text, offset, source, Style::Plain))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    /// TOML's text of several lines in double quotes, in which a quote is a quote.
    Lines,
}

/// Walks through value and source together. How white space is written differs from style to style
/// (indentation, folding, escapes), so it is passed over in both; everything else must agree.
fn align(text: &str, offset: usize, source: &str, style: Style) -> Option<usize> {
    let mut at = 0;
    for (place, wanted) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        let (start, found, length) = loop {
            let (found, length) = character(&source[at..], style)?;
            if !found.is_whitespace() {
                break (at, found, length);
            }
            at += length;
        };
        if found != wanted {
            return None;
        }
        if place >= offset {
            return Some(start);
        }
        at = start + length;
    }
    None
}

/// The first character of `source` as its style reads it, and the bytes that it takes.
fn character(source: &str, style: Style) -> Option<(char, usize)> {
    let first = source.chars().next()?;
    match (style, first) {
        (Style::Single, '\'') => source.starts_with("''").then_some(('\'', 2)),
        (Style::Double, '"') => None,
        (Style::Double | Style::Lines, '\\') => escaped(source),
        _ => Some((first, first.len_utf8())),
    }
}

/// An escape of a double-quoted scalar of YAML, which has those of JSON.
fn escaped(source: &str) -> Option<(char, usize)> {
    let code = source[1..].chars().next()?;
    let hexadecimal = |digits: usize| {
        let number = source.get(2..2 + digits)?;
        u32::from_str_radix(number, 16).ok()
    };
    let length = 1 + code.len_utf8();
    Some(match code {
        'x' => (char::from_u32(hexadecimal(2)?)?, 4),
        'U' => (char::from_u32(hexadecimal(8)?)?, 10),
        'u' => {
            let high = hexadecimal(4)?;
            match char::from_u32(high) {
                Some(c) => (c, 6),
                None => {
                    let low = source.get(6..12)?.strip_prefix("\\u")?;
                    let low = u32::from_str_radix(low, 16).ok()?;
                    let code = 0x1_0000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
                    (char::from_u32(code)?, 12)
                }
            }
        }
        // White space, and the line that goes on after it.
        'n' | 't' | 'r' | 'f' | 'v' | 'N' | 'L' | 'P' | '_' | ' ' | '\t' | '\n' | '\r' => {
            (' ', length)
        }
        '0' => ('\0', length),
        'a' => ('\u{7}', length),
        'b' => ('\u{8}', length),
        'e' => ('\u{1b}', length),
        other => (other, length),
    })
}
