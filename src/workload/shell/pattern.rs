//! Words of which a part is left open: patterns, and references to what nothing shows.

use crate::workload::budget::spend;

/// One step of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    /// This character.
    One(char),
    /// Any character but a slash, or those in brackets: `?`, `[abc]`.
    Any,
    /// Any text without a slash: `*`.
    Name,
    /// Any text: `$NAME`, `$(…)`, `{a,b}`.
    Text,
}

/// True if a part of `word` is left open.
pub(crate) fn is_open(word: &str) -> bool {
    word.contains(['*', '?', '[', '$', '{'])
}

/// True if `word` can be `text`.
pub(crate) fn matches(word: &str, text: &str) -> bool {
    if !spend(word.len()) {
        return false;
    }
    let parts = parts(word);
    // Where in the text the parts so far can end.
    let text: Vec<char> = text.chars().collect();
    let is_one = |part: &&Part| matches!(part, Part::One(_) | Part::Any);
    let least = parts.iter().filter(is_one).count();
    if least > text.len() || !spend(parts.len() * text.len()) {
        return false;
    }
    let mut ends = vec![false; text.len() + 1];
    ends[0] = true;
    for part in parts {
        let mut next = vec![false; text.len() + 1];
        for (at, _) in ends.iter().enumerate().filter(|(_, end)| **end) {
            match part {
                Part::One(c) if text.get(at) == Some(&c) => next[at + 1] = true,
                Part::Any if text.get(at).is_some_and(|c| *c != '/') => next[at + 1] = true,
                Part::One(_) | Part::Any => {}
                Part::Name => {
                    let slash = text[at..].iter().position(|c| *c == '/');
                    let end = slash.map_or(text.len(), |length| at + length);
                    next[at..=end].fill(true);
                }
                Part::Text => next[at..].fill(true),
            }
        }
        ends = next;
    }
    ends[text.len()]
}

/// The text in front of the first open part.
pub(crate) fn known_start(word: &str) -> &str {
    &word[..word.find(['*', '?', '[', '$', '{']).unwrap_or(word.len())]
}

fn parts(word: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let closed = Closed::of(word);
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let (part, length) = match first {
            '*' => (Part::Name, 1),
            '?' => (Part::Any, 1),
            '[' => match closed.length(rest, ']') {
                Some(length) => (Part::Any, length),
                None => (Part::One('['), 1),
            },
            '{' => match closed.length(rest, '}') {
                Some(length) => (Part::Text, length),
                None => (Part::One('{'), 1),
            },
            '$' => (Part::Text, reference_length(rest, &closed)),
            other => (Part::One(other), other.len_utf8()),
        };
        parts.push(part);
        rest = &rest[length..];
    }
    parts
}

/// The closing brackets of a word, so that none is looked for where none follows.
struct Closed([(char, usize); 3]);

impl Closed {
    /// Those of `word`, each with how much of the word stands behind the last one.
    fn of(word: &str) -> Self {
        Self([')', ']', '}'].map(|close| {
            let behind = word.rfind(close).map(|at| word.len() - at);
            (close, behind.unwrap_or(usize::MAX))
        }))
    }

    /// The length of the part in brackets that `rest`, an end of the word, begins with.
    fn length(&self, rest: &str, close: char) -> Option<usize> {
        let (_, behind) = self.0.iter().find(|(other, _)| *other == close)?;
        let follows = *behind <= rest.len();
        follows
            .then(|| rest.find(close))
            .flatten()
            .map(|end| end + 1)
    }
}

/// The length of the reference that `text`, an end of the word, begins with.
fn reference_length(text: &str, ends: &Closed) -> usize {
    let behind = &text[1..];
    let closed = |open: char, close: char| {
        let is_open = behind.starts_with(open);
        let length = is_open.then(|| ends.length(behind, close));
        length.flatten().map(|length| 1 + length)
    };
    let name = || {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = behind.find(|c| !is_name(c)).unwrap_or(behind.len());
        let is_special = length == 0 && behind.starts_with(['@', '*', '#', '?', '!', '$']);
        1 + length + usize::from(is_special)
    };
    closed('(', ')')
        .or_else(|| closed('{', '}'))
        .unwrap_or_else(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_words_can_be_what_fits_them() {
        let socket = "/h/docker.sock";
        for word in [
            "/h/docker.sock",
            "/h/*",
            "/h/d*r.sock",
            "/h/docker.s?ck",
            "/h/d[a-z]cker.sock",
            "/h/$f",
            "/h/${f}.sock",
            "/h/$(C).sock",
            "/h/$()",
            "$x",
            "/h/{docker,x}.sock",
            "/*/docker.sock",
            "/h/$()*ocker.sock",
            "/h$1",
        ] {
            assert!(matches(word, socket), "{word}");
        }
        for word in [
            "/h",
            "/*",
            "/h/*.log",
            "/h/etc/$f",
            "/h/?.sock",
            "/x/$f",
            "/h/$f.conf",
            "/h/docker",
        ] {
            assert!(!matches(word, socket), "{word}");
        }
        assert_eq!(known_start("/h/$f/x"), "/h/");
    }
}
