//! What the texts of a container mention decides which rules need to read them.

use wide::u8x16;

/// What texts mention, by one look at each: rules read only where their words are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prefilter {
    /// `docker` in any case, in paths, addresses, commands, names of runtimes.
    pub(crate) docker: bool,
    /// `:237`, with which Docker's ports begin; zeros and a plus in front are read like nothing.
    pub(crate) docker_port: bool,
    /// `172.17.`, Docker's bridge.
    pub(crate) bridge: bool,
    /// `ping`.
    pub(crate) ping: bool,
    /// `$(`, with which references to variables begin.
    pub(crate) reference: bool,
}

impl Prefilter {
    /// What either mentions.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            docker: self.docker | other.docker,
            docker_port: self.docker_port | other.docker_port,
            bridge: self.bridge | other.bridge,
            ping: self.ping | other.ping,
            reference: self.reference | other.reference,
        }
    }

    /// Looks for each word by the rarest of its letters.
    #[inline(never)]
    pub(super) fn add(&mut self, text: &str) {
        let text = text.as_bytes();
        let (chunks, tail) = text.as_chunks::<16>();
        let mut last = [0; 16];
        last[..tail.len()].copy_from_slice(tail);
        for number in 0..=chunks.len() {
            let bytes = u8x16::new(*chunks.get(number).unwrap_or(&last));
            let letters = bytes | u8x16::splat(b' ');
            let rare = letters.simd_eq(u8x16::splat(b'k'))
                | letters.simd_eq(u8x16::splat(b'g'))
                | bytes.simd_eq(u8x16::splat(b'7'))
                | bytes.simd_eq(u8x16::splat(b'$'));
            let mut found = rare.to_bitmask();
            while found != 0 {
                self.look_around(text, number * 16 + found.trailing_zeros() as usize);
                found &= found - 1;
            }
        }
    }

    /// Looks for the word around its rarest letter, which stands at `at`.
    fn look_around(&mut self, text: &[u8], at: usize) {
        let around =
            |word: &[u8], back: usize| text.get(at.checked_sub(back)?..)?.get(..word.len());
        match text[at] {
            b'k' | b'K' => {
                self.docker |=
                    around(b"docker", 3).is_some_and(|found| found.eq_ignore_ascii_case(b"docker"))
            }
            b'7' => {
                self.docker_port |= around(b"237", 2) == Some(b"237") && follows_colon(text, at);
                self.bridge |= around(b"172.17.", 1) == Some(b"172.17.");
            }
            b'$' => self.reference |= text.get(at + 1) == Some(&b'('),
            _ => self.ping |= around(b"ping", 3) == Some(b"ping"),
        }
    }
}

/// True if `237`, which ends at `at`, begins a port: Go reads `02375` and `+2375`, too.
fn follows_colon(text: &[u8], at: usize) -> bool {
    let front = text.get(..at.saturating_sub(2)).unwrap_or_default();
    let mut front = front.iter().rev();
    front.find(|byte| !matches!(byte, b'0' | b'+')) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::Prefilter;

    #[test]
    fn words_are_found_wherever_they_stand() {
        let found = |text: &str| {
            let mut found = Prefilter::default();
            found.add(text);
            [found.docker, found.docker_port, found.bridge, found.ping]
        };
        assert!(found("a Docker")[0] && found("DOCKER-USER")[0]);
        assert!(found("x:02375")[1] && found("x:+2375")[1] && found("x:+002376")[1]);
        assert!(!found("x:12375")[1] && !found("x2375")[1] && !found("2375")[1]);
        for (at, word) in ["docker", ":237", "172.17.", "ping"]
            .into_iter()
            .enumerate()
        {
            let mut expected = [false; 4];
            expected[at] = true;
            for text in [
                word.to_owned(),
                format!("{word}x"),
                format!("k7gK{word}"),
                format!("é {word} k7g"),
            ] {
                assert_eq!(found(&text), expected, "{text}");
            }
            assert_eq!(found(&word[1..]), [false; 4], "{word}");
        }
    }
}
