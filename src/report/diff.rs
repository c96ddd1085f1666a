//! Two reports compared: what is new, what ended, what changed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::findings::key;
use super::model::{Finding, Report, Status};
use crate::finding::text::{escape_controls, markdown_cell as cell};

/// What is different between two reports.
#[derive(Debug, Serialize)]
pub struct Diff<'r> {
    schema: &'static str,
    /// There now, and not before: unknown before, or ended since.
    pub new: Vec<&'r Finding>,
    /// There before; a later review of the owner lacks it, or the owner is gone.
    pub fixed: Vec<&'r Finding>,
    /// Other changes of status.
    pub changed: Vec<Change<'r>>,
    /// Findings that were there before, and that are now.
    pub before: usize,
    /// See [`Diff::before`].
    pub now: usize,
    /// Namespaces whose verdict changed: cluster, name, old and new verdict.
    pub verdicts: Vec<[String; 4]>,
}

fn place(cluster: &str, namespace: &str) -> String {
    let name = if namespace.is_empty() {
        "(cluster)"
    } else {
        namespace
    };
    if cluster.is_empty() {
        name.to_owned()
    } else {
        format!("{cluster}/{name}")
    }
}

/// Why the two say nothing about each other, if that is so.
pub fn incomparable(old: &Report, new: &Report) -> Option<String> {
    // Moments as text are in order.
    if old.as_of > new.as_of {
        return Some(format!(
            "the first report is as of {}, the second as of {}: name the older one first",
            old.as_of, new.as_of
        ));
    }
    let is_shared = old
        .clusters
        .iter()
        .any(|cluster| new.clusters.contains(cluster));
    let are_named = !old.clusters.is_empty() && !new.clusters.is_empty();
    (are_named && !is_shared).then(|| {
        let names = [old, new].map(|report| {
            report
                .clusters
                .iter()
                .map(|name| escape_controls(name))
                .collect::<Vec<_>>()
                .join(", ")
        });
        format!(
            "the reports are of different clusters: {} and {}",
            names[0], names[1]
        )
    })
}

/// A finding whose status changed.
#[derive(Debug, Serialize)]
pub struct Change<'r> {
    was: Option<Status>,
    now: Option<Status>,
    finding: &'r Finding,
}

