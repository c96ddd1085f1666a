//! DKR102 dockershim-socket-mount: kubelet's dockershim socket in a Pod.

use super::host_paths;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, HostPathRule, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;
use crate::workload::pod::{HostMount, MountUser};

pub(super) static RULE: Rule = Rule {
    code: "DKR102",
    name: "dockershim-socket-mount",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    needs_docker_absent: false,
    summary: "a hostPath volume reaches dockershim.sock",
    reason: "gone since Kubernetes 1.24",
    short_fix: "mount the runtime's own CRI socket",
    page: include_str!("../../docs/rules/dockershim-socket-mount.md"),
    host_path: Some(HostPathRule(Thing::Socket, matches)),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    let finding = host_paths::find(&RULE, workload, mount)?;
    let is_link = mount.user != MountUser::Nobody && asks_for_bottlerocket(workload);
    Some(if is_link {
        finding
            .advisory("containerd's own socket on Bottlerocket")
            .consequence("name /run/containerd/containerd.sock instead of the old link")
    } else {
        finding
    })
}

/// True if a node selector or affinity names Bottlerocket, where the path is a link to containerd's
/// socket (bottlerocket-os/bottlerocket#796).
fn asks_for_bottlerocket(workload: &Workload<'_>) -> bool {
    let names_it = |text: &str| text.to_ascii_lowercase().contains("bottlerocket");
    let Some(pod) = &workload.pod else {
        return false;
    };
    let selects = pod
        .spec
        .node_selector
        .iter()
        .any(|(key, value)| names_it(key) || names_it(value));
    let mut required = pod
        .node_requirements()
        .filter(|(requirement, _)| matches!(requirement.operator.as_str(), "In" | "Exists"));
    selects
        || required.any(|(requirement, _)| {
            names_it(&requirement.key) || requirement.values.iter().any(|value| names_it(value))
        })
}

fn matches(path: &HostPath) -> bool {
    matches!(path.as_str(), "/run/dockershim.sock" | "/pipe/dockershim")
}
