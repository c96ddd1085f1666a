//! `check -o github`: workflow commands, which GitHub shows at the changed lines.

use std::io::{self, Write};

use super::Checked;
use crate::finding::Action;

/// Writes one command for each finding and each error.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    for object in &checked.objects {
        for placed in &object.findings {
            let finding = &placed.judged.finding;
            let level = match placed.judged.action {
                Action::Deny => "error",
                Action::Warn => "warning",
                Action::Record | Action::Off => "notice",
            };
            let (file, title) = (property(&object.file), property(finding.rule.code));
            let message = data(&format!("{}. {}", finding.message(), finding.fix()));
            writeln!(
                out,
                "::{level} file={file},line={},col={},title={title}::{message}",
                placed.line, placed.column
            )?;
        }
    }
    for error in &checked.errors {
        let (file, line) = (property(&error.file), error.line.max(1));
        writeln!(
            out,
            "::error file={file},line={line},title=unreadable::{}",
            data(&error.message)
        )?;
    }
    Ok(())
}

/// Escapes of the runner (actions/toolkit: packages/core/src/command.ts).
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
