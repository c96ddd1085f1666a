//! NOD904 node-containerd-cni-bug: a containerd release with faults in its network set-up.

use super::place;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "NOD904",
    name: "node-containerd-cni-bug",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: false,
    summary: "a node with containerd 1.6.0 to 1.6.3",
    reason: "sandboxes can fail in this release",
    consequence: "Pods get stuck while their network is set up or taken down",
    short_fix: "upgrade containerd to 1.6.4 or newer",
    page: include_str!("../../docs/rules/node-containerd-cni-bug.md"),
    host_path: None,
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    const FAULTY: [&str; 4] = [
        "containerd://1.6.0",
        "containerd://1.6.1",
        "containerd://1.6.2",
        "containerd://1.6.3",
    ];
    if let Some((version, _)) =
        place::node_runtime(workload).filter(|(version, _)| FAULTY.contains(version))
    {
        findings.push(place::on_node(
            &RULE,
            workload,
            format!("runs {version}"),
            place::RUNTIME_FIELD,
            version,
        ));
    }
}
