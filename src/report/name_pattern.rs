//! What names of many objects have in common: `wp-01he8bebctabr3kgk0qj36d2me` is one of `wp-*`.

/// Lengths of the parts of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];
/// Shortest part that can be generated.
const MIN_PART: usize = 5;
/// Fewest digits of a number that nobody typed: the time of day, at least.
const MIN_DIGITS: usize = 6;

/// `name` with `*` for its generated parts; none if it has no such part, or no other.
pub(super) fn pattern(name: &str) -> Option<String> {
    Shape::of(name).map(|shape| shape.pattern(name))
}

/// Which parts of a name are generated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape(Vec<bool>);

impl Shape {
    /// That of `name`; none if it has no generated part, or no other at its beginning.
    pub(super) fn of(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('-').collect();
        let mut generated = Vec::with_capacity(parts.len());
        while let Some((part, _)) = parts[generated.len()..].split_first() {
            if is_uuid(&parts[generated.len()..]) {
                generated.extend([true; UUID.len()]);
            } else {
                generated.push(is_generated(part));
            }
        }
        (!generated[0] && generated.contains(&true)).then_some(Self(generated))
    }

    /// `name` with `*` for its generated parts.
    fn pattern(&self, name: &str) -> String {
        let mut kept: Vec<&str> = Vec::with_capacity(self.0.len());
        for (part, is_generated) in name.split('-').zip(&self.0) {
            let word = if *is_generated { "*" } else { part };
            if word != "*" || kept.last() != Some(&"*") {
                kept.push(word);
            }
        }
        kept.join("-")
    }

    /// What names of one generator have in common, where their generated parts are these: the other
    /// parts, and the lengths of these; with the characters that stand in these. None if `name` has
    /// another number of parts.
    pub(super) fn mould(&self, name: &str) -> Option<(String, Alphabet)> {
        let parts: Vec<&str> = name.split('-').collect();
        if parts.len() != self.0.len() {
            return None;
        }
        let mut alphabet = Alphabet::default();
        let mut mould = String::with_capacity(name.len());
        for (part, is_generated) in parts.iter().zip(&self.0) {
            if *is_generated {
                alphabet = alphabet.with(Alphabet::of(part)?);
                mould.push_str(&format!("*{}-", part.len()));
            } else {
                mould.push_str(part);
                mould.push('-');
            }
        }
        Some((mould, alphabet))
    }
}

/// What kinds of characters generated parts have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Alphabet {
    letters: bool,
    vowels: bool,
    beyond_hex: bool,
}

impl Alphabet {
    /// That of a part; none if nothing generates such a part.
    fn of(part: &str) -> Option<Self> {
        let has = |is_it: fn(u8) -> bool| part.bytes().any(is_it);
        part.bytes().all(is_plain).then(|| Self {
            letters: has(|byte| byte.is_ascii_lowercase()),
            vowels: has(|byte| b"aeiouy".contains(&byte)),
            beyond_hex: has(|byte| !byte.is_ascii_hexdigit()),
        })
    }

    /// Both together.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            letters: self.letters || other.letters,
            vowels: self.vowels || other.vowels,
            beyond_hex: self.beyond_hex || other.beyond_hex,
        }
    }

    /// True if `other` has nothing that this one has not.
    pub(super) fn holds(self, other: Self) -> bool {
        self.with(other) == self
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_uuid(parts: &[&str]) -> bool {
    let is_part = |(part, length): (&&str, &usize)| {
        part.len() == *length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    parts.len() >= UUID.len() && parts.iter().zip(&UUID).all(is_part)
}

/// True if a person would not write `part`: a long number, or letters and digits in turn, or five
/// characters without a vowel as Kubernetes generates them.
fn is_generated(part: &str) -> bool {
    if part.len() < MIN_PART || !part.bytes().all(is_plain) {
        return false;
    }
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    if digits == part.len() {
        return digits >= MIN_DIGITS;
    }
    let has_vowel = part.bytes().any(|byte| b"aeiouy".contains(&byte));
    if digits == 0 {
        return part.len() == MIN_PART && !has_vowel;
    }
    // `python3` and `2fast` change once, `v1beta1` is the worst that people write.
    let changes = part.as_bytes().windows(2);
    let changes = changes.filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit());
    changes.count() >= 2 || part.len() == MIN_PART && !has_vowel
}

#[cfg(test)]
mod tests {
    use super::{Shape, pattern};

    #[test]
    fn generated_parts_are_told_from_words() {
        for (name, expected) in [
            ("wp-01he8bebctabr3kgk0qj36d2me", Some("wp-*")),
            ("task-0190046e-e199-453b-a302-a21a4d649d31", Some("task-*")),
            ("build-20261128-101500-main", Some("build-*-main")),
            ("build-1795860000", Some("build-*")),
            ("agent-k2j3h4g5", Some("agent-*")),
            ("agent-x7k2p-9bvxz", Some("agent-*")),
            ("agent-x7k2p-run-9bvxz", Some("agent-*-run-*")),
            ("web-1", None),
            ("web-12345", None),
            ("test-python3", None),
            ("test-ubuntu2204", None),
            ("web", None),
            ("my-web-server", None),
            ("k2j3h4g5", None),
            ("0190046e-e199-453b-a302-a21a4d649d31", None),
            ("", None),
        ] {
            assert_eq!(pattern(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_name_of_the_same_mould_can_look_like_a_word() {
        let shape = Shape::of("build-0d0jpylm").unwrap();
        let (mould, alphabet) = shape.mould("build-0d0jpylm").unwrap();
        let fits = |name: &str| {
            let other = shape.mould(name);
            other.is_some_and(|(other, own)| other == mould && alphabet.holds(own))
        };
        assert!(fits("build-gvlgqmzu"));
        for other in ["build-frontendx", "test-gvlgqmzu", "build-a-b", "build"] {
            assert!(!fits(other), "{other}");
        }
        // Kubernetes generates no vowels.
        let shape = Shape::of("sync-x7k2p").unwrap();
        let (_, alphabet) = shape.mould("sync-x7k2p").unwrap();
        let (_, users) = shape.mould("sync-users").unwrap();
        assert!(!alphabet.holds(users));
    }
}
