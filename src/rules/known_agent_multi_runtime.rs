//! DKR602 known-agent-multi-runtime: Docker's socket beside the socket of another runtime.

use super::host_paths;
use crate::analysis::{Workload, sockets};
use crate::finding::{Certainty, Check, Finding, Impact, Rule, Thing};
use crate::workload::pod::HostMount;

pub(super) static RULE: Rule = Rule {
    code: "DKR602",
    name: "known-agent-multi-runtime",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a known agent mounts the Docker socket beside a CRI socket, so that it does without \
        Docker",
    reason: "a leftover beside the CRI socket",
    consequence: "the container finds the runtime by the socket that is there; the mount leaves \
        an empty directory on nodes without Docker",
    short_fix: "drop the mount",
    page: include_str!("../../docs/rules/known-agent-multi-runtime.md"),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    let is_leftover = sockets::is_leftover_beside_cri(workload.pod.as_ref()?, mount);
    is_leftover.then(|| host_paths::finding(&RULE, Thing::Socket, workload, mount).rule_texts())
}
