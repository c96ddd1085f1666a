//! Notes what a script gives its variables, its functions' arguments and its working directory.

use std::collections::HashMap;

use super::Values;
use super::escapes;
use super::lexer::RawCommand;
use super::word::Word;
use crate::workload::budget::{keep, spend};

/// Notes what `commands` set. Functions may be called before what they use is set, and with each
/// other's words, so whoever has functions looks twice.
pub(super) fn learn(commands: &[RawCommand], values: &mut Values<'_>) {
    let functions: HashMap<&str, usize> = commands
        .iter()
        .filter(|command| command.defines > 0)
        .filter_map(|command| Some((command.words.first()?.as_str(), command.defines)))
        .collect();
    let rounds = if functions.is_empty() { 1 } else { 2 };
    for _ in 0..rounds {
        let mut readers: Vec<&str> = Vec::new();
        for (at, command) in commands.iter().enumerate() {
            if !spend(0) {
                return;
            }
            learn_from(command, values);
            let Some(program) = command.words.first() else {
                // `done <<END` is read by the commands before it.
                let lines = command.here_document.iter();
                let mut lines = lines.flat_map(|text| text.lines());
                lines.all(|line| readers.iter().all(|name| values.add(name, line.trim())));
                continue;
            };
            if program.text == "read" {
                let names = command.words[1..].iter().map(Word::as_str);
                readers.extend(names.filter(|name| !name.starts_with('-')));
                let mut piped = piped_to(commands, at, values);
                if let Some(texts) = piped.as_mut().filter(|texts| texts.is_empty()) {
                    // As the output of a command stands in a word.
                    texts.push("$()".to_owned());
                }
                let texts = piped.iter().flatten().chain(&command.here_document);
                let lines: Vec<&str> = texts.flat_map(|text| text.lines()).collect();
                let mut names = command.words[1..].iter().map(Word::as_str);
                names.all(|name| lines.iter().all(|line| values.add(name, line.trim())));
            }
            let function = functions.get(program.as_str());
            if let Some(number) = function.filter(|_| command.defines == 0) {
                for call in values.calls(&command.words, command.function) {
                    values.add_arguments(*number, call);
                }
            }
        }
    }
    for (at, command) in commands.iter().enumerate() {
        if !spend(0) {
            return;
        }
        // Behind `sudo`, too.
        let tee = command
            .words
            .iter()
            .take(2)
            .position(|word| word.text == "tee");
        if let Some(tee) = tee {
            let mut texts = piped_to(commands, at, values).unwrap_or_default();
            texts.extend(command.here_document.clone());
            let files = command.words[tee + 1..].iter();
            let mut files = files.filter(|word| !word.text.starts_with('-'));
            files.all(|file| write(file, command, &texts, values));
        }
        if !command.written.is_empty() {
            let texts = output_of(command, values);
            let mut files = command.written.iter();
            files.all(|file| write(file, command, &texts, values));
        }
        copy(command, values);
    }
}

/// Notes what `command` copies or renames of the files that were written.
fn copy(command: &RawCommand, values: &mut Values<'_>) {
    let program = command.words.first().map_or("", Word::as_str);
    if !matches!(program, "cp" | "mv" | "ln" | "install") {
        return;
    }
    let files = command.words[1..].iter();
    let mut files = files.filter(|word| !word.text.starts_with('-'));
    let Some(target) = files.next_back() else {
        return;
    };
    let sources = files.flat_map(|source| values.texts(source, command.function));
    for path in sources.collect::<Vec<_>>() {
        let Some(file) = values.file(&path) else {
            continue;
        };
        if !keep(file.text.len() + target.size()) {
            return;
        }
        let texts = (!file.text.is_empty()).then(|| file.text.clone());
        let is_open = file.is_open;
        let mut target = target.clone();
        if target.text.ends_with('/') {
            let name = path.rsplit('/').next();
            target.text.push_str(name.unwrap_or_default());
        }
        write(&target, command, texts.as_slice(), values);
        if is_open {
            write(&target, command, &[], values);
        }
    }
}

/// What the command before the one at `at` writes to it, if it does: none where nothing shows it.
fn piped_to(commands: &[RawCommand], at: usize, values: &Values<'_>) -> Option<Vec<String>> {
    let before = &commands[at.checked_sub(1)?];
    before.pipes.then(|| output_of(before, values))
}

