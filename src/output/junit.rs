//! `-o junit`: a suite for each file, a case for each object; what is refused fails, the rest is
//! told in the output.

use std::collections::HashMap;
use std::io::{self, Write};

use super::chart::render_command;
use crate::check::{CheckError, Checked, CheckedObject, Placed};
use crate::decision::Outcome;
use crate::finding::Action;

/// Writes `checked` as one JUnit report.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let mut suites: Vec<Suite<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for object in &checked.objects {
        suite(&mut suites, &mut places, &object.file)
            .objects
            .push(object);
    }
    for error in &checked.errors {
        suite(&mut suites, &mut places, &error.file)
            .errors
            .push(error);
    }
    let (tests, failures) = (
        checked.objects.len() + checked.errors.len() + checked.not_rendered.len(),
        checked.count(Outcome::Deny),
    );
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"undock\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{}\">",
        checked.errors.len()
    )?;
    for suite in suites {
        write_suite(out, &suite)?;
    }
    if !checked.not_rendered.is_empty() {
        write_charts(out, &checked.not_rendered)?;
    }
    writeln!(out, "</testsuites>")
}

/// What is known of one file.
struct Suite<'c> {
    file: &'c str,
    objects: Vec<&'c CheckedObject>,
    errors: Vec<&'c CheckError>,
}

/// The suite of `file`, a new one at its first object or error.
fn suite<'s, 'c>(
    suites: &'s mut Vec<Suite<'c>>,
    places: &mut HashMap<&'c str, usize>,
    file: &'c str,
) -> &'s mut Suite<'c> {
    let place = *places.entry(file).or_insert_with(|| {
        suites.push(Suite {
            file,
            objects: Vec::new(),
            errors: Vec::new(),
        });
        suites.len() - 1
    });
    &mut suites[place]
}

fn write_suite(
    out: &mut dyn Write,
    Suite {
        file,
        objects,
        errors,
    }: &Suite<'_>,
) -> io::Result<()> {
    let failures = objects
        .iter()
        .filter(|object| object.new_outcome() == Outcome::Deny)
        .count();
    let (tests, errored) = (objects.len() + errors.len(), errors.len());
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errored}\">",
        escape(file)
    )?;
    for object in objects {
        write_case(out, object)?;
    }
    for error in errors {
        let place = format!("{}:{}", error.line, error.column);
        writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"document at {place}\">",
            escape(file)
        )?;
        writeln!(
            out,
            "      <error type=\"unreadable\" message=\"{}\"/>\n    </testcase>",
            escape(&error.message)
        )?;
    }
    writeln!(out, "  </testsuite>")
}

/// Charts that were not rendered are skipped cases of one suite.
fn write_charts(out: &mut dyn Write, charts: &[String]) -> io::Result<()> {
    let count = charts.len();
    writeln!(
        out,
        "  <testsuite name=\"charts\" tests=\"{count}\" failures=\"0\" errors=\"0\" \
         skipped=\"{count}\">"
    )?;
    for chart in charts {
        let (name, command) = (escape(chart), escape(&render_command(chart)));
        writeln!(
            out,
            "    <testcase classname=\"charts\" name=\"{name}\">\n      \
             <skipped message=\"not rendered: {command}\"/>\n    </testcase>"
        )?;
    }
    writeln!(out, "  </testsuite>")
}

fn write_case(out: &mut dyn Write, object: &CheckedObject) -> io::Result<()> {
    writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\">",
        escape(&object.file),
        escape(&object.title())
    )?;
    if let Some(unseen) = object
        .not_judged
        .as_deref()
        .filter(|_| object.findings.is_empty())
    {
        writeln!(
            out,
            "      <skipped message=\"not judged: {}\"/>",
            escape(unseen)
        )?;
    }
    let (denied, others): (Vec<_>, Vec<_>) = object
        .new_findings()
        .partition(|placed| placed.judged.action == Action::Deny);
    if let Some(first) = denied.first() {
        let code = first.judged.finding.rule.code;
        let message = escape(&first.judged.finding.message());
        writeln!(
            out,
            "      <failure type=\"{code}\" message=\"{message}\">{}</failure>",
            lines(object, &denied)
        )?;
    }
    if !others.is_empty() {
        writeln!(
            out,
            "      <system-out>{}</system-out>",
            lines(object, &others)
        )?;
    }
    writeln!(out, "    </testcase>")
}

fn lines(object: &CheckedObject, placed: &[&Placed]) -> String {
    let lines = placed.iter().map(|placed| {
        let finding = &placed.judged.finding;
        format!(
            "{} {} {}. {}",
            place(object, placed),
            finding.rule.code,
            finding.message(),
            finding.fix()
        )
    });
    escape(&lines.collect::<Vec<_>>().join("\n"))
}

fn place(object: &CheckedObject, placed: &Placed) -> String {
    match object.artifact() {
        (file, true) => format!("{file}:{}:{}", placed.line, placed.column),
        (template, false) => template.to_owned(),
    }
}

/// Text as XML 1.0 takes it: entities for markup, nothing that the standard forbids.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
