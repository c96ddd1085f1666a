//! The catalogue: every rule once, in the order of its codes, and the one evaluation that everything calls.

mod host_paths;
mod place;
mod signals;

use crate::finding::{Check, Context, Finding, Findings, Reads, Rule};
use crate::workload::Workload;

/// All findings of `workload`, in the order of codes, then fields. The same object gives the same findings everywhere.
pub fn evaluate(workload: &Workload<'_>, context: Context) -> Vec<Finding> {
    let mut findings = Findings::new(context.target);
    let has_host_paths = !workload.host_mounts().is_empty();
    let has_words = workload.mentions_any();
    let has_texts = workload.leaves.iter().next().is_some();
    for (at, (reads, check)) in CHECKS.iter().enumerate() {
        let is_called = match reads {
            Reads::HostPaths => has_host_paths,
            Reads::Words => has_words,
            Reads::ObjectTexts => has_texts,
            Reads::Object => true,
        };
        if is_called {
            check(workload, &mut findings);
        } else {
            debug_assert!(finds_nothing(RULES[at], workload, context), "{} reads more than it says", RULES[at].code);
        }
    }
    let mut found = findings.into_inner();
    for part in &workload.parts {
        // Of what is found there, the pod is the part's and the rest is the object's own.
        let is_inside = |finding: &Finding| part.pod.as_ref().is_some_and(|pod| finding.field.starts_with(pod.path));
        found.extend(evaluate(part, context).into_iter().filter(is_inside));
    }
    found.sort_by(|a, b| (a.rule.code, &a.field, &a.evidence).cmp(&(b.rule.code, &b.field, &b.evidence)));
    found
}

/// What must be true of a rule that is not called.
fn finds_nothing(rule: &Rule, workload: &Workload<'_>, context: Context) -> bool {
    let mut findings = Findings::new(context.target);
    (rule.check)(workload, &mut findings);
    findings.into_inner().is_empty()
}

/// The rule with this code or name, in any case.
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(code_or_name) || rule.name.eq_ignore_ascii_case(code_or_name))
}

macro_rules! catalogue {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every rule, in the order of codes.
        pub static RULES: &[&Rule] = &[$(&$module::RULE),+];

        /// The same without their texts, close together: what each evaluation looks at.
        static CHECKS: &[(Reads, Check)] = &[$(($module::RULE.reads, $module::RULE.check)),+];
    };
}

catalogue! {
    installer_docker,
    ci_controller_config_docker,
    psp_scc_allows_docker,
    docker_socket_mount,
    dockershim_socket_mount,
    cri_dockerd_socket_mount,
    docker_private_socket_mount,
    docker_windows_pipe,
    rootless_docker_socket,
    cri_socket_posing_as_docker,
    foreign_named_docker_socket,
    socket_parent_mount,
    socket_parent_mount_bare,
    docker_path_via_pv,
    docker_cli_image,
    docker_cli_bundled_image,
    dind_daemon,
    docker_only_tool_image,
    node_local_image,
    insecure_or_mirrored_registry,
    short_image_name,
    docker_host_node,
    docker_socket_env,
    docker_socket_env_unbacked,
    docker_tcp_on_node,
    docker_bridge_address,
    runtime_selector_docker,
    docker_command,
    docker_command_on_host,
    docker_service_control,
    docker_socket_http,
    docker_env_probe,
    docker_data_root,
    docker_log_dir,
    docker_config_dir,
    docker_binary_mount,
    dockershim_state,
    docker_run_state,
    docker_daemon_log,
    known_agent_docker_mode,
    known_agent_multi_runtime,
    docker_chaos_experiment,
    npd_docker_monitor,
    docker_json_log_parser,
    docker_metric_names,
    docker_id_prefix_parser,
    unprivileged_low_port,
    unprivileged_ping,
    seccomp_docker_default,
    runtimeclass_docker,
    host_port_behaviour,
    docker_node_selector,
    node_runtime_docker,
    node_dockershim_annotation,
    node_cri_dockerd,
    node_containerd_cni_bug,
    node_docker_problem_condition,
    mixed_runtime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_sorted() {
        assert!(RULES.is_sorted_by(|a, b| a.code < b.code));
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
