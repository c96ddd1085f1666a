//! `scan -o table`: nodes, the answers in the order of the migration guide, findings by owner,
//! exemptions, and what is left to look at.

use std::io::{self, Write};

use super::style::Style;
use crate::decision::{Outcome, Policy};
use crate::finding::Action;
use crate::finding::text::{count, escape_controls};
use crate::scan::questions::{Answer, answers};
use crate::scan::{ExemptionStatus, ListedExemption, MANUAL, Scanned, ScannedOwner};

/// Owners that are named behind an answer.
const MAX_NAMED: usize = 5;

/// Writes `scanned` for people. `colour` adds ANSI colours.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(
    out: &mut dyn Write,
    scanned: &Scanned,
    policy: &Policy,
    colour: bool,
) -> io::Result<()> {
    let style = Style { colour };
    write_nodes(out, scanned, style)?;
    writeln!(out, "{}", style.paint("1", "The guide's checks"))?;
    for answer in answers(scanned) {
        write_answer(out, &answer, style)?;
    }
    writeln!(out)?;
    write_owners(out, scanned, style)?;
    write_exemptions(out, scanned, style)?;
    write_label_flaws(out, scanned, style)?;
    writeln!(
        out,
        "{}",
        style.paint("1", "To look at by hand, because no API shows it")
    )?;
    for (what, how) in MANUAL {
        writeln!(out, "  [ ] {what}: {how}")?;
    }
    writeln!(out)?;
    for error in &scanned.errors {
        let place = if error.namespace.is_empty() {
            String::new()
        } else {
            format!(" in {}", escape_controls(&error.namespace))
        };
        let label = style.paint("31;1", "error");
        writeln!(
            out,
            "{label}: {}{place} ({}): {}",
            error.part,
            error.reason,
            escape_controls(&error.message)
        )?;
    }
    write_summary(out, scanned, policy)
}

fn write_nodes(out: &mut dyn Write, scanned: &Scanned, style: Style) -> io::Result<()> {
    if scanned.nodes.is_empty() {
        return Ok(());
    }
    let shown = |runtime: &str| {
        if runtime.is_empty() {
            "(not reported)".to_owned()
        } else {
            escape_controls(runtime)
        }
    };
    let width = scanned
        .nodes
        .iter()
        .map(|group| shown(&group.runtime).chars().count())
        .max()
        .unwrap_or(0)
        .max(7);
    writeln!(out, "{}", style.paint("1", "Nodes by runtime"))?;
    writeln!(
        out,
        "  {:width$}  {:>5}  {:>6}  KUBELET",
        "RUNTIME", "NODES", "PODS"
    )?;
    for group in &scanned.nodes {
        let kubelets: Vec<_> = group
            .kubelets
            .iter()
            .map(|text| escape_controls(text))
            .collect();
        writeln!(
            out,
            "  {:width$}  {:>5}  {:>6}  {}",
            shown(&group.runtime),
            group.names.len(),
            group.pods,
            kubelets.join(", ")
        )?;
    }
    writeln!(out)
}

fn write_answer(out: &mut dyn Write, answer: &Answer<'_>, style: Style) -> io::Result<()> {
    let question = answer.question;
    let count = answer.owners.len();
    let number = style.paint(if count == 0 { "32" } else { "33;1" }, &count.to_string());
    write!(out, "  {} {}: {number}", question.id, question.title)?;
    match (question.id, answer.privileged()) {
        ("2", privileged) if count > 0 => write!(
            out,
            " ({privileged} of them privileged, which the socket does not need)"
        )?,
        _ => {}
    }
    if !question.by_hand.is_empty() {
        write!(out, "; {}", question.by_hand)?;
    }
    writeln!(out)?;
    // Those with the strongest outcome say most.
    let mut owners: Vec<_> = answer.owners.iter().collect();
    owners.sort_by_key(|(owner, _)| std::cmp::Reverse(owner.outcome));
    for (owner, findings) in owners.iter().take(MAX_NAMED) {
        let mut codes: Vec<_> = findings
            .iter()
            .map(|found| found.judged.finding.rule.code)
            .collect();
        codes.dedup();
        writeln!(
            out,
            "      {}  {}",
            escape_controls(&owner.title()),
            codes.join(" ")
        )?;
    }
    if count > MAX_NAMED {
        writeln!(out, "      and {} more", count - MAX_NAMED)?;
    }
    Ok(())
}

