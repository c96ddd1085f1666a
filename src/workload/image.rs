//! Image references, normalised as the container ecosystem does it: (registry host, path), tag and
//! digest aside.
//!
//! The rules are those of `distribution/reference` (normalize.go). It never fails: a malformed or
//! templated name is compared as far as it can be read, because it must not hide a finding.

use std::borrow::Cow;

use memchr::{memchr, memrchr};

use super::catalog::mirrors::mirror_prefix;
use super::search::occurrences;

/// A reference taken apart. `host` and `path` are what rules compare; the tag is a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference<'a> {
    /// Registry host with port; `docker.io` where none is written and for every Docker Hub mirror.
    pub host: &'a str,
    /// Repository path; `library/NAME` for a single-element Docker Hub name.
    pub path: Cow<'a, str>,
    /// Tag as written; a digest does not imply one.
    pub tag: Option<&'a str>,
    /// Digest as written, without the `@`.
    pub digest: Option<&'a str>,
    /// True if no registry is written, so that the runtime chooses one.
    pub is_short: bool,
}

impl<'a> ImageReference<'a> {
    /// Takes `text` apart.
    pub fn parse(text: &'a str) -> Self {
        let text = text.trim_ascii();
        let (name, digest) = split_at(text, memchr(b'@', text.as_bytes()));
        let last_slash = memrchr(b'/', name.as_bytes()).unwrap_or_default();
        let (name, tag) = split_at(
            name,
            memrchr(b':', &name.as_bytes()[last_slash..]).map(|at| last_slash + at),
        );
        let (host, path, is_short) = match split_at(name, memchr(b'/', name.as_bytes())) {
            (first, Some(rest)) if is_host(first) => (first, rest, false),
            _ => ("docker.io", name, true),
        };
        let (host, path) = fold_mirror(host, path);
        let is_single = host == "docker.io" && !path.contains('/');
        let path = if is_single {
            Cow::Owned(format!("library/{path}"))
        } else {
            Cow::Borrowed(path)
        };
        Self {
            host,
            path,
            tag: tag.filter(|tag| !tag.is_empty()),
            digest,
            is_short,
        }
    }

    /// The last component of the path.
    pub fn name(&self) -> &str {
        &self.path[memrchr(b'/', self.path.as_bytes()).map_or(0, |at| at + 1)..]
    }

    /// `host/path`, the form in which references are compared and fingerprinted.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }
}

/// What stands before the separator at `at`, and behind it.
fn split_at(text: &str, at: Option<usize>) -> (&str, Option<&str>) {
    at.map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])))
}

fn is_host(first: &str) -> bool {
    first == "localhost"
        || first
            .bytes()
            .any(|byte| matches!(byte, b'.' | b':' | b'A'..=b'Z'))
}

/// Reads a mirror of Docker Hub as Docker Hub.
fn fold_mirror<'a>(host: &'a str, path: &'a str) -> (&'a str, &'a str) {
    if let Some(prefix) = mirror_prefix(host)
        && let Some(rest) = path.strip_prefix(prefix)
    {
        return ("docker.io", rest);
    }
    // A pull-through cache under a name of its own keeps Docker Hub's `library/`.
    match occurrences(path, "/library/").next() {
        Some(at) => ("docker.io", &path[at + 1..]),
        None if path.starts_with("library/") => ("docker.io", path),
        None => (host, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_image_compare_equal() {
        for text in [
            "docker",
            "docker:27-cli",
            "library/docker",
            "docker.io/docker",
            "docker.io/library/docker:24@sha256:0123",
            "index.docker.io/docker",
            "registry-1.docker.io/library/docker",
            "registry.hub.docker.com/library/docker",
            "mirror.gcr.io/library/docker@sha256:0123",
            "public.ecr.aws/docker/library/docker:24",
            "123.dkr.ecr.eu-west-1.amazonaws.com/hub/library/docker",
            "x.docker.scarf.sh/library/docker",
        ] {
            assert_eq!(
                ImageReference::parse(text).repository(),
                "docker.io/library/docker",
                "{text}"
            );
        }
    }

    #[test]
    fn hosts_tags_and_digests_are_told_apart() {
        let cases = [
            (
                "docker:2375",
                "docker.io/library/docker",
                Some("2375"),
                None,
            ),
            ("127.0.0.1:5000/docker", "127.0.0.1:5000/docker", None, None),
            (
                "[fc00::1]:5000/docker:1",
                "[fc00::1]:5000/docker",
                Some("1"),
                None,
            ),
            ("Docker/docker", "Docker/docker", None, None),
            ("localhost/docker", "localhost/docker", None, None),
            (
                "docker.elastic.co/beats/filebeat:8",
                "docker.elastic.co/beats/filebeat",
                Some("8"),
                None,
            ),
            ("a/b@sha256:00", "docker.io/a/b", None, Some("sha256:00")),
            ("${IMAGE}", "docker.io/library/${IMAGE}", None, None),
            ("", "docker.io/library/", None, None),
        ];
        for (text, repository, tag, digest) in cases {
            let image = ImageReference::parse(text);
            assert_eq!(
                (image.repository().as_str(), image.tag, image.digest),
                (repository, tag, digest),
                "{text}"
            );
        }
    }
}
