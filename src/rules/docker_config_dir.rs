//! DKR503 docker-config-dir: Docker's configuration in a Pod.

use super::host_paths;
use crate::finding::Thing;
use crate::finding::{Action, Certainty, Findings, HostPathRule, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;
use crate::workload::tables;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR503",
    name: "docker-config-dir",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a hostPath volume reaches /etc/docker or another configuration of dockerd",
    reason: "has no effect on {nodes}",
    consequence: "writers change nothing that the runtime reads, readers report on a daemon that \
        is not there",
    short_fix: "configure the new runtime",
    page: include_str!("../../docs/rules/docker-config-dir.md"),
    host_path: Some(HostPathRule {
        thing: Thing::Directory,
        matches,
    }),
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let is_config = |mount: &HostMount<'_>| mount.claimed.is_none() && matches(&mount.path);
    for mount in host_paths::first_uses(workload, is_config) {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        if finding.consequence.contains("empty directory") {
            finding.consequence = RULE.consequence.to_owned();
        }
        findings.push(finding);
    }
}

fn matches(path: &HostPath) -> bool {
    tables::CONFIG_PATHS
        .iter()
        .any(|config| path.is_within(config))
}
