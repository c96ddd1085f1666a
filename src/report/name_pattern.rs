//! What names of many objects have in common: `wp-01he8bebctabr3kgk0qj36d2me` is one of `wp-*`.

/// Lengths of the parts of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];
/// Shortest part that can be generated.
const MIN_PART: usize = 5;
/// Fewest digits of a number that nobody typed: the time of day, at least.
const MIN_DIGITS: usize = 6;

/// `name` with `*` for its generated parts; none if it has no such part, or no other.
pub(super) fn pattern(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('-').collect();
    let mut kept: Vec<&str> = Vec::with_capacity(parts.len());
    let mut rest = parts.as_slice();
    while let Some((part, others)) = rest.split_first() {
        let (word, next) = if is_uuid(rest) {
            ("*", &rest[UUID.len()..])
        } else if is_generated(part) {
            ("*", others)
        } else {
            (*part, others)
        };
        if word != "*" || kept.last() != Some(&"*") {
            kept.push(word);
        }
        rest = next;
    }
    let is_named = kept.first().is_some_and(|first| *first != "*");
    (is_named && kept.contains(&"*")).then(|| kept.join("-"))
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
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
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
    use super::pattern;

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
}