fn write_owners(out: &mut dyn Write, scanned: &Scanned, style: Style) -> io::Result<()> {
    let mut flagged: Vec<&ScannedOwner> = scanned
        .owners
        .iter()
        .filter(|owner| owner.outcome >= Outcome::Exempt)
        .collect();
    if flagged.is_empty() {
        return Ok(());
    }
    flagged.sort_by_key(|owner| std::cmp::Reverse(owner.outcome));
    writeln!(out, "{}", style.paint("1", "Findings by owner"))?;
    for owner in flagged {
        let pods = if owner.pods > 0 {
            format!("  ({})", count(owner.pods, "Pod"))
        } else {
            String::new()
        };
        writeln!(
            out,
            "  {}{pods}",
            style.paint("1", &escape_controls(&owner.title()))
        )?;
        for found in &owner.findings {
            let (judged, finding) = (&found.judged, &found.judged.finding);
            let label = match judged.action {
                _ if judged.exempt.is_some() => style.paint("36", "exempt"),
                Action::Deny => style.paint("31;1", "deny"),
                Action::Warn => style.paint("33;1", "warn"),
                // Hints are many, and nobody has to act on them today; JSON has them.
                Action::Record | Action::Off => continue,
            };
            let place = found.object.as_deref().map_or_else(String::new, |object| {
                format!(" (in {})", escape_controls(object))
            });
            writeln!(
                out,
                "    {label} {} {}{place}",
                finding.rule.code,
                escape_controls(&finding.headline())
            )?;
            writeln!(out, "         fix: {}", finding.fix())?;
        }
        let edit = owner.edit();
        if !edit.is_empty() {
            writeln!(out, "    edit {edit}")?;
        }
        for note in &owner.notes {
            writeln!(out, "    note: {}", escape_controls(note))?;
        }
    }
    writeln!(out)
}

fn write_exemptions(out: &mut dyn Write, scanned: &Scanned, style: Style) -> io::Result<()> {
    if scanned.exemptions.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style.paint("1", "Exemptions"))?;
    let is_other = |listed: &&ListedExemption| {
        matches!(
            listed.status,
            ExemptionStatus::Malformed(_) | ExemptionStatus::NotAllowed
        )
    };
    let groups: [(&str, Vec<&ListedExemption>); 4] = [
        ("in use", with(scanned, &ExemptionStatus::InUse)),
        ("unused", with(scanned, &ExemptionStatus::Unused)),
        ("expired", with(scanned, &ExemptionStatus::Expired)),
        (
            "without effect",
            scanned.exemptions.iter().filter(is_other).collect(),
        ),
    ];
    for (word, listed) in groups {
        if listed.is_empty() {
            continue;
        }
        writeln!(out, "  {word}: {}", listed.len())?;
        for entry in listed {
            let place = match (entry.namespace.as_str(), entry.holder.as_str()) {
                ("", _) => "configuration".to_owned(),
                (namespace, "") => format!("namespace {namespace}"),
                (namespace, holder) => format!("{namespace} {holder}"),
            };
            let terms = match &entry.exemption.terms {
                Ok(terms) => format!("until {}: {}", terms.until, terms.reason),
                Err(error) => error.to_string(),
            };
            let text = format!("{place}  {}  {terms}", entry.exemption.rules);
            writeln!(out, "    {}", escape_controls(&text))?;
        }
    }
    writeln!(out)
}

fn write_label_flaws(out: &mut dyn Write, scanned: &Scanned, style: Style) -> io::Result<()> {
    if scanned.label_flaws.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style.paint("1", "Labels without effect"))?;
    for (namespace, flaws) in &scanned.label_flaws {
        for flaw in flaws {
            let text = format!("namespace {namespace}  {flaw}");
            writeln!(out, "    {}", escape_controls(&text))?;
        }
    }
    writeln!(out)
}

fn with<'s>(scanned: &'s Scanned, status: &ExemptionStatus) -> Vec<&'s ListedExemption> {
    scanned
        .exemptions
        .iter()
        .filter(|listed| listed.status == *status)
        .collect()
}

fn write_summary(out: &mut dyn Write, scanned: &Scanned, policy: &Policy) -> io::Result<()> {
    let parts = [
        (scanned.count(Outcome::Deny), "refused"),
        (scanned.count(Outcome::Warn), "warned about"),
        (scanned.count(Outcome::Exempt), "exempt"),
        (scanned.count(Outcome::Record), "recorded"),
        (scanned.count(Outcome::Clean), "clean"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let read = format!(
        "Scanned {} and {}",
        count(scanned.owners.len(), "owner"),
        count(scanned.pods, "Pod")
    );
    write!(
        out,
        "{read}. In mode {}: {}",
        policy.mode.as_str(),
        parts.join(", ")
    )?;
    if !scanned.errors.is_empty() {
        write!(
            out,
            "; incomplete, {}",
            count(scanned.errors.len(), "error")
        )?;
    }
    writeln!(out, ".")
}
