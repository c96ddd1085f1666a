//! How programs that run another one take their options: which words belong to them, and where the
//! inner program or its script begins.

/// Index of the first word that is no option; `valued` are the options that take the next word.
pub(super) fn after_options(words: &[String], mut at: usize, valued: &[&str]) -> usize {
    while let Some(word) = words.get(at) {
        if word == "--" {
            return at + 1;
        }
        if !word.starts_with('-') || word == "-" {
            break;
        }
        at += if valued.contains(&word.as_str()) {
            2
        } else {
            1
        };
    }
    at
}

/// The same for nsenter, whose short options may be written together: `-at 1`.
pub(super) fn after_nsenter_options(words: &[String]) -> usize {
    let mut at = after_options(words, 1, &NSENTER_VALUES);
    let ends_with_target = |word: &String| {
        word.len() > 2 && word.ends_with('t') && word[1..].bytes().all(|b| b.is_ascii_alphabetic())
    };
    if at > 1
        && words[..at.min(words.len())]
            .last()
            .is_some_and(|word| word.starts_with('-') && ends_with_target(word))
    {
        at = after_options(words, at + 1, &NSENTER_VALUES);
    }
    at
}

/// A script of PowerShell with the ends of its blocks as ends of commands: `if(1){docker ps}`.
/// `${name}` stays a variable.
pub(super) fn without_blocks(script: &str) -> String {
    let mut before = ' ';
    let mut is_name = false;
    let characters = script.chars().map(|c| {
        let is_end = match c {
            '{' => {
                is_name = before == '$';
                !is_name
            }
            '}' => !std::mem::take(&mut is_name),
            _ => false,
        };
        before = c;
        if is_end { ';' } else { c }
    });
    characters.collect()
}

/// Long options of bash, which takes them behind one dash, too.
pub(super) const LONG_OPTIONS: [&str; 10] = [
    "debugger",
    "init-file",
    "login",
    "noediting",
    "noprofile",
    "norc",
    "posix",
    "rcfile",
    "restricted",
    "verbose",
];

/// Where in the `words` of a shell the script of its `-c` stands. Each `o` among its options takes
/// a word, also where it is written together with the `c`: `sh -co errexit SCRIPT`.
pub(super) fn script_after_options(words: &[String]) -> Option<usize> {
    let mut takes_script = false;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let name = word.trim_start_matches('-');
        if word.starts_with("--") || word.starts_with('-') && LONG_OPTIONS.contains(&name) {
            at += usize::from(matches!(name, "rcfile" | "init-file"));
        } else if let Some(letters) = word.strip_prefix(['-', '+']) {
            takes_script |= word.starts_with('-') && letters.contains('c');
            at += letters.matches(['o', 'O']).count();
        } else {
            return takes_script.then_some(at - 1);
        }
    }
    None
}

/// True for `-c`, also written together with others: `script -qc`.
pub(super) fn is_option_c(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
}

/// The words of `env` that it takes apart at blanks, `-S STRING`, with those behind.
pub(super) fn split_string(words: &[String]) -> Option<String> {
    let end = after_options(words, 1, &ENV_VALUES).min(words.len());
    let options = words.get(1..end)?;
    let (at, string) = options.iter().enumerate().find_map(|(at, word)| {
        let string = word.strip_prefix("--split-string");
        let string = string.map(|string| string.strip_prefix('=').unwrap_or(string));
        let short = || {
            let letters = word.strip_prefix('-')?.split_once('S')?;
            let are_flags = letters.0.bytes().all(|b| matches!(b, b'i' | b'v' | b'0'));
            are_flags.then_some(letters.1)
        };
        Some((at + 1, string.or_else(short)?))
    })?;
    let rest = words[at + 1..].iter().map(String::as_str);
    let all: Vec<&str> = Some(string).into_iter().chain(rest).collect();
    Some(all.join(" "))
}

/// Options of setpriv and unshare that take the next word.
pub(super) const SETPRIV_VALUES: [&str; 12] = [
    "--reuid",
    "--regid",
    "--groups",
    "--securebits",
    "--apparmor-profile",
    "--selinux-label",
    "-S",
    "-G",
    "-R",
    "--root",
    "-w",
    "--wd",
];

/// Options of systemd-run that take the next word.
pub(super) const SYSTEMD_RUN_VALUES: [&str; 14] = [
    "-E",
    "-H",
    "-M",
    "-p",
    "-u",
    "--description",
    "--gid",
    "--nice",
    "--property",
    "--setenv",
    "--slice",
    "--uid",
    "--unit",
    "--working-directory",
];

/// Options of env that take the next word.
pub(super) const ENV_VALUES: [&str; 4] = ["-u", "-C", "--unset", "--chdir"];

/// Options of nsenter that take the next word.
pub(super) const NSENTER_VALUES: [&str; 6] = ["-t", "--target", "-S", "--setuid", "-G", "--setgid"];
