//! DKR113 node-access: a Pod that can reach Docker's socket in ways that its object does not show.

use std::collections::BTreeSet;

use super::host_paths;
use crate::analysis::{Container, Pod, Workload, socket_use};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule, Thing};
use crate::workload::pod::MountUser;

/// Below it stand the volumes of the node's Pods. What is in them, links included, is theirs.
const VOLUMES_OF_PODS: &str = "/var/lib/kubelet/pods";

pub(super) static RULE: Rule = Rule {
    code: "DKR113",
    name: "node-access",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a container that may look into the node's processes or is one, or a hostPath in \
        another Pod's volume",
    reason: "can reach the Docker socket",
    consequence: "nothing in the object shows that Docker is used; check the image once",
    short_fix: "drop what is not needed",
    page: include_str!("../../docs/rules/node-access.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    let mounts = workload.host_mounts().iter();
    let of_processes = mounts
        .clone()
        .filter(|mount| mount.path.as_str() == "/proc");
    let mounting: BTreeSet<usize> = of_processes
        .filter_map(|mount| match mount.user {
            MountUser::Container(index) => Some(index),
            _ => None,
        })
        .collect();
    for container in pod.containers.iter() {
        if container.is_host_process(pod.spec) {
            findings.push(host_process(pod, container));
        } else if pod.spec.host_pid.0 {
            findings.extend(among_processes(pod, container, "hostPID"));
        } else if mounting.contains(&container.index) {
            findings.extend(among_processes(pod, container, "the node's /proc"));
        }
    }
    let inside = mounts.filter(|mount| {
        mount.user != MountUser::Nobody
            && mount
                .path
                .as_str()
                .strip_prefix(VOLUMES_OF_PODS)
                .is_some_and(|rest| rest.starts_with('/'))
    });
    findings.extend(inside.map(|mount| {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        finding.impact = RULE.impact;
        finding.rule_texts()
    }));
}

/// What runs on a Windows node itself has its named pipes.
fn host_process(pod: &Pod<'_>, container: &Container<'_>) -> Finding {
    Finding::new(&RULE)
        .in_container(pod, container, "securityContext.windowsOptions.hostProcess")
        .what("runs on the node itself")
        .evidence("hostProcess")
}

/// Whoever sees the node's processes, `by` hostPID or a mount of its `/proc`, and may look at them,
/// has the node's files at `1/root` there (`PTRACE_MODE_READ_FSCREDS` in ptrace(2)).
fn among_processes(pod: &Pod<'_>, container: &Container<'_>, by: &str) -> Option<Finding> {
    let (field, what, right) = if container.is_privileged() {
        let what = "is privileged and sees the node's processes";
        ("securityContext.privileged", what, "privileged")
    } else if container.adds_capability("SYS_PTRACE") {
        let what = "may look into the node's processes";
        ("securityContext.capabilities.add", what, "SYS_PTRACE")
    } else {
        return None;
    };
    let finding = Finding::new(&RULE)
        .in_container(pod, container, field)
        .what(what)
        .evidence(&format!("{right} with {by}"));
    Some(if socket_use::leaves_node_open(pod, container) {
        finding
            .action(Action::Warn)
            .reason("a script decides which file is used")
    } else {
        finding
    })
}
