//! DKR502 docker-log-dir: Docker's log directory in a Pod.

use super::host_paths;
use crate::analysis::{Workload, data_root};
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule, Thing};
use crate::workload::pod::{HostMount, MountUser};

pub(super) static RULE: Rule = Rule {
    code: "DKR502",
    name: "docker-log-dir",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    summary: "a hostPath volume reaches /var/lib/docker/containers",
    reason: "no logs there on {nodes}",
    short_fix: "read /var/log/pods",
    page: include_str!("../../docs/rules/docker-log-dir.md"),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    if !data_root::is_log_dir(workload, mount) {
        return None;
    }
    let finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
    let is_checked = matches!(&*mount.kind, "Directory" | "File" | "Socket");
    let is_unneeded = !is_checked
        && mount.named.is_none()
        && mount.user != MountUser::Nobody
        && data_root::reads_new_logs(workload);
    Some(if is_unneeded {
        finding
            .advisory("empty, with /var/log beside it")
            .consequence(
                "the links in /var/log/containers lead to /var/log/pods on {nodes}; remove the \
                 mount once the agent parses the CRI format",
            )
    } else {
        finding
    })
}
