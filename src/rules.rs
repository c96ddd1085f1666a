//! The catalogue: every rule once, in the order of its codes, and the one evaluation that everything calls.

mod host_paths;
mod signals;

use crate::finding::{Context, Finding, Findings, Rule};
use crate::workload::Workload;

/// All findings of `workload`, in the order of codes, then fields. The same object gives the same findings everywhere.
pub fn evaluate(workload: &Workload<'_>, context: Context) -> Vec<Finding> {
    let mut findings = Findings::new(context.target);
    for rule in RULES {
        (rule.check)(workload, &mut findings);
    }
    let mut found = findings.into_inner();
    found.sort_by(|a, b| (a.rule.code, &a.field, &a.evidence).cmp(&(b.rule.code, &b.field, &b.evidence)));
    found
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
    };
}

catalogue! {
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
    docker_cli_image,
    dind_daemon,
    docker_only_tool_image,
    docker_host_node,
    docker_tcp_on_node,
    docker_command,
    docker_command_on_host,
    docker_socket_http,
    docker_data_root,
    docker_log_dir,
    docker_config_dir,
    docker_binary_mount,
    dockershim_state,
    docker_run_state,
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
