//! Programs that run another program: `sudo`, `env`, `timeout`, shells with `-c`, `nsenter`,
//! `chroot`.

use super::arguments::{self, Input, is_action};
use super::cron;
use super::names;
use super::options::{
    self, ENV_VALUES, SETPRIV_VALUES, SYSTEMD_RUN_VALUES, after_nsenter_options, after_options,
    is_option_c, script_after_options, split_string,
};
use crate::workload::budget::{exceed, keep, spend};

use super::values::{Values, within_limits};
use super::{HostEntry, Invocation, MAX_DEPTH, read_nested};

/// Files that run one another are followed this far.
const MAX_FILES: usize = 2;

/// What an invocation costs all rules that look at it, whatever its words.
const INVOCATION_STEPS: usize = 64;

/// What a text of it besides its words costs them.
const TEXT_STEPS: usize = 16;

/// What it takes in a list that has some room left.
const INVOCATION_BYTES: usize = 2 * size_of::<Invocation>();

/// Adds `invocation`, and what it runs, to `found`. `values` are those of the script in which it
/// stands, at the body of a function.
pub(super) fn unwrap(
    mut invocation: Invocation,
    input: &Input,
    (values, function): (&Values<'_>, usize),
    depth: usize,
    found: &mut Vec<Invocation>,
) {
    for taken in 0.. {
        if taken == MAX_DEPTH {
            exceed();
            break;
        }
        if !spend(invocation.words.len()) {
            return;
        }
        if let Some(words) = arguments::moved_words(&invocation, input) {
            let outer = std::mem::replace(&mut invocation.words, words);
            // Where it looks counts, whatever it runs.
            let texts = invocation.assignments.iter().chain(&invocation.written);
            let size: usize = texts.map(|text| size_of::<String>() + text.len()).sum();
            if outer[0].ends_with("find") && keep(INVOCATION_BYTES + size) {
                found.push(Invocation {
                    words: arguments::without_actions(outer),
                    ..invocation.clone()
                });
            }
        }
        let Some(inner) = inner_words(&mut invocation) else {
            break;
        };
        invocation.words.drain(..inner);
    }
    // Its words were counted when they were read.
    let others = invocation.assignments.len() + invocation.written.len();
    let steps = INVOCATION_STEPS + TEXT_STEPS * others;
    if invocation.words.is_empty() || !(spend(steps) && keep(INVOCATION_BYTES)) {
        return;
    }
    names::spell_out(&mut invocation.words[0]);
    // So is a program whose name one writes; in a directory that one writes it is a file that
    // nothing shows.
    let program = &invocation.words[0];
    invocation.runs_unseen |= program.starts_with("$()") && !program.contains('/');
    read_file(&mut invocation, (values, function), depth, found);
    if let Some((script, arguments)) = script_of(&invocation) {
        // What a command that nobody sees writes is run.
        invocation.runs_unseen |= script.starts_with("$(");
        let mut values = values.inside(function, arguments);
        read_nested(&script, &invocation, &mut values, depth + 1, found);
    }
    if let Some(table) = cron::table_of(&invocation) {
        let file = values.file(table).map(|file| file.text.as_str());
        let read = input.texts.iter().filter(|_| table == "-");
        for table in read.map(String::as_str).chain(file) {
            let mut values = values.inside(function, None);
            let script = cron::script(table);
            read_nested(&script, &invocation, &mut values, depth + 1, found);
        }
    }
    if reads_script(&invocation) {
        invocation.runs_unseen |= input.is_piped && input.texts.is_empty();
        // Without a program of its own the way onto the host starts a shell, which reads the
        // document.
        enter_host(&mut invocation);
        for script in &input.texts {
            let mut values = values.inside(function, None);
            read_nested(script, &invocation, &mut values, depth + 1, found);
        }
    }
    found.push(invocation);
}

/// Reads the file that `invocation` runs, if the script writes it.
fn read_file(
    invocation: &mut Invocation,
    (values, function): (&Values<'_>, usize),
    depth: usize,
    found: &mut Vec<Invocation>,
) {
    let words = &invocation.words;
    let at = match invocation.program() {
        "." | "source" => 1,
        program if is_shell(program) => after_options(words, 1, &["-o", "+o"]),
        _ => 0,
    };
    let file_at = |path: &String| match invocation.on_host {
        Some(_) => values.file_on_host(path),
        None => values.file(path),
    };
    let Some(file) = words.get(at).and_then(file_at) else {
        return;
    };
    let is_last = values.from_files == MAX_FILES;
    let size = words[at..]
        .iter()
        .map(|word| size_of::<String>() + word.len());
    if !keep(size.sum()) {
        return;
    }
    let arguments = words[at..].to_vec();
    invocation.runs_unseen |= file.is_open || is_last;
    if !is_last {
        let mut values = values.inside(function, Some(arguments));
        values.from_files += 1;
        read_nested(&file.text, invocation, &mut values, depth + 1, found);
    }
}

/// True if `invocation` runs what it reads: a shell without a script, a way onto the host without a
/// program.
fn reads_script(invocation: &Invocation) -> bool {
    let program = invocation.program();
    if is_host_entry(program) {
        return true;
    }
    let mut words = invocation.arguments().iter().map(String::as_str);
    if matches!(program, "." | "source") {
        return words.next().is_some_and(is_input);
    }
    if !is_shell(program) {
        return false;
    }
    while let Some(word) = words.next() {
        match word {
            "-s" | "-" => return true,
            "-o" | "+o" | "-O" | "+O" | "--rcfile" | "--init-file" => {
                words.next();
            }
            _ if word.starts_with("--") => {}
            _ if word.starts_with('-') && word.contains('c') => return false,
            _ if word.starts_with(['-', '+']) => {}
            _ => return is_input(word),
        }
    }
    true
}

/// True for a file that is what the program reads.
fn is_input(file: &str) -> bool {
    file == "/dev/stdin" || file.starts_with("/dev/fd/") || file == "/proc/self/fd/0"
}

/// For a program that runs the rest of its words: how many words to drop. Notes what it changes for
/// the inner one.
fn inner_words(invocation: &mut Invocation) -> Option<usize> {
    let words = &invocation.words;
    let inner = match invocation.program() {
        "exec" | "nohup" | "setsid" | "stdbuf" | "ionice" | "unbuffer" | "builtin" | "tini"
        | "dumb-init" | "catatonit" | "dind" => {
            after_options(words, 1, &["-a", "-c", "-n", "-p", "-i", "-o", "-e"])
        }
        // `command -v NAME` asks; `command NAME` runs.
        "command" => match words.get(1).map(String::as_str) {
            Some("-v" | "-V") => return None,
            _ => after_options(words, 1, &[]),
        },
        "sudo" | "doas" => {
            let at = after_options(
                words,
                1,
                &[
                    "-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U", "--user", "--group",
                ],
            );
            after_assignments(invocation, at)
        }
        // What it takes apart itself is read as a script.
        "env" if split_string(words).is_some() => return None,
        "env" => {
            let at = after_options(words, 1, &ENV_VALUES);
            go(invocation, at, &["-C", "--chdir"]);
            after_assignments(invocation, at)
        }
        "gosu" | "su-exec" | "setuidgid" | "s6-setuidgid" => 2,
        "setpriv" | "unshare" | "numactl" => {
            let at = after_options(words, 1, &SETPRIV_VALUES);
            if at < words.len() {
                enter_host(invocation);
            }
            go(invocation, at, &["-w", "--wd"]);
            at
        }
        // A mask or a priority stands in front of the program.
        "taskset" => after_options(words, 1, &[]) + 1,
        "chrt" => after_options(words, 1, &["-T", "-P", "-D"]) + 1,
        "setarch" => after_options(words, 1, &[]) + 1,
        "linux32" | "linux64" => after_options(words, 1, &[]),
        "prlimit" => after_options(words, 1, &["-p", "--pid", "-o", "--output"]),
        "choom" => after_options(words, 1, &["-n", "--adjust", "-p", "--pid"]),
        "chpst" => after_options(words, 1, &["-u", "-U", "-b", "-e", "-n"]),
        "strace" | "ltrace" => after_options(words, 1, &["-o", "-e", "-p", "-s", "-u"]),
        "parallel" => after_options(words, 1, &["-j", "-P", "--jobs", "-a"]),
        "retry" => {
            let at = after_options(words, 1, &["-t", "-d", "-n", "-s"]);
            at + words[at.min(words.len())..]
                .iter()
                .take_while(|word| word.bytes().all(|b| b.is_ascii_digit()))
                .count()
        }
        "wait-for-it.sh" | "wait-for-it" | "wait-for.sh" | "wait-for" => {
            words.iter().position(|word| word == "--")? + 1
        }
        "Start-Process" => after_options(words, 1, &[]),
        "find" => words.iter().position(|word| is_action(word))? + 1,
        "time" => after_options(words, 1, &["-f", "-o", "--format", "--output"]),
        "screen" => after_options(words, 1, &["-S", "-c", "-h", "-s", "-t"]),
        "nice" => after_options(words, 1, &["-n", "--adjustment"]),
        "timeout" => after_options(words, 1, &["-s", "-k", "--signal", "--kill-after"]) + 1,
        "flock" => after_options(words, 1, &["-w", "-E", "--timeout"]) + 1,
        "runuser" if words.iter().any(|word| word == "-u" || word == "--user") => after_options(
            words,
            1,
            &["-u", "--user", "-g", "--group", "-G", "--supp-group"],
        ),
        "ip" if words
            .get(1..3)
            .is_some_and(|words| words == ["netns", "exec"]) =>
        {
            4
        }
        "systemd-run" => after_options(words, 1, &SYSTEMD_RUN_VALUES),
        "xargs" => after_options(words, 1, &["-n", "-I", "-P", "-L", "-d", "-a", "-s", "-E"]),
        "busybox" | "toybox" => 1,
        "nsenter" => {
            let at = after_nsenter_options(words);
            if at < words.len() {
                enter_host(invocation);
            }
            at
        }
        "chroot" | "arch-chroot" => {
            let at = after_options(words, 1, &[]) + 1;
            if at < words.len() {
                enter_host(invocation);
            }
            at
        }
        _ => return None,
    };
    (inner < invocation.words.len()).then_some(inner)
}

/// Notes how `invocation`, a call of nsenter, chroot or unshare, leaves the container.
fn enter_host(invocation: &mut Invocation) {
    let words = &invocation.words;
    match invocation.program() {
        "nsenter" => invocation.on_host = Some(HostEntry::Nsenter),
        "chroot" | "arch-chroot" => {
            let root = words.get(after_options(words, 1, &[]));
            invocation.on_host = root.map(|root| chroot(root)).or(invocation.on_host.take());
        }
        "unshare" => {
            let end = after_options(words, 1, &SETPRIV_VALUES).min(words.len());
            let given = words[..end].windows(2).find_map(|pair| match pair {
                [option, root] if option == "-R" || option == "--root" => Some(root.as_str()),
                _ => None,
            });
            let mut options = words[..end].iter();
            let joined = || options.find_map(|word| word.strip_prefix("--root="));
            if let Some(root) = given.or_else(joined) {
                invocation.on_host = Some(chroot(root));
            }
        }
        _ => {}
    }
}

/// The way into `root`; into one that nothing shows, where Linux takes no path of that length.
fn chroot(root: &str) -> HostEntry {
    HostEntry::Chroot(within_limits(root).unwrap_or("$()").into())
}

/// Notes that the program runs in the directory that one of the `options` before `end` names.
fn go(invocation: &mut Invocation, end: usize, options: &[&str]) {
    let words = &invocation.words[..end.min(invocation.words.len())];
    let next = words
        .windows(2)
        .find(|pair| options.contains(&pair[0].as_str()));
    let joined = || {
        let mut pairs = words.iter().filter_map(|word| word.split_once('='));
        let named = pairs.find(|(option, _)| options.contains(option));
        named.map(|(_, directory)| directory.to_owned())
    };
    if let Some(directory) = next.map(|pair| pair[1].clone()).or_else(joined) {
        invocation.directories = [within_limits(&directory).unwrap_or("$()").to_owned()].into();
    }
}

fn after_assignments(invocation: &mut Invocation, mut at: usize) -> usize {
    while let Some(word) = invocation
        .words
        .get(at)
        .filter(|word| word.contains('=') && !word.starts_with('='))
    {
        invocation.assignments.push(word.clone());
        at += 1;
    }
    at
}

/// The script that a shell, `eval` or `su` is given as an argument, and for a shell what it gets as
/// `$0`, `$1` and so on.
fn script_of(invocation: &Invocation) -> Option<(String, Option<Vec<String>>)> {
    let words = invocation.arguments();
    let script = match invocation.program() {
        "eval" | "iex" | "Invoke-Expression" => Some(words.join(" ")),
        "env" => split_string(&invocation.words),
        "watch" | "parallel" => {
            let valued = ["-n", "--interval", "-q", "--equexit", "-j", "--jobs"];
            let at = after_options(&invocation.words, 1, &valued);
            Some(invocation.words.get(at..)?.join(" "))
        }
        // `sg GROUP COMMAND` goes without an option.
        "sg" if !words.iter().any(|word| is_option_c(word)) => words.get(1).cloned(),
        "su" | "runuser" | "sg" | "script" => {
            let at = words
                .iter()
                .position(|word| word == "--command" || is_option_c(word))?;
            words.get(at + 1).cloned()
        }
        "trap" => words.first().cloned(),
        "cmd" | "powershell" | "pwsh" => {
            let is_flag = |word: &str| {
                ["/c", "/k", "-c", "-command"].contains(&word.to_ascii_lowercase().as_str())
            };
            // powershell.exe takes what is no option for a command, too.
            let bare = || {
                (invocation.program() == "powershell")
                    .then(|| words.iter().position(|word| !word.starts_with('-')))
                    .flatten()
            };
            let at = words
                .iter()
                .position(|word| is_flag(word))
                .map(|at| at + 1)
                .or_else(bare)?;
            // A backslash is a separator of paths there, no escape.
            let script = words[at..].join(" ").replace('\\', "/");
            Some(match invocation.program() {
                "cmd" => script,
                _ => options::without_blocks(&script),
            })
        }
        // Arguments alone, for an image whose entrypoint is a shell.
        program if is_shell(program) || program.starts_with('-') => {
            let words = if program.starts_with('-') {
                &invocation.words
            } else {
                words
            };
            let at = script_after_options(words)?;
            return Some((words[at].clone(), Some(words[at + 1..].to_vec())));
        }
        _ => None,
    };
    Some((script?, None))
}

pub(super) fn is_shell(program: &str) -> bool {
    matches!(
        program,
        "sh" | "bash"
            | "ash"
            | "dash"
            | "zsh"
            | "ksh"
            | "mksh"
            | "rbash"
            | "rksh"
            | "yash"
            | "posh"
            | "csh"
            | "tcsh"
            | "fish"
    )
}

fn is_host_entry(program: &str) -> bool {
    matches!(program, "nsenter" | "chroot")
}
