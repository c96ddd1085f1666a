//! The catalogue: every rule once, in the order of its codes, and the one evaluation that
//! everything calls.

mod agent_config_docker;
mod apparmor_docker_default;
mod ci_controller_config_docker;
mod cri_dockerd_socket_mount;
mod cri_socket_posing_as_docker;
mod dind_daemon;
mod docker_binary_mount;
mod docker_bridge_address;
mod docker_chaos_experiment;
mod docker_cli_bundled_image;
mod docker_cli_image;
mod docker_command;
mod docker_command_on_host;
mod docker_config_dir;
mod docker_config_file;
mod docker_daemon_log;
mod docker_data_root;
mod docker_env_probe;
mod docker_host_node;
mod docker_id_prefix_parser;
mod docker_json_log_parser;
mod docker_log_dir;
mod docker_metric_names;
mod docker_node_selector;
mod docker_only_tool_image;
mod docker_path_via_pv;
mod docker_private_socket_mount;
mod docker_run_state;
mod docker_service_control;
mod docker_socket_env;
mod docker_socket_env_unbacked;
mod docker_socket_http;
mod docker_socket_mount;
mod docker_tcp_on_node;
mod docker_windows_pipe;
mod dockershim_socket_mount;
mod dockershim_state;
mod findings;
mod foreign_named_docker_socket;
mod host_paths;
mod host_port_behaviour;
mod insecure_or_mirrored_registry;
mod installer_docker;
mod known_agent_docker_mode;
mod known_agent_multi_runtime;
mod mixed_runtime;
mod node_access;
mod node_containerd_cni_bug;
mod node_cri_dockerd;
mod node_docker_problem_condition;
mod node_dockershim_annotation;
mod node_local_image;
mod node_runtime_docker;
mod nodes;
mod npd_docker_monitor;
mod psp_scc_allows_docker;
mod rootless_docker_socket;
mod runtime_selector_docker;
mod runtimeclass_docker;
mod seccomp_docker_default;
mod short_image_name;
mod socket_parent_mount;
mod socket_parent_mount_bare;
mod unprivileged_low_port;
mod unprivileged_ping;

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Context, Finding, Findings, Rule};
use crate::workload;
use crate::workload::pod::{HostMount, MountUser};

/// All findings of `workload`, in the order of codes, then fields. The same object gives the same
/// findings everywhere.
pub fn evaluate(workload: &workload::Workload<'_>, context: Context) -> Vec<Finding> {
    let mut findings = Findings::new(context.target);
    let analysis = Workload::new(workload);
    for rule in RULES {
        run(rule, &analysis, &mut findings);
    }
    let mut found = findings.into_inner();
    for part in &workload.parts {
        // Of what is found there, the pod is the part's and the rest is the object's own.
        let is_inside = |finding: &Finding| {
            part.pod
                .as_ref()
                .is_some_and(|pod| finding.field.starts_with(pod.path))
        };
        let of_part = evaluate(part, context).into_iter().filter(is_inside);
        found.extend(of_part.map(|finding| moved(finding, part.moved)));
    }
    if found.is_empty() {
        return found;
    }
    let denied_first = |finding: &Finding| Reverse(finding.default_action(Certainty::Likely));
    found.sort_by(|a, b| {
        let key = (a.rule.code, &a.field, &a.evidence);
        key.cmp(&(b.rule.code, &b.field, &b.evidence))
            .then_with(|| denied_first(a).cmp(&denied_first(b)))
    });
    leave_out_bare_notes(&mut found);
    if !workload.parts.is_empty() {
        // A volume that several templates mount is one finding, whatever those say that do not
        // mount it.
        found.dedup_by(|a, b| {
            a.rule.code == b.rule.code && a.field == b.field && a.evidence == b.evidence
        });
    }
    found
}

/// DKR111 and DKR113 note that a container could reach Docker and shows no sign of it: that is not
/// told beside a finding that is such a sign.
fn leave_out_bare_notes(found: &mut Vec<Finding>) {
    let is_bare = |finding: &Finding| {
        let notes = [&socket_parent_mount_bare::RULE, &node_access::RULE];
        finding.action.is_none() && notes.iter().any(|rule| rule.code == finding.rule.code)
    };
    if !found.iter().any(is_bare) {
        return;
    }
    let is_sign = |finding: &&Finding| finding.rule.needs_docker_absent;
    let users: HashSet<String> = found
        .iter()
        .filter(is_sign)
        .filter_map(|finding| finding.container.clone())
        .collect();
    found.retain(|finding| {
        let container = finding.container.as_ref();
        !(is_bare(finding) && container.is_some_and(|container| users.contains(container)))
    });
}

/// `finding` at the field where its value stands in the object.
fn moved(mut finding: Finding, fields: &[(String, String)]) -> Finding {
    let place = fields.iter().find_map(|(here, there)| {
        let rest = finding.field.strip_prefix(here.as_str())?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{there}{rest}"))
    });
    finding.field = place.unwrap_or(finding.field);
    finding
}

