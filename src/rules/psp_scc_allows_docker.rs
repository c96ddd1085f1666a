//! CLU903 psp-scc-allows-docker: an admission policy that lets Docker's socket through.

use super::{objects, signals};
use crate::finding::{Certainty, Check, Finding, Impact, Rule};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;
use crate::workload::leaves::Leaf;
use crate::workload::mentions::mentions;

pub(super) static RULE: Rule = Rule {
    code: "CLU903",
    name: "psp-scc-allows-docker",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a PodSecurityPolicy, SCC or policy exception allows a path of Docker or \
        docker/default",
    reason: "an exception for Docker remains",
    consequence: "it lets Pods reach Docker, and has no purpose once Docker is gone",
    short_fix: "remove the exception",
    page: include_str!("../../docs/rules/psp-scc-allows-docker.md"),
    host_path: None,
    target: None,
    check: Check::Text(KINDS, check),
};

const KINDS: &[&str] = &[
    "PodSecurityPolicy",
    "PolicyException",
    "SecurityContextConstraints",
];

fn check(workload: &Workload<'_>, leaf: &Leaf) -> Option<Finding> {
    let text = leaf.text.as_str();
    let allows_path = leaf.path.contains("allowedHostPaths") && is_path_of_docker(text);
    let allows_profile = leaf.path.contains("seccomp") && mentions(text, "docker/default");
    let excepts = workload.kind() == "PolicyException" && mentions(text, "docker.sock");
    // An exception's text may be a whole expression.
    let allowed = if excepts { "docker.sock" } else { text };
    (allows_path || allows_profile || excepts).then(|| {
        objects::finding(&RULE, workload, leaf)
            .what(format!("allows {allowed}"))
            .evidence(allowed)
            .within(text)
    })
}

/// True for a path that any rule about host paths flags.
fn is_path_of_docker(text: &str) -> bool {
    let path = HostPath::new(text);
    let about = super::RULES
        .iter()
        .filter_map(|rule| rule.host_path.as_ref());
    about.into_iter().any(|about| (about.matches)(&path))
        || signals::below_data_root(&path).is_some()
}
