//! `check -o table`: each finding with the line that it points at, as compilers show them, and one
//! line of summary.

use std::io::{self, Write};

use super::chart::render_command;
use super::style::Style;
use crate::check::{Checked, CheckedObject, Compared, Placed};
use crate::decision::Outcome;
use crate::finding::Action;
use crate::finding::text::{clip, count, escape_controls};

/// Longest source line that is shown.
const MAX_TEXT: usize = 160;

/// Writes `checked` for people. `colour` adds ANSI colours.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, checked: &Checked, colour: bool) -> io::Result<()> {
    let style = Style { colour };
    for object in &checked.objects {
        for fold in folded(object) {
            write_finding(out, object, &fold, style)?;
        }
        for note in &object.notes {
            writeln!(
                out,
                "{}: {}",
                style.paint("36;1", "note"),
                escape_controls(note)
            )?;
            writeln!(
                out,
                "  --> {}:{}  {}\n",
                escape_controls(&object.file),
                object.line,
                name_of(object)
            )?;
        }
    }
    for error in &checked.errors {
        let label = style.paint("31;1", "error");
        let message = escape_controls(&error.message);
        let file = escape_controls(&error.file);
        if error.line == 0 {
            writeln!(out, "{label}: {file}: {message}\n")?;
        } else {
            writeln!(
                out,
                "{label}: {message}\n  --> {file}:{}:{}\n",
                error.line, error.column
            )?;
        }
    }
    for chart in &checked.not_rendered {
        writeln!(
            out,
            "not rendered: {}\n",
            escape_controls(&render_command(chart))
        )?;
    }
    for (object, unseen) in checked.not_judged() {
        let (file, unseen) = (escape_controls(&object.file), escape_controls(unseen));
        let name = name_of(object);
        writeln!(
            out,
            "not judged: {unseen} of {}, {file}:{}",
            name.trim_end(),
            object.line
        )?;
    }
    if checked.not_judged().next().is_some() {
        writeln!(out)?;
    }
    write_summary(out, checked)
}

/// Findings of one rule in one field, in the order of their lines: a script can call Docker many
/// times.
struct Fold<'c> {
    findings: Vec<&'c Placed>,
}

impl Fold<'_> {
    /// True where `placed` says the same of another line.
    fn takes(&self, placed: &Placed) -> bool {
        self.findings
            .iter()
            .all(|known| key(known) == key(placed) && known.line != placed.line)
    }
}

/// What findings have in common that are shown as one.
fn key(placed: &Placed) -> (&str, &str, Action, bool) {
    let finding = &placed.judged.finding;
    let is_exempt = placed.judged.exempt.is_some();
    (
        finding.rule.code,
        &finding.field,
        placed.judged.action,
        is_exempt,
    )
}

fn folded(object: &CheckedObject) -> Vec<Fold<'_>> {
    let mut folds: Vec<Fold<'_>> = Vec::new();
    for placed in object.new_findings() {
        match folds.iter_mut().find(|fold| fold.takes(placed)) {
            Some(fold) => fold.findings.push(placed),
            None => folds.push(Fold {
                findings: vec![placed],
            }),
        }
    }
    for fold in &mut folds {
        fold.findings.sort_by_key(|placed| placed.line);
    }
    folds
}

