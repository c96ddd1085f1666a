//! DKR203 dind-daemon: a Docker daemon inside the Pod.

use super::findings;
use crate::analysis::daemon::Confinement;
use crate::analysis::{Container, Pod};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR203",
    name: "dind-daemon",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Security,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a container runs a Docker daemon of its own (Docker-in-Docker)",
    reason: "privileged, not tied to the node's Docker",
    consequence: "it keeps working on {nodes}, with full control of the node",
    short_fix: "prefer rootless BuildKit",
    page: include_str!("../../docs/rules/dind-daemon.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if !pod.is_daemon(container) {
        return;
    }
    let what = "runs a Docker daemon in image";
    let finding = findings::image_finding(&RULE, pod, container, what);
    findings.push(match Confinement::of(pod, container) {
        Confinement::None => finding,
        Confinement::Sandbox => finding
            .reason("in a sandbox, not tied to the node's Docker")
            .consequence("it keeps working on {nodes} that have the same runtime class"),
        Confinement::UserNamespace => finding
            .reason("in a user namespace, not tied to the node's Docker")
            .consequence("it keeps working on {nodes}; its root user has no rights on the node"),
        Confinement::Rootless => finding
            .reason("rootless, not tied to the node's Docker")
            .consequence("it keeps working on {nodes}"),
        Confinement::Unprivileged => finding
            .reason("not privileged, not tied to the node's Docker")
            .consequence("dockerd does not start without privileges, on {nodes} as anywhere"),
    });
}
