//! How the name that all objects of a series share is found in one of them: in labels, or in a name
//! without what was generated.

use super::Made;

/// Characters of the random suffixes that Kubernetes generates (apimachinery/pkg/util/rand: no
/// vowels, nothing that looks like another character).
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// Words of five characters in which a person needs no others.
const WORDS: [&str; 6] = ["https", "mssql", "pgsql", "xhtml", "html5", "http2"];
/// Length of a random suffix.
const RANDOM: usize = 5;
/// Longest part of `generateName` that is used (apiserver/pkg/storage/names).
const MAX_PREFIX: usize = 58;

/// Where a name is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// The object's own name.
    Name,
    /// The name of its controller.
    Controller,
    /// A label or an annotation.
    Key(&'static str),
}

/// A part at the end of a name that was generated, with the dash in front of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Five characters as Kubernetes generates them.
    Random,
    /// Any five letters and digits, for names that are always generated.
    Five,
    /// Five letters and digits that are no word: with a digit, or without a vowel.
    Mixed,
    /// Digits.
    Number,
    /// At least ten digits: seconds or nanoseconds since 1970.
    Seconds,
    /// Sixteen hexadecimal digits.
    Hex,
    /// This text, whose dash it holds itself.
    Text(&'static str),
}

impl Part {
    /// `name` without this part; none if it does not end so.
    fn cut(self, name: &str) -> Option<&str> {
        if let Self::Text(text) = self {
            return name.strip_suffix(text);
        }
        let (rest, part) = name.rsplit_once('-')?;
        let is_digits = || part.bytes().all(|byte| byte.is_ascii_digit());
        let is_it = match self {
            Self::Random => is_random(part) && !WORDS.contains(&part),
            Self::Five => part.len() == RANDOM && part.bytes().all(is_plain),
            Self::Mixed => {
                let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
                let has_vowel = part.bytes().any(|byte| b"aeiouy".contains(&byte));
                let is_word = !has_digit && has_vowel || WORDS.contains(&part);
                part.len() == RANDOM && part.bytes().all(is_plain) && !is_word
            }
            Self::Number => !part.is_empty() && is_digits(),
            Self::Seconds => part.len() >= 10 && is_digits(),
            Self::Hex => part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::Text(_) => false,
        };
        (is_it && !rest.is_empty()).then_some(rest)
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_random(text: &str) -> bool {
    text.len() == RANDOM && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// How the name of an owner is found.
#[derive(Debug)]
pub(super) enum Naming {
    /// The values of these labels or annotations, with dots between them.
    Keys(&'static [&'static str]),
    /// A name without these parts, from its end, and `-*` in their place.
    Cut(Of, &'static [Part]),
    /// A name without these parts: that of an object.
    Exact(Of, &'static [Part]),
    /// The value of the second key, without these parts if it has them; only where the first key
    /// has the same value.
    SameCut(&'static str, &'static str, &'static [Part]),
    /// Something of its own.
    Read(fn(&Made<'_>) -> Option<String>),
}

impl Naming {
    /// The name of the owner of `made`, if it is found in this way.
    pub(super) fn find(&self, made: &Made<'_>) -> Option<String> {
        match self {
            Self::Keys(keys) => {
                let values: Option<Vec<&str>> = keys.iter().map(|key| made.value(key)).collect();
                Some(values?.join("."))
            }
            Self::Cut(of, parts) => Some(starred(cut(of.read(made)?, parts)?)),
            Self::Exact(of, parts) => Some(cut(of.read(made)?, parts)?.to_owned()),
            Self::SameCut(other, key, parts) => {
                let name = made.value(key)?;
                let is_same = made.value(other) == Some(name);
                is_same.then(|| cut(name, parts).map_or_else(|| name.to_owned(), starred))
            }
            Self::Read(read) => read(made),
        }
    }
}

impl Of {
    fn read<'m>(self, made: &Made<'m>) -> Option<&'m str> {
        match self {
            Self::Name => Some(made.name),
            Self::Controller => Some(made.controller_name),
            Self::Key(key) => made.value(key),
        }
    }
}

fn cut<'n>(name: &'n str, parts: &[Part]) -> Option<&'n str> {
    parts.iter().try_fold(name, |name, part| part.cut(name))
}

fn starred(name: &str) -> String {
    format!("{name}-*")
}

/// `name` with `-*` in place of a suffix as Kubernetes generates it; none if it has no such suffix.
pub(super) fn without_random(name: &str) -> Option<String> {
    Part::Random.cut(name).map(starred)
}

/// True if the API server made `name` from `generate_name`, or is about to.
pub(super) fn is_generated(name: &str, generate_name: &str) -> bool {
    let mut length = generate_name.len().min(MAX_PREFIX);
    while !generate_name.is_char_boundary(length) {
        length -= 1;
    }
    let is_whole = || {
        name.strip_prefix(&generate_name[..length])
            .is_some_and(is_random)
    };
    !generate_name.is_empty() && (name.is_empty() || is_whole())
}

/// `runner-TOKEN-*`, from the label that holds the Pod's name without its suffix, else from the
/// name. What a person edits is the configuration of the runner, which all projects share.
pub(super) fn gitlab_runner(made: &Made<'_>) -> Option<String> {
    let labelled = ["job.runner.gitlab.com/pod", "pod"]
        .into_iter()
        .filter_map(|key| made.value(key))
        .find_map(|value| GitlabJob::read(value).filter(|job| job.suffix.is_empty()));
    let job = labelled.or_else(|| GitlabJob::of_pod(made.name))?;
    Some(starred(job.runner))
}

/// The project whose job a Pod of this name runs, if GitLab Runner named it.
pub(crate) fn gitlab_project(name: &str) -> Option<u64> {
    GitlabJob::of_pod(name)?.project.parse().ok()
}

/// The name of a Pod of GitLab Runner: `runner-TOKEN-project-ID-concurrent-NUMBER-SUFFIX`.
struct GitlabJob<'n> {
    /// `runner-TOKEN`.
    runner: &'n str,
    project: &'n str,
    /// What stands behind the number, with its dash.
    suffix: &'n str,
}

impl<'n> GitlabJob<'n> {
    fn of_pod(name: &'n str) -> Option<Self> {
        Self::read(name).filter(|job| {
            // Old versions put no dash between the name and its suffix.
            let suffix = job.suffix.strip_prefix('-').filter(|own| own.len() == 8);
            suffix.is_some() || job.suffix.len() == RANDOM
        })
    }

    fn read(name: &'n str) -> Option<Self> {
        // Asked first, because every Pod is asked, and almost none goes on.
        let named = Some(name).filter(|name| name.starts_with("runner-"))?;
        let (front, rest) = named.rsplit_once("-concurrent-")?;
        let (runner, project) = front.rsplit_once("-project-")?;
        let token = runner.strip_prefix("runner-")?;
        let is_number = !project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit());
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        // Behind a number without a dash, the first characters of an old suffix can be digits, too.
        let number = match rest.find('-') {
            Some(dash) => dash,
            None if rest.len() > digits => rest.len().checked_sub(RANDOM)?,
            None => digits,
        };
        let is_concurrent = number > 0 && number <= digits;
        (!token.is_empty() && is_number && is_concurrent).then(|| Self {
            runner,
            project,
            suffix: &rest[number..],
        })
    }
}

/// `FOLDER/JOB` from the annotation `runUrl`, which is `job/FOLDER/job/JOB/NUMBER/`. A branch
/// `PR-N` is one of many.
pub(super) fn jenkins_job(made: &Made<'_>) -> Option<String> {
    let path = made.value("runUrl")?.trim_end_matches('/');
    let (path, number) = path.rsplit_once('/')?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let jobs: Vec<&str> = path.strip_prefix("job/")?.split("/job/").collect();
    let is_pull = |job: &str| {
        let number = job.strip_prefix("PR-");
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let jobs = jobs
        .into_iter()
        .map(|job| if is_pull(job) { "PR-*" } else { job });
    is_number.then(|| jobs.collect::<Vec<_>>().join("/"))
}
