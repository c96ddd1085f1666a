//! `-o markdown`: a table for a pull request's comment.

use std::io::{self, Write};

use super::chart::render_command;
use crate::check::{Checked, CheckedObject, Placed};
use crate::decision::Outcome;
use crate::finding::text::{count, markdown_cell as cell};

/// Comments end at 65,536 characters; this leaves room for what is around the table.
const MAX_ROWS: usize = 200;

/// Writes the findings as a table, those that are refused first.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let mut rows: Vec<_> = checked
        .objects
        .iter()
        .flat_map(|object| object.new_findings().map(move |placed| (object, placed)))
        .collect();
    rows.sort_by_key(|(_, placed)| std::cmp::Reverse(placed.judged.action));
    let (denied, objects) = (checked.count(Outcome::Deny), checked.objects.len());
    writeln!(
        out,
        "**undock**: {denied} of {} would be refused, {} with findings.\n",
        count(objects, "object"),
        checked.flagged()
    )?;
    if !rows.is_empty() {
        writeln!(
            out,
            "| action | rule | object | place | finding | fix |\n\
             | --- | --- | --- | --- | --- | --- |"
        )?;
    }
    for (object, placed) in rows.iter().take(MAX_ROWS) {
        let finding = &placed.judged.finding;
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            placed.judged.action,
            finding.rule.code,
            cell(&object.title()),
            cell(&place(object, placed)),
            cell(&finding.message()),
            cell(&finding.fix()),
        )?;
    }
    if rows.len() > MAX_ROWS {
        writeln!(
            out,
            "\nNot shown: {}.",
            count(rows.len() - MAX_ROWS, "more finding")
        )?;
    }
    for chart in &checked.not_rendered {
        writeln!(out, "\nNot rendered: `{}`", render_command(chart))?;
    }
    for (object, unseen) in checked.not_judged() {
        let title = cell(&object.title());
        writeln!(out, "\nNot judged: {} of {title}", cell(unseen))?;
    }
    for error in &checked.errors {
        writeln!(
            out,
            "\nCould not read {}: {}",
            cell(&format!("{}:{}", error.file, error.line)),
            cell(&error.message)
        )?;
    }
    Ok(())
}

fn place(object: &CheckedObject, placed: &Placed) -> String {
    match object.artifact() {
        (file, true) => format!("{file}:{}", placed.line),
        (template, false) => template.to_owned(),
    }
}