fn write_finding(
    out: &mut dyn Write,
    object: &CheckedObject,
    fold: &Fold<'_>,
    style: Style,
) -> io::Result<()> {
    let Some((placed, others)) = fold.findings.split_first() else {
        return Ok(());
    };
    let finding = &placed.judged.finding;
    let label = match placed.judged.action {
        Action::Deny => style.paint("31;1", "error"),
        Action::Warn => style.paint("33;1", "warning"),
        Action::Record | Action::Off => style.paint("36;1", "note"),
    };
    writeln!(
        out,
        "{label}[{}]: {}",
        finding.rule.code,
        finding.headline()
    )?;
    let name = name_of(object);
    let source = object.source.as_deref().map_or_else(String::new, |source| {
        format!(" (from {})", escape_controls(source))
    });
    writeln!(
        out,
        "  --> {}:{}:{}  {name}{source}",
        escape_controls(&object.file),
        placed.line,
        placed.column
    )?;
    if let Some(granted) = &placed.judged.exempt {
        writeln!(
            out,
            "  = exempt until {} by the {}",
            granted.terms.until,
            granted.scope.as_str()
        )?;
    }
    if !others.is_empty() {
        let lines: Vec<_> = others
            .iter()
            .map(|placed| placed.line.to_string())
            .collect();
        let more = count(lines.len(), "more line");
        writeln!(out, "  = and {more}: {}", lines.join(", "))?;
    }
    // Hints stay short: they are many, and nobody has to act on them today.
    if placed.judged.action <= Action::Record {
        return writeln!(out);
    }
    let number = placed.line.to_string();
    let gutter = " ".repeat(number.len());
    let (text, from) = around(&placed.text, placed.column.saturating_sub(1));
    let text = escape_controls(&text);
    let from = from.min(text.chars().count());
    let (before, shown) = text.split_at(
        text.char_indices()
            .nth(from)
            .map_or(text.len(), |(at, _)| at),
    );
    let length = placed
        .width
        .unwrap_or_else(|| value(before, shown).chars().count());
    let length = length.min(shown.chars().count()).max(1);
    writeln!(
        out,
        "{gutter} |\n{number} | {text}\n{gutter} | {}{}",
        " ".repeat(from),
        style.paint("31;1", &"^".repeat(length))
    )?;
    if !finding.consequence.is_empty() {
        writeln!(out, "{gutter} = why: {}", finding.consequence)?;
    }
    writeln!(out, "{gutter} = fix: {}", finding.fix())?;
    writeln!(
        out,
        "{gutter} = see: undock explain {}\n",
        finding.rule.code
    )
}

fn name_of(object: &CheckedObject) -> String {
    let namespace = if object.namespace.is_empty() {
        String::new()
    } else {
        format!("{}/", object.namespace)
    };
    escape_controls(&format!("{} {namespace}{}", object.kind, object.name))
}

/// As much of `line` as is shown, and where in it the character `at` stands: a whole list can be
/// one line of JSON.
fn around(line: &str, at: usize) -> (String, usize) {
    // What stands before the place is worth less than what follows.
    const BEFORE: usize = 40;
    let line = line.replace('\t', " ");
    if at + BEFORE <= MAX_TEXT {
        return (clip(&line, MAX_TEXT), at);
    }
    let rest: String = line.chars().skip(at - BEFORE).collect();
    (format!("…{}", clip(&rest, MAX_TEXT)), BEFORE + 1)
}

/// The part of `shown` that is the value which begins there; `before` is what stands before it in
/// the line.
fn value<'l>(before: &str, shown: &'l str) -> &'l str {
    if let Some(quote) = shown.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return shown[1..]
            .find(quote)
            .map_or(shown, |end| &shown[..end + 2]);
    }
    let opened = before.matches(['[', '{']).count() > before.matches([']', '}']).count();
    let is_end = |c: char| opened && matches!(c, ',' | ']' | '}');
    let end = shown.find(" #").into_iter().chain(shown.find(is_end)).min();
    shown[..end.unwrap_or(shown.len())].trim_end()
}

fn write_summary(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let parts = [
        (checked.count(Outcome::Deny), "denied"),
        (checked.count(Outcome::Warn), "warned"),
        (checked.count(Outcome::Record), "recorded"),
        (checked.clean(), "clean"),
    ];
    let mut parts: Vec<String> = parts
        .iter()
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if checked.count(Outcome::Exempt) > 0 {
        parts.insert(2, format!("{} exempt", checked.count(Outcome::Exempt)));
    }
    write!(
        out,
        "Checked {} in {}: {}",
        count(checked.objects.len(), "object"),
        count(checked.files, "file"),
        parts.join(", ")
    )?;
    if checked.skipped > 0 {
        write!(
            out,
            "; {} no Kubernetes object",
            count(checked.skipped, "document")
        )?;
    }
    if checked.excluded > 0 {
        write!(out, "; {} excluded", count(checked.excluded, "file"))?;
    }
    if !checked.not_rendered.is_empty() {
        let charts = count(checked.not_rendered.len(), "chart");
        write!(out, "; {charts} not rendered")?;
    }
    let not_judged = checked.not_judged().count();
    if not_judged > 0 {
        write!(out, "; {} not judged", count(not_judged, "object"))?;
    }
    if let Some(Compared { known, gone }) = checked.compared {
        let known = count(known, "finding");
        write!(
            out,
            "; {known} in the baseline, {gone} of the baseline gone"
        )?;
    }
    if !checked.errors.is_empty() {
        write!(out, "; {} could not be read", checked.errors.len())?;
    }
    writeln!(out, ".")
}
