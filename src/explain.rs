//! Rules for people and programs: the list of all rules, and one rule as JSON. Its page is
//! `Rule::page`.

use std::io::{self, Write};

use serde::Serialize;

use crate::finding::{Certainty, Rule};
use crate::rules::RULES;

/// Writes one line for each rule: `docs/rules/README.md` in Markdown, or columns.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_list(out: &mut dyn Write, markdown: bool) -> io::Result<()> {
    if markdown {
        out.write_all(INDEX_HEAD.as_bytes())?;
    }
    for rule in RULES {
        let (code, name, summary) = (rule.code, rule.name, rule.summary);
        let action = rule.default_action(Certainty::Likely).as_str();
        if markdown {
            writeln!(
                out,
                "| [{code}]({name}.md) | {name} | {summary} | {action} |"
            )?;
        } else {
            writeln!(out, "{code}  {action:<7} {name:<28} {summary}")?;
        }
    }
    Ok(())
}

const INDEX_HEAD: &str = "\
# Rules

What undock finds. `undock explain CODE` shows a page in the terminal.

| code | name | flags | default |
| --- | --- | --- | --- |
";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleOut {
    code: &'static str,
    name: &'static str,
    since: &'static str,
    certainty: &'static str,
    impact: &'static str,
    default_action: &'static str,
    summary: &'static str,
    why: String,
    fix: String,
    before: &'static str,
    after: &'static str,
    not_flagged: String,
    references: Vec<&'static str>,
}

/// Writes rules as a JSON list.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_json(out: &mut dyn Write, rules: &[&Rule]) -> io::Result<()> {
    let rules: Vec<RuleOut> = rules
        .iter()
        .map(|rule| RuleOut {
            code: rule.code,
            name: rule.name,
            since: rule.since,
            certainty: rule.certainty.as_str(),
            impact: rule.impact.as_str(),
            default_action: rule.default_action(Certainty::Likely).as_str(),
            summary: rule.summary,
            why: rule.why(),
            fix: rule.fix(),
            before: rule.before(),
            after: rule.after(),
            not_flagged: rule.not_flagged(),
            references: rule.references().collect(),
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &rules)?;
    out.write_all(b"\n")
}
