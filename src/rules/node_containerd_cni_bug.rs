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
    fix: "Upgrade containerd to 1.6.4 or newer before the node takes workloads.",
    why: "containerd 1.6.0 to 1.6.3 did not handle CNI configurations without a version and lost loopback set-ups; 1.6.4 mended it.",
    before: r#"apiVersion: v1
kind: Node
metadata:
  name: node-1
status:
  nodeInfo:
    containerRuntimeVersion: containerd://1.6.2
    kubeletVersion: v1.24.0
"#,
    after: r#"apiVersion: v1
kind: Node
metadata:
  name: node-1
status:
  nodeInfo:
    containerRuntimeVersion: containerd://2.1.4
    kubeletVersion: v1.34.1
"#,
    not_flagged: "Every other release.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/troubleshooting-cni-plugin-related-errors/",
    ],
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
