//! DKR502 docker-log-dir: Docker's log directory in a Pod.

use super::{host_paths, signals};
use crate::finding::Thing;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::pod::{HostMount, MountUser};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR502",
    name: "docker-log-dir",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /var/lib/docker/containers",
    reason: "no logs there on {nodes}",
    consequence: "",
    short_fix: "read /var/log/pods",
    page: include_str!("../../docs/rules/docker-log-dir.md"),
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let is_log_dir =
        |mount: &HostMount<'_>| signals::below_data_root(&mount.path) == Some("containers");
    for mount in host_paths::first_uses(workload, is_log_dir) {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        let is_checked = matches!(&*mount.kind, "Directory" | "File" | "Socket");
        if !is_checked && mount.user != MountUser::Nobody && reads_new_logs(workload) {
            finding.certainty = Certainty::Possible;
            finding.impact = Impact::Advisory;
            finding.action = Some(Action::Record);
            finding.reason = "a leftover beside /var/log".to_owned();
            finding.consequence =
                "the logs are read from /var/log/pods; remove the mount".to_owned();
        }
        findings.push(finding);
    }
}

/// True if the Pod also mounts the directory into which every CRI runtime writes logs.
fn reads_new_logs(workload: &Workload<'_>) -> bool {
    // /var/log/containers alone holds links into /var/log/pods, so it does not count.
    let places = [
        "/var/log",
        "/var/log/pods",
        "/var",
        "/",
        "c:/var",
        "c:/var/log",
        "c:/var/log/pods",
    ];
    workload
        .host_mounts()
        .iter()
        .any(|mount| mount.user != MountUser::Nobody && places.contains(&mount.path.as_str()))
}
