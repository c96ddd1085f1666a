//! The texts of rules for people and programs: the page of a rule, the list of all. The pages under `docs/rules` are these.

use std::io::{self, Write};

use serde::Serialize;

use crate::finding::{Certainty, Impact, Rule};
use crate::rules::RULES;

/// What happens by default, in words.
fn default_action(rule: &Rule) -> &'static str {
    match rule.action {
        Some(action) => action.as_str(),
        None if rule.impact == Impact::Breaks && rule.certainty >= Certainty::Likely => "deny",
        None if rule.impact == Impact::Advisory => "record",
        None => "warn",
    }
}

/// Whether a rule is about a host path, whose `hostPath.type` decides how its absence shows.
fn is_about_host_path(rule: &Rule) -> bool {
    rule.summary.contains("hostPath volume reaches")
}

/// The failure modes by `hostPath.type`; source: kubelet, pkg/volume/hostpath/host_path.go.
const FAILURE_MODES: &str = "\
| `hostPath.type` | on a node without Docker |
| --- | --- |
| `Socket`, `File`, `Directory` | kubelet finds the path missing: the Pod stays in ContainerCreating with FailedMount |
| none | the runtime creates an empty directory, even for a name that ends in `.sock`: the Pod starts and fails at its first call |
| `DirectoryOrCreate`, `FileOrCreate` | kubelet creates an empty directory or file: the Pod starts and fails at its first call |
";

/// Writes the page of `rule` in Markdown.
///
/// # Errors
/// Where `out` does not take it.
pub fn write_page(out: &mut dyn Write, rule: &Rule) -> io::Result<()> {
    writeln!(out, "# {} {}\n", rule.code, rule.name)?;
    writeln!(out, "{}.\n", capitalise(rule.summary))?;
    writeln!(
        out,
        "Certainty: {} · impact: {} · default action: {} · since {}\n",
        rule.certainty,
        rule.impact,
        default_action(rule),
        rule.since
    )?;
    writeln!(out, "## Why it breaks\n\n{}\n", rule.why)?;
    if is_about_host_path(rule) {
        writeln!(out, "{FAILURE_MODES}")?;
    }
    writeln!(out, "## How to fix it\n\n{}\n", rule.fix)?;
    writeln!(
        out,
        "Before:\n\n```yaml\n{}```\n\nAfter:\n\n```yaml\n{}```\n",
        rule.before, rule.after
    )?;
    writeln!(out, "## What is not flagged\n\n{}\n", rule.not_flagged)?;
    writeln!(
        out,
        "To let a workload keep it for a while, see the exemptions of its namespace.\n\n## References\n"
    )?;
    for reference in rule.references {
        writeln!(out, "- {reference}")?;
    }
    Ok(())
}

/// Writes one line for each rule: a table in Markdown, or columns.
///
/// # Errors
/// Where `out` does not take it.
pub fn write_list(out: &mut dyn Write, markdown: bool) -> io::Result<()> {
    if markdown {
        writeln!(
            out,
            "| code | name | flags | default |\n| --- | --- | --- | --- |"
        )?;
    }
    for rule in RULES {
        if markdown {
            let page = format!("[{}](rules/{}.md)", rule.code, rule.code);
            writeln!(
                out,
                "| {page} | {} | {} | {} |",
                rule.name,
                rule.summary,
                default_action(rule)
            )?;
        } else {
            writeln!(
                out,
                "{}  {:<7} {:<28} {}",
                rule.code,
                default_action(rule),
                rule.name,
                rule.summary
            )?;
        }
    }
    Ok(())
}

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
    why: &'static str,
    fix: &'static str,
    before: &'static str,
    after: &'static str,
    not_flagged: &'static str,
    references: &'static [&'static str],
}

/// Writes rules as a JSON list.
///
/// # Errors
/// Where `out` does not take it.
pub fn write_json(out: &mut dyn Write, rules: &[&Rule]) -> io::Result<()> {
    let rules: Vec<RuleOut> = rules
        .iter()
        .map(|rule| RuleOut {
            code: rule.code,
            name: rule.name,
            since: rule.since,
            certainty: rule.certainty.as_str(),
            impact: rule.impact.as_str(),
            default_action: default_action(rule),
            summary: rule.summary,
            why: rule.why,
            fix: rule.fix,
            before: rule.before,
            after: rule.after,
            not_flagged: rule.not_flagged,
            references: rule.references,
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &rules)?;
    out.write_all(b"\n")
}

fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
