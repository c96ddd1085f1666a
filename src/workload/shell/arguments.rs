//! Programs that run another one with words from elsewhere: `xargs`, `find -exec`,
//! `start-stop-daemon`.

use super::Invocation;
use super::prefix::Input;

/// Words that are taken from what `xargs` reads.
const MAX_WORDS: usize = 256;

/// The words of `invocation` with what it hands to the program that it runs: what `xargs` reads,
/// what `find` finds. `None` for any other program.
pub(super) fn moved_words(invocation: &Invocation, input: &Input) -> Option<Vec<String>> {
    let words = &invocation.words;
    match invocation.program() {
        "xargs" => {
            let read = input.texts.first()?.split_whitespace().take(MAX_WORDS);
            let read: Vec<&str> = read.collect();
            let mark = words.iter().position(|word| word == "-I" || word == "-i");
            let mark = mark.and_then(|at| words.get(at + 1));
            Some(match mark {
                Some(mark) => {
                    let read = read.join(" ");
                    let rest = words.iter().map(|word| match word == mark {
                        true => word.clone(),
                        false => word.replace(mark.as_str(), &read),
                    });
                    // The mark itself stays an option's value.
                    let mut seen = false;
                    rest.map(
                        |word| match word == *mark && std::mem::replace(&mut seen, true) {
                            true => read.clone(),
                            false => word,
                        },
                    )
                    .collect()
                }
                None => {
                    let read = read.into_iter().map(str::to_owned);
                    words.iter().cloned().chain(read).collect()
                }
            })
        }
        "find" => {
            let is_exec =
                |word: &String| matches!(word.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir");
            let exec = words.iter().position(is_exec)?;
            let found = found_paths(&words[..exec]);
            let inner = words[exec..].iter().take_while(|word| *word != ";");
            let inner = inner.flat_map(|word| match word.as_str() {
                "{}" => found.clone(),
                _ => vec![word.replace("{}", found.first().map_or("", String::as_str))],
            });
            Some(words[..exec].iter().take(1).cloned().chain(inner).collect())
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
    let below = |path: &String| match name {
        "" => vec![path.clone(), format!("{path}/$()")],
        name => vec![format!("{path}/$(){name}")],
    };
    paths.flat_map(below).collect()
}
