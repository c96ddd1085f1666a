//! CLU901 installer-docker: an installer's object that selects Docker.

use super::findings;
use crate::analysis::Workload;
use crate::analysis::configuration::installers;
use crate::analysis::configuration::node_scripts::selections;
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "CLU901",
    name: "installer-docker",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "an object of kOps, Cluster API, Karpenter or Gardener selects Docker for its nodes",
    reason: "its nodes come with Docker",
    consequence: "new nodes do not join from Kubernetes 1.24 on",
    short_fix: "select containerd",
    page: include_str!("../../docs/rules/installer-docker.md"),
    check: Check::Texts(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for document in &workload.settings {
        findings.extend(installers::found(document).into_iter().map(|found| {
            let (field, offset) = document.place_within(found.node, found.inside);
            let finding = Finding::new(&RULE)
                .in_settings(document, found.node)
                .field(field)
                .what(found.what)
                .evidence(&found.evidence)
                .offset(offset.filter(|_| found.inside > 0));
            match found.is_hint {
                true => finding.advisory("it names Docker"),
                false => finding,
            }
        }));
    }
    for script in workload.scripts.iter().filter(|script| !script.is_unit()) {
        for (act, offset) in selections(&script.field.text) {
            findings.push(
                findings::object_finding(&RULE, workload, script.field)
                    .what(format!("runs \"{act}\""))
                    .evidence(&act)
                    .offset(offset),
            );
        }
    }
}
