//! Programs that run another one with words from elsewhere: `xargs`, `find -exec`,
//! `start-stop-daemon`.

use super::Invocation;
use crate::workload::budget::{keep, spend};

/// Words that are taken from what `xargs` reads.
const MAX_WORDS: usize = 256;

/// What it costs to copy one.
const WORD_STEPS: usize = 4;

/// What a command reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Input {
    /// Texts that it may be, as far as they are known.
    pub(super) texts: Vec<String>,
    /// Another command writes it.
    pub(super) is_piped: bool,
}

/// The words of `invocation` with what it hands to the program that it runs: what `xargs` reads,
/// what `find` finds. `None` for any other program.
pub(super) fn moved_words(invocation: &Invocation, input: &Input) -> Option<Vec<String>> {
    let words = &invocation.words;
    match invocation.program() {
        "xargs" => {
            let read: Vec<&str> = match input.texts.first() {
                Some(text) => text.split_whitespace().take(MAX_WORDS).collect(),
                None if input.is_piped => vec!["$()"],
                None => return None,
            };
            let Some(mark) = mark_of(words) else {
                let read = read.into_iter();
                let size = read.clone().map(|word| size_of::<String>() + word.len());
                let read = read.map(str::to_owned);
                let are_counted =
                    spend(WORD_STEPS * (words.len() + read.len())) && keep(size.sum());
                return are_counted.then(|| words.iter().cloned().chain(read).collect());
            };
            // The mark itself stays an option's value.
            let read = read.join(" ");
            let mut before = "";
            words
                .iter()
                .map(|word| {
                    let is_option = word.starts_with("-I") || before == "-I";
                    before = word.as_str();
                    match is_option {
                        true => Some(word.clone()),
                        false => replace(word, mark, &read),
                    }
                })
                .collect()
        }
        "find" => {
            let exec = words.iter().position(|word| is_action(word))?;
            let found = found_paths(&words[..exec]).into_iter().next()?;
            let inner = words[exec..].iter().take_while(|word| *word != ";");
            let inner = inner.map(|word| replace(word, "{}", &found));
            let program = words[..1].iter().cloned().map(Some);
            program.chain(inner).collect()
        }
        "start-stop-daemon" => {
            let is_program =
                |word: &String| matches!(word.as_str(), "-x" | "--exec" | "-a" | "--startas");
            let program = words.iter().position(is_program);
            let program = program.and_then(|at| words.get(at + 1)).cloned()?;
            let rest = words
                .iter()
                .skip_while(|word| *word != "--")
                .skip(1)
                .cloned();
            Some([program].into_iter().chain(rest).collect())
        }
        _ => None,
    }
}

/// `word` with `text` in the place of each `mark`; `None` where the budget does not suffice.
fn replace(word: &str, mark: &str, text: &str) -> Option<String> {
    if !spend(word.len()) {
        return None;
    }
    let marks = word.matches(mark).count();
    keep(word.len() + marks.saturating_mul(text.len())).then(|| word.replace(mark, text))
}

/// True for a test of `find` that runs a program.
pub(super) fn is_action(word: &str) -> bool {
    matches!(word, "-exec" | "-execdir" | "-ok" | "-okdir")
}

/// A call of `find` up to the program that it runs.
pub(super) fn without_actions(mut words: Vec<String>) -> Vec<String> {
    let exec = words.iter().position(|word| is_action(word));
    words.truncate(exec.unwrap_or(words.len()));
    words
}

/// What `xargs` puts its words in the place of.
fn mark_of(words: &[String]) -> Option<&str> {
    words
        .iter()
        .zip(words.iter().skip(1))
        .find_map(|(word, next)| match word.as_str() {
            "-I" => Some(next.as_str()),
            "-i" | "--replace" => Some("{}"),
            _ => word
                .strip_prefix("-I")
                .or_else(|| word.strip_prefix("--replace=")),
        })
}

/// What `words`, a call of `find` up to its action, finds: the paths themselves where they could be
/// files, and what is below them by any name, or by the one that is asked for.
pub(crate) fn found_paths(words: &[String]) -> Vec<String> {
    let arguments = words.get(1..).unwrap_or_default();
    let paths = arguments
        .iter()
        .take_while(|word| !word.starts_with(['-', '(', '!']));
    let mut tests = arguments
        .windows(2)
        .filter(|pair| matches!(pair[0].as_str(), "-name" | "-iname"));
    let name = match (tests.next(), tests.next()) {
        (Some(pair), None) => pair[1].as_str(),
        _ => "",
    };
    let paths = paths.take_while(|path| keep(2 * (size_of::<String>() + path.len()) + name.len()));
    let below = |path: &String| match name {
        "" => vec![path.clone(), format!("{path}/$()")],
        name => vec![format!("{path}/$(){name}")],
    };
    paths.flat_map(below).collect()
}