impl<'r> Diff<'r> {
    /// Compares `old` with `new`.
    pub fn new(old: &'r Report, new: &'r Report) -> Self {
        let by_key = |report: &'r Report| {
            report
                .findings
                .iter()
                .map(|finding| (key(finding), finding))
                .collect::<BTreeMap<_, _>>()
        };
        let (mut before, after) = (by_key(old), by_key(new));
        // What moved is what it was.
        for (key, finding) in &after {
            if finding.moved_from.is_empty() || before.contains_key(key) {
                continue;
            }
            let [cluster, namespace, kind, name, rule, _] = *key;
            let was = [cluster, namespace, kind, name, rule, &finding.moved_from];
            if let Some(old) = before.remove(&was) {
                before.insert(*key, old);
            }
        }
        let present = |report: &Report| {
            let findings = report.findings.iter();
            findings.filter(|own| own.status.is_present()).count()
        };
        let mut diff = Self {
            schema: "undock.diff/v1",
            before: present(old),
            now: present(new),
            new: Vec::new(),
            fixed: Vec::new(),
            changed: Vec::new(),
            verdicts: Vec::new(),
        };
        for (key, finding) in &after {
            let was = before.get(key).map(|finding| finding.status);
            match (was.is_some_and(Status::is_present), finding.status) {
                (false, Status::Open | Status::Exempt | Status::Stale) => diff.new.push(finding),
                (true, Status::Fixed | Status::Removed) => diff.fixed.push(finding),
                (_, now) if was != Some(now) => diff.changed.push(Change {
                    was,
                    now: Some(now),
                    finding,
                }),
                _ => {}
            }
        }
        for (key, finding) in before {
            // Its owner is not in the newer inputs at all: nothing says that it was fixed.
            if !after.contains_key(&key) && finding.status.is_present() {
                diff.changed.push(Change {
                    was: Some(finding.status),
                    now: None,
                    finding,
                });
            }
        }
        let verdict_before: BTreeMap<_, _> = old
            .namespaces
            .iter()
            .map(|own| ((&own.cluster, &own.name), own.verdict))
            .collect();
        for namespace in &new.namespaces {
            let was = verdict_before
                .get(&(&namespace.cluster, &namespace.name))
                .map_or("-", |verdict| verdict.as_str());
            if was != namespace.verdict.as_str() {
                let now = namespace.verdict.as_str();
                diff.verdicts.push([
                    namespace.cluster.clone(),
                    namespace.name.clone(),
                    was.to_owned(),
                    now.to_owned(),
                ]);
            }
        }
        diff.verdicts.sort();
        diff
    }

    /// Writes the comparison for people.
    ///
    /// # Errors
    /// If writing to `out` fails.
    pub fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = |sign: &str, finding: &Finding, note: &str| {
            let text = format!(
                "{} {}/{}/{} {}",
                finding.rule,
                place(&finding.cluster, &finding.namespace),
                finding.owner.kind,
                finding.owner.name,
                finding.evidence
            );
            writeln!(out, "{sign} {}{note}", escape_controls(text.trim_end()))
        };
        for finding in &self.new {
            line("+", finding, "")?;
        }
        for finding in &self.fixed {
            line(
                "-",
                finding,
                &format!(
                    "  {} {} {}",
                    finding.status.as_str(),
                    finding.ended_at,
                    escape_controls(&finding.ended_how(120))
                ),
            )?;
        }
        for change in &self.changed {
            let word = |status: Option<Status>| status.map_or("not in the inputs", Status::as_str);
            line(
                "~",
                change.finding,
                &format!("  {} -> {}", word(change.was), word(change.now)),
            )?;
        }
        for [cluster, name, was, now] in &self.verdicts {
            writeln!(
                out,
                "~ namespace {}  {was} -> {now}",
                escape_controls(&place(cluster, name))
            )?;
        }
        writeln!(out, "{}", self.totals())
    }

    /// `1 new, 2 fixed, 1 removed, 0 changed; 3 open before, 1 now`: what was, less what ended,
    /// plus what is new.
    fn totals(&self) -> String {
        let ended = |status: Status| {
            let with = self.fixed.iter().filter(|finding| finding.status == status);
            with.count()
        };
        let is_gone = |change: &&Change<'_>| {
            change.was.is_some_and(Status::is_present)
                && !change.now.is_some_and(Status::is_present)
        };
        let gone = self.changed.iter().filter(is_gone).count();
        let unknown = if gone > 0 {
            format!("{gone} not in the inputs, ")
        } else {
            String::new()
        };
        format!(
            "{} new, {} fixed, {} removed, {unknown}{} changed; {} there before, {} now",
            self.new.len(),
            ended(Status::Fixed),
            ended(Status::Removed),
            self.changed.len() - gone,
            self.before,
            self.now
        )
    }

    /// Writes the comparison as tables.
    ///
    /// # Errors
    /// If writing to `out` fails.
    pub fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# Since the last report\n\n{}.\n", self.totals())?;
        let mut rows: Vec<[String; 3]> = Vec::new();
        let owner = |finding: &Finding| {
            let place = place(&finding.cluster, &finding.namespace);
            format!("{} {place}/{}", finding.owner.kind, finding.owner.name)
        };
        let words =
            |finding: &Finding, change: String| [change, finding.rule.clone(), owner(finding)];
        rows.extend(self.new.iter().map(|own| words(own, "new".to_owned())));
        rows.extend(self.fixed.iter().map(|own| {
            let how = own.ended_how(60);
            words(
                own,
                format!("{} {} {how}", own.status.as_str(), own.ended_at),
            )
        }));
        rows.extend(self.changed.iter().map(|change| {
            let word = |status: Option<Status>| status.map_or("not in the inputs", Status::as_str);
            let (was, now) = (word(change.was), word(change.now));
            words(change.finding, format!("{was}, now {now}"))
        }));
        if !rows.is_empty() {
            writeln!(out, "| change | rule | owner |\n| --- | --- | --- |")?;
        }
        for row in &rows {
            writeln!(
                out,
                "| {} |",
                row.each_ref().map(|text| cell(text)).join(" | ")
            )?;
        }
        if !self.verdicts.is_empty() {
            writeln!(out, "\n| namespace | was | now |\n| --- | --- | --- |")?;
        }
        for [cluster, name, was, now] in &self.verdicts {
            writeln!(out, "| {} | {was} | {now} |", cell(&place(cluster, name)))?;
        }
        Ok(())
    }

    /// Writes the comparison as `undock.diff/v1`.
    ///
    /// # Errors
    /// If writing to `out` fails.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }
}
