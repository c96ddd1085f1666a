//! The tables of cron: which lines run which commands.

use super::Invocation;

/// The command of a line `MINUTE HOUR DAY MONTH WEEKDAY [USER] COMMAND`.
pub(crate) fn command(line: &str) -> Option<&str> {
    let is_time = |word: &str| {
        let is_part = |b: u8| b.is_ascii_digit() || b"*/,-".contains(&b);
        !word.is_empty() && word.bytes().all(is_part)
    };
    let mut rest = line;
    for _ in 0..5 {
        let (word, behind) = rest.trim_start().split_once([' ', '\t'])?;
        rest = Some(behind).filter(|_| is_time(word))?;
    }
    let command = rest.trim_start();
    // Only the tables of the system name a user, which any other first word could be, too.
    let of_root = command.strip_prefix("root").map(str::trim_start);
    let of_root = of_root.filter(|rest| rest.len() + "root".len() < command.len());
    Some(of_root.unwrap_or(command))
}

/// The commands of `table` as a script; what has no time in front, as it is.
pub(super) fn script(table: &str) -> String {
    let lines = table.lines().map(|line| {
        let at_event = line
            .strip_prefix('@')
            .and_then(|line| line.split_once([' ', '\t']));
        let command = at_event.map(|(_, command)| command);
        command.or_else(|| self::command(line)).unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// True for a file that cron reads, or somebody gives it.
pub(super) fn is_table(path: &str) -> bool {
    path.split('/')
        .any(|component| component.starts_with("cron"))
}

/// The file that `invocation` makes a table of cron: `crontab FILE`, `supercronic FILE`.
pub(super) fn table_of(invocation: &Invocation) -> Option<&str> {
    if !matches!(invocation.program(), "crontab" | "supercronic") {
        return None;
    }
    let mut words = invocation.arguments().iter().map(String::as_str);
    words.rfind(|word| *word == "-" || !word.starts_with('-'))
}
