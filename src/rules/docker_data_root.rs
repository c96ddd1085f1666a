//! DKR501 docker-data-root: Docker's data directory in a Pod.

use super::host_paths;
use crate::analysis::{Workload, data_root};
use crate::finding::{Action, Certainty, Check, Finding, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;
use crate::workload::pod::HostMount;
use crate::workload::search::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR501",
    name: "docker-data-root",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: Some(Action::Warn),
    summary: "a hostPath volume reaches /var/lib/docker",
    reason: "empty or absent on {nodes}",
    short_fix: "use the CRI or the API",
    page: include_str!("../../docs/rules/docker-data-root.md"),
    host_path: Some(HostPathRule(Thing::Directory, matches)),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    // A directory of another disk with Docker's name, seen where Docker has its data.
    let is_moved = || {
        let is_named = mentions(mount.path.as_str(), "docker") && mount.claimed.is_none();
        is_named && data_root::is_in_place(workload, mount)
    };
    let finding = host_paths::find(&RULE, workload, mount).or_else(|| {
        is_moved().then(|| host_paths::finding(&RULE, Thing::Directory, workload, mount))
    })?;
    if data_root::is_log_dir(workload, mount) {
        return None;
    }
    let is_guessed = data_root::is_guessed_data_root(mount.judged_path());
    Some(if is_guessed && !data_root::is_in_place(workload, mount) {
        finding
            .certainty(Certainty::Possible)
            .action(Action::Record)
    } else if data_root::is_beside_another(workload, mount) {
        finding.advisory("a leftover beside the other runtime's data")
    } else {
        finding
    })
}

fn matches(path: &HostPath) -> bool {
    data_root::is_data_root(path) || data_root::is_guessed_data_root(path)
}
