//! DKR701 docker-json-log-parser: a log agent that only parses Docker's log format.

use super::configuration::log_inputs;
use super::configuration::settings;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR701",
    name: "docker-json-log-parser",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "a log agent's configuration parses only Docker's JSON log format",
    reason: "the log format differs on {nodes}",
    consequence: "lines arrive with time, stream and tag as text, timestamps are lost and \
        multi-line records break",
    short_fix: "parse the CRI format",
    page: include_str!("../../docs/rules/docker-json-log-parser.md"),
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for document in settings(workload) {
        for (node, input) in log_inputs::docker_only(&document) {
            let what = format!("reads logs with {input}");
            findings.push(document.finding(&RULE, node, what, input));
        }
    }
    // A text in no language that is known, which names the directory: nothing shows what reads it.
    let unread = workload.leaves.iter().filter(|leaf| {
        leaf.text.contains('\n') && leaf.document().is_none() && !leaf.text.starts_with("#!")
    });
    for leaf in unread {
        let is_said = |line: &&str| {
            !line.trim_start().starts_with(['#', ';']) && mentions(line, "/docker/containers/")
        };
        if let Some(line) = leaf.text.lines().find(is_said) {
            let what = "names Docker's log directory".to_owned();
            let mut finding =
                super::place::in_object(&RULE, workload, leaf, what, "/docker/containers/");
            finding.offset = Some(line.as_ptr() as usize - leaf.text.as_ptr() as usize);
            finding.certainty = Certainty::Possible;
            finding.action = Some(Action::Record);
            findings.push(finding);
        }
    }
}
