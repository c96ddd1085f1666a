//! DKR203 dind-daemon: a Docker daemon inside the Pod.

use super::images;
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};
use crate::workload::pod::{Container, Pod};

pub(super) static RULE: Rule = Rule {
    code: "DKR203",
    name: "dind-daemon",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Security,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a container runs a Docker daemon of its own (Docker-in-Docker)",
    reason: "privileged, not tied to the node's Docker",
    consequence: "it keeps working on {nodes}, with full control of the node",
    short_fix: "prefer rootless BuildKit",
    page: include_str!("../../docs/rules/dind-daemon.md"),
    host_path: None,
    target: None,
    check: Check::Container(check),
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if pod.is_daemon(container) {
        let what = "runs a Docker daemon in image";
        findings.push(images::finding(&RULE, pod, container, what));
    }
}
