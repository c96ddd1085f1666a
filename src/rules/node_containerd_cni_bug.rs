//! NOD904 node-containerd-cni-bug: a containerd release with faults in its network set-up.

use super::nodes;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "NOD904",
    name: "node-containerd-cni-bug",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Degrades,
    needs_docker_absent: false,
    summary: "a node with containerd 1.6.0 to 1.6.3",
    reason: "sandboxes can fail in this release",
    consequence: "Pods get stuck while their network is set up or taken down",
    short_fix: "upgrade containerd to 1.6.4 or newer",
    page: include_str!("../../docs/rules/node-containerd-cni-bug.md"),
    check: Check::Node(check),
    ..Rule::BASE
};

const FAULTY: [&str; 4] = [
    "containerd://1.6.0",
    "containerd://1.6.1",
    "containerd://1.6.2",
    "containerd://1.6.3",
];

fn check(workload: &Workload<'_>) -> Option<Finding> {
    let (version, _) = nodes::runtime(workload)?;
    FAULTY.contains(&version).then(|| {
        nodes::finding(&RULE, workload, nodes::RUNTIME_FIELD, version)
            .what(format!("runs {version}"))
    })
}
