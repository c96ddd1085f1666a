//! CLU903 psp-scc-allows-docker: an admission policy that lets Docker's socket through.

use super::{place, signals};
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
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
    reads: Reads::ObjectTexts,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let kind = workload.kind();
    let is_exception = kind == "PolicyException";
    let is_policy = matches!(kind, "PodSecurityPolicy" | "SecurityContextConstraints");
    let is_constraint = workload
        .api_version()
        .starts_with("constraints.gatekeeper.sh/");
    let is_kyverno = matches!(kind, "ClusterPolicy" | "Policy" | "ValidatingPolicy");
    if !(is_exception || is_policy || is_constraint || is_kyverno) {
        return;
    }
    for leaf in workload.leaves.iter() {
        let allows_path = leaf.path.contains("allowedHostPaths") && is_path_of_docker(&leaf.text);
        let allows_profile =
            leaf.path.contains("seccomp") && mentions(&leaf.text, "docker/default");
        let excepts = is_exception && mentions(&leaf.text, "docker.sock");
        // A pattern that a Pod has to fit; with `!` in front it forbids.
        let fits = is_kyverno
            && [".pattern", ".anyPattern"]
                .iter()
                .any(|part| leaf.path.contains(part))
            && leaf
                .text
                .split('|')
                .any(|path| is_path_of_docker(path.trim()));
        // An exception's text may be a whole expression.
        let allowed = if excepts {
            "docker.sock"
        } else {
            leaf.text.as_str()
        };
        if allows_path || allows_profile || excepts || fits {
            let what = format!("allows {allowed}");
            findings.push(place::in_object(&RULE, workload, leaf, what, allowed));
        }
    }
}

/// True for a path that any rule about host paths flags.
fn is_path_of_docker(text: &str) -> bool {
    let path = HostPath::new(text);
    if !text.starts_with('/') {
        return false;
    }
    let about = super::RULES
        .iter()
        .filter_map(|rule| rule.host_path.as_ref());
    about.into_iter().any(|about| (about.matches)(&path))
        || signals::below_data_root(&path).is_some()
}
