//! CLU903 psp-scc-allows-docker: an admission policy that lets Docker's socket through.

use super::findings;
use crate::analysis::{Workload, data_root};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};
use crate::workload::host_path::HostPath;
use crate::workload::search::mentions;
use crate::workload::string_fields::StringField;

pub(super) static RULE: Rule = Rule {
    code: "CLU903",
    name: "psp-scc-allows-docker",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a PodSecurityPolicy, SCC or policy exception allows a path of Docker or \
        docker/default",
    reason: "an exception for Docker remains",
    consequence: "it lets Pods reach Docker, and has no purpose once Docker is gone",
    short_fix: "remove the exception",
    page: include_str!("../../docs/rules/psp-scc-allows-docker.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let kind = workload.kind();
    let is_exception = kind == "PolicyException";
    // The last two are Kubewarden's.
    let is_policy = matches!(
        kind,
        "PodSecurityPolicy"
            | "SecurityContextConstraints"
            | "AdmissionPolicy"
            | "ClusterAdmissionPolicy"
    );
    let is_constraint = workload
        .api_version()
        .starts_with("constraints.gatekeeper.sh/");
    let is_kyverno = matches!(kind, "ClusterPolicy" | "Policy" | "ValidatingPolicy");
    if !(is_exception || is_policy || is_constraint || is_kyverno) {
        return;
    }
    for string_field in workload.string_fields.iter() {
        let allows_path =
            string_field.path.contains("allowedHostPaths") && is_path_of_docker(&string_field.text);
        let allows_profile = string_field.path.contains("seccomp")
            && mentions(&string_field.text, "docker/default")
            || string_field.path.contains("apparmor")
                && mentions(&string_field.text, "localhost/docker-default");
        // By the path, or by the name of the policy or rule.
        let socket = ["docker.sock", "docker-sock", "docker_sock", "docker-socket"]
            .into_iter()
            .find(|name| is_exception && mentions(&string_field.text, name));
        // A pattern that a Pod has to fit; with `!` in front it forbids.
        let is_pattern =
            string_field.path.contains(".pattern") || string_field.path.contains(".anyPattern");
        let mut patterns = string_field.text.split('|').map(str::trim);
        let fits = is_kyverno && is_pattern && patterns.any(is_path_of_docker);
        let fits = fits || is_kyverno && is_only_allowed(workload, string_field);
        // An exception's text may be a whole expression.
        let allowed = socket.unwrap_or(&string_field.text);
        if allows_path || allows_profile || socket.is_some() || fits {
            findings.push(
                findings::object_finding(&RULE, workload, string_field)
                    .what(format!("allows {allowed}"))
                    .evidence(allowed),
            );
        }
    }
}

/// True for a path of Docker in a list outside of which everything is refused.
fn is_only_allowed(workload: &Workload<'_>, string_field: &StringField) -> bool {
    const OPERATORS: [&str; 5] = ["AllNotIn", "AnyNotIn", "NotEqual", "NotEquals", "NotIn"];
    let condition = string_field.path.split_once(".deny.conditions");
    let condition = condition.and_then(|_| string_field.path.rsplit_once(".value"));
    let operator = condition.and_then(|(condition, _)| {
        let operator = format!("{condition}.operator");
        workload.string_fields.get(&operator)
    });
    operator.is_some_and(|operator| OPERATORS.contains(&operator))
        && is_path_of_docker(&string_field.text)
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
    about.into_iter().any(|about| about.matches(&path))
        || data_root::below_data_root(&path).is_some()
}
