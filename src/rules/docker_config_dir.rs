//! DKR503 docker-config-dir: Docker's configuration in a Pod.

use super::host_paths;
use crate::analysis::Workload;
use crate::analysis::service_control::writes_beside;
use crate::finding::{Action, Certainty, Check, Finding, HostPathRule, Impact, Rule, Thing};
use crate::workload::catalog;
use crate::workload::host_path::HostPath;
use crate::workload::pod::{HostMount, MountUser};

pub(super) static RULE: Rule = Rule {
    code: "DKR503",
    name: "docker-config-dir",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    summary: "a hostPath volume reaches /etc/docker or another configuration of dockerd",
    reason: "has no effect on {nodes}",
    consequence: "writers change nothing that the runtime reads, readers report on a daemon that \
        is not there",
    short_fix: "configure the new runtime",
    page: include_str!("../../docs/rules/docker-config-dir.md"),
    host_path: Some(HostPathRule(Thing::Directory, matches)),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    let finding = host_paths::find(&RULE, workload, mount)?;
    // Writing is DKR403's.
    if let (Some(pod), MountUser::Container(index), Some(_)) =
        (&workload.pod, mount.user, &mount.named)
        && writes_beside(pod, &pod.containers[index], &mount.path)
    {
        return None;
    }
    Some(if finding.consequence.contains("empty directory") {
        finding.consequence(RULE.consequence)
    } else {
        finding
    })
}

fn matches(path: &HostPath) -> bool {
    catalog::is_docker_configuration(path)
}
