//! `-o github`: workflow commands, which GitHub shows at the changed lines.

use std::io::{self, Write};

use super::chart::render_command;
use crate::check::Checked;
use crate::finding::Action;

/// Writes one command for each finding and each error.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    for object in &checked.objects {
        for placed in object.new_findings() {
            let finding = &placed.judged.finding;
            let level = match placed.judged.action {
                Action::Deny => "error",
                Action::Warn => "warning",
                Action::Record | Action::Off => "notice",
            };
            let (file, has_lines) = object.artifact();
            let (file, title) = (property(file), property(finding.rule.code));
            let place = if has_lines {
                format!(",line={},col={}", placed.line, placed.column)
            } else {
                String::new()
            };
            let message = data(&format!("{}. {}", finding.message(), finding.fix()));
            writeln!(out, "::{level} file={file}{place},title={title}::{message}")?;
        }
    }
    for chart in &checked.not_rendered {
        let file = property(&format!("{chart}/Chart.yaml"));
        let message = data(&render_command(chart));
        writeln!(out, "::notice file={file},title=not rendered::{message}")?;
    }
    for (object, unseen) in checked.not_judged() {
        let (file, has_lines) = object.artifact();
        let line = if has_lines { object.line } else { 1 };
        let (file, message) = (
            property(file),
            data(&format!("{unseen} of {} {}", object.kind, object.name)),
        );
        writeln!(
            out,
            "::notice file={file},line={line},title=not judged::{message}"
        )?;
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
