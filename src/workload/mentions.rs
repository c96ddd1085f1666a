//! Words in texts: what a container's texts mention decides which rules need to read them.

/// True if `text` holds `needle`.
pub(crate) fn mentions(text: &str, needle: &str) -> bool {
    occurrences(text, needle).next().is_some()
}

/// Where `needle` stands in `text`. Both are short, so a plain scan for the first byte beats a searcher's set-up.
pub(crate) fn occurrences(text: &str, needle: &str) -> impl Iterator<Item = usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    memchr::memchr_iter(needle[0], text).filter(move |at| text[*at..].starts_with(needle))
}

/// What the texts of a container mention, by one look at each: rules read only where their words are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mentions {
    /// `docker` in any case, in paths, addresses, commands, names of runtimes.
    pub(crate) docker: bool,
    /// `:237`, with which Docker's ports begin.
    pub(crate) docker_port: bool,
    /// `172.17.`, Docker's bridge.
    pub(crate) bridge: bool,
    /// `ping`.
    pub(crate) ping: bool,
}

impl Mentions {
    /// Looks for each word by the rarest of its letters.
    pub(super) fn add(&mut self, text: &str) {
        let text = text.as_bytes();
        let stands = |word: &[u8], back: usize, at: usize| at.checked_sub(back).is_some_and(|start| text[start..].starts_with(word));
        for at in memchr::memchr3_iter(b'k', b'K', b'7', text) {
            self.docker |= at >= 3 && text[at - 3..].get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"docker"));
            self.docker_port |= stands(b":237", 3, at);
            self.bridge |= stands(b"172.17.", 1, at);
        }
        self.ping |= memchr::memchr_iter(b'g', text).any(|at| stands(b"ping", 3, at));
    }
}

#[cfg(test)]
mod tests {
    use super::Mentions;

    #[test]
    fn words_are_found_wherever_they_stand() {
        let found = |text: &str| {
            let mut found = Mentions::default();
            found.add(text);
            [found.docker, found.docker_port, found.bridge, found.ping]
        };
        assert!(found("a Docker")[0] && found("DOCKER-USER")[0]);
        for (at, word) in ["docker", ":237", "172.17.", "ping"].into_iter().enumerate() {
            let mut expected = [false; 4];
            expected[at] = true;
            for text in [word.to_owned(), format!("{word}x"), format!("k7gK{word}"), format!("é {word} k7g")] {
                assert_eq!(found(&text), expected, "{text}");
            }
            assert_eq!(found(&word[1..]), [false; 4], "{word}");
        }
    }
}