/// Calls the check of `rule` for everything in `workload` that it looks at.
fn run(rule: &'static Rule, workload: &Workload<'_>, findings: &mut Findings) {
    let containers = workload.containers().iter();
    match (rule.check, &workload.pod) {
        (Check::HostPath(check), _) => {
            each_path(workload, findings, |mount| check(workload, mount));
        }
        (Check::MatchingPath, _) => {
            each_path(workload, findings, |mount| {
                host_paths::find(rule, workload, mount)
            });
        }
        (Check::Container(check), Some(pod)) => {
            for container in containers {
                check(pod, container, findings);
            }
        }
        (Check::Mentioning(is_meant, check), Some(pod)) if is_meant(workload.mentioned) => {
            for container in containers.filter(|container| is_meant(container.prefilter())) {
                check(pod, container, findings);
            }
        }
        (Check::Commands(check, _), Some(pod)) if workload.mentioned.docker => {
            for container in containers.filter(|container| container.prefilter().docker) {
                check(pod, container, findings);
            }
        }
        (Check::Commands(_, check), None) => {
            for script in &workload.scripts {
                check(workload, script, findings);
            }
        }
        (Check::Pod(check), Some(pod)) => check(pod, findings),
        (Check::Text(kinds, check), None) if kinds.contains(&workload.kind()) => {
            let string_fields = workload.string_fields.iter();
            findings.extend(string_fields.filter_map(|string_field| check(workload, string_field)));
        }
        (Check::Settings(check), _) => {
            for document in &workload.settings {
                check(document, findings);
            }
        }
        (Check::Texts(check), _) if !workload.string_fields.is_empty() => {
            check(workload, findings);
        }
        (Check::Node(check), None) if workload.kind() == "Node" => {
            findings.extend(check(workload));
        }
        (Check::Object(check), _) => check(workload, findings),
        _ => {}
    }
}

/// Calls `check` for each host path of `workload`, and keeps one finding for a volume and path, and
/// one for the ephemeral containers that mount it: they come later than the others.
fn each_path(
    workload: &Workload<'_>,
    findings: &mut Findings,
    check: impl Fn(&HostMount<'_>) -> Option<Finding>,
) {
    let is_ephemeral = |mount: &HostMount<'_>| match mount.user {
        MountUser::Container(at) => {
            let container = workload.containers().get(at);
            container.is_some_and(|container| container.is_ephemeral())
        }
        _ => false,
    };
    // For each of them, its number among the findings and the last container that it stands for.
    let mut seen = BTreeMap::new();
    for mount in workload.host_mounts().iter().chain(&workload.named_paths) {
        let Some(finding) = check(mount) else {
            continue;
        };
        let place = (mount.volume, mount.path.as_str(), is_ephemeral(mount));
        match seen.entry(place) {
            Entry::Vacant(entry) => {
                entry.insert((findings.len(), mount.user));
                findings.push(finding);
            }
            Entry::Occupied(mut entry) => {
                let (number, last_user) = entry.get_mut();
                if *last_user != mount.user {
                    findings.add_use(*number);
                    *last_user = mount.user;
                }
            }
        }
    }
}

/// The rule with this code or name, in any case.
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| {
        rule.code.eq_ignore_ascii_case(code_or_name) || rule.name.eq_ignore_ascii_case(code_or_name)
    })
}

/// Every rule, in the order of codes.
pub static RULES: &[&Rule] = &[
    &installer_docker::RULE,
    &ci_controller_config_docker::RULE,
    &psp_scc_allows_docker::RULE,
    &docker_socket_mount::RULE,
    &dockershim_socket_mount::RULE,
    &cri_dockerd_socket_mount::RULE,
    &docker_private_socket_mount::RULE,
    &docker_windows_pipe::RULE,
    &rootless_docker_socket::RULE,
    &cri_socket_posing_as_docker::RULE,
    &foreign_named_docker_socket::RULE,
    &socket_parent_mount::RULE,
    &socket_parent_mount_bare::RULE,
    &docker_path_via_pv::RULE,
    &node_access::RULE,
    &docker_cli_image::RULE,
    &docker_cli_bundled_image::RULE,
    &dind_daemon::RULE,
    &docker_only_tool_image::RULE,
    &node_local_image::RULE,
    &insecure_or_mirrored_registry::RULE,
    &short_image_name::RULE,
    &docker_host_node::RULE,
    &docker_socket_env::RULE,
    &docker_socket_env_unbacked::RULE,
    &docker_tcp_on_node::RULE,
    &docker_bridge_address::RULE,
    &runtime_selector_docker::RULE,
    &docker_command::RULE,
    &docker_command_on_host::RULE,
    &docker_service_control::RULE,
    &docker_socket_http::RULE,
    &docker_env_probe::RULE,
    &docker_data_root::RULE,
    &docker_log_dir::RULE,
    &docker_config_dir::RULE,
    &docker_binary_mount::RULE,
    &dockershim_state::RULE,
    &docker_run_state::RULE,
    &docker_daemon_log::RULE,
    &docker_config_file::RULE,
    &known_agent_docker_mode::RULE,
    &known_agent_multi_runtime::RULE,
    &docker_chaos_experiment::RULE,
    &npd_docker_monitor::RULE,
    &agent_config_docker::RULE,
    &docker_json_log_parser::RULE,
    &docker_metric_names::RULE,
    &docker_id_prefix_parser::RULE,
    &unprivileged_low_port::RULE,
    &unprivileged_ping::RULE,
    &seccomp_docker_default::RULE,
    &runtimeclass_docker::RULE,
    &host_port_behaviour::RULE,
    &docker_node_selector::RULE,
    &apparmor_docker_default::RULE,
    &node_runtime_docker::RULE,
    &node_dockershim_annotation::RULE,
    &node_cri_dockerd::RULE,
    &node_containerd_cni_bug::RULE,
    &node_docker_problem_condition::RULE,
    &mixed_runtime::RULE,
];

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
