//! CLU903 psp-scc-allows-docker: an admission policy that lets Docker's socket through.

use super::findings;
use crate::analysis::configuration::expressions;
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
    check: Check::Texts(check),
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
    let has_expressions = is_kyverno || kind == "ValidatingAdmissionPolicy";
    if !(is_exception || is_policy || is_constraint || has_expressions) {
        return;
    }
    for string_field in workload.string_fields.iter() {
        let text = string_field.text.as_str();
        let allows_path = string_field.path.contains("allowedHostPaths") && is_path_of_docker(text);
        let is_listed = is_constraint && string_field.path.contains("allowedProfiles[");
        let allows_profile = string_field.path.contains("seccomp")
            && mentions(text, "docker/default")
            || string_field.path.contains("apparmor") && mentions(text, "localhost/docker-default")
            || is_listed && matches!(text, "docker/default" | "localhost/docker-default");
        // By the path, or by the name of the policy or rule.
        let socket = ["docker.sock", "docker-sock", "docker_sock", "docker-socket"]
            .into_iter()
            .find(|name| is_exception && mentions(text, name));
        // A pattern that a Pod has to fit; with `!` in front it forbids.
        let is_pattern =
            string_field.path.contains(".pattern") || string_field.path.contains(".anyPattern");
        let mut patterns = text.split('|').map(str::trim);
        let fits = is_kyverno && is_pattern && patterns.any(is_path_of_docker);
        let fits = fits || is_kyverno && is_only_allowed(workload, string_field);
        // What has to be true; variables and conditions of a match only name something.
        let is_expression = has_expressions
            && string_field.key() == "expression"
            && (string_field.path.contains("validations[")
                || string_field.path.contains("expressions["));
        let expression = Some(text).filter(|_| is_expression).unwrap_or_default();
        let mut equal = expressions::allowed(expression).into_iter();
        let equal = equal.find(|path| is_path_of_docker(path));
        // An exception's text may be a whole expression.
        let allowed = socket.or(equal).unwrap_or(text);
        if allows_path || allows_profile || socket.or(equal).is_some() || fits {
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