/// Notes that `command` writes one of `texts` to `file`. False if the budget is exceeded.
fn write(file: &Word, command: &RawCommand, texts: &[String], values: &mut Values<'_>) -> bool {
    for path in values.texts(file, command.function) {
        values.files.write(&path, texts);
    }
    spend(1)
}

/// Notes what one command sets.
fn learn_from(command: &RawCommand, values: &mut Values<'_>) {
    for assignment in &command.assignments {
        assign(assignment, command, values);
    }
    if let Some((name, rest)) = command.data.split_first() {
        // Without `in`, a loop goes through the arguments.
        let all = [Word::reference("@")];
        let words = rest.get(1..).unwrap_or(&all);
        let items = values.calls(words, command.function);
        let mut items = items.iter().flatten();
        items.all(|item| values.add(name.as_str(), item));
    }
    let is_builtin = |word: &&Word| matches!(word.as_str(), "builtin" | "command");
    let before = command.words.iter().take_while(is_builtin).count();
    let Some((program, words)) = command.words[before..].split_first() else {
        return;
    };
    match program.as_str() {
        "export" | "readonly" | "local" | "declare" | "typeset" | ":" => {
            let assignments = words.iter().filter(|word| word.text.contains('='));
            assignments.for_each(|word| assign(word, command, values));
        }
        "set" => {
            let is_option = |word: &&Word| word.text.starts_with(['-', '+']) && word.text != "--";
            let size = words.iter().map(Word::size).sum();
            if !keep(size) {
                return;
            }
            let mut words: Vec<Word> = words.iter().skip_while(is_option).cloned().collect();
            match words.first_mut() {
                Some(first) if first.text == "--" => *first = Word::literal("sh"),
                _ => words.insert(0, Word::literal("sh")),
            }
            if words.len() > 1 {
                for call in values.calls(&words, command.function) {
                    values.add_arguments(command.function, call);
                }
            }
        }
        "cd" | "chdir" | "pushd" => {
            let directory = words.iter().find(|word| !word.text.starts_with('-'));
            let home = Word::reference("HOME");
            let directories = values.texts(directory.unwrap_or(&home), command.function);
            directories
                .iter()
                .for_each(|directory| values.go(directory));
        }
        _ => {}
    }
}

/// Notes `NAME=VALUE`.
fn assign(word: &Word, command: &RawCommand, values: &mut Values<'_>) {
    // `: ${NAME:=VALUE}` is a reference, whose default counts where it is used.
    let Some((name, value, is_added)) = word.assignment().filter(|(name, ..)| is_name(name)) else {
        return;
    };
    let texts = values.texts(&value, command.function);
    if is_added {
        let before = Word::reference(name);
        for front in values.texts(&before, command.function) {
            texts.iter().all(|text| {
                spend(front.len() + text.len()) && values.add(name, &format!("{front}{text}"))
            });
        }
    }
    texts.iter().all(|text| values.add(name, text));
}

fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The texts that a command writes, where they are written there: a here-document of `cat`, the
/// words of `echo` and `printf`.
pub(super) fn output_of(command: &RawCommand, values: &Values<'_>) -> Vec<String> {
    let Some(program) = command.words.first() else {
        return Vec::new();
    };
    let words = || {
        values
            .calls(&command.words[1..], command.function)
            .into_iter()
    };
    let is_option = |word: &&String| matches!(word.as_str(), "-n" | "-e" | "-E");
    match program.text.rsplit('/').next() {
        Some("cat") => command.here_document.iter().cloned().collect(),
        Some("echo") => words()
            .map(|words| {
                let is_escaped = words.first().is_some_and(|word| word == "-e");
                let words: Vec<&str> = words
                    .iter()
                    .skip_while(is_option)
                    .map(String::as_str)
                    .collect();
                let text = words.join(" ");
                if is_escaped {
                    escapes::unescape(&text)
                } else {
                    text
                }
            })
            .collect(),
        Some("printf") => words()
            .filter_map(|words| escapes::printf(&words))
            .collect(),
        _ => Vec::new(),
    }
}
