//! DKR203 dind-daemon: a Docker daemon inside the Pod.

use super::findings;
use crate::analysis::{Container, Pod};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};
use crate::workload::search::mentions;

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

/// What keeps a daemon from the node.
enum Confinement {
    /// Nothing: it is privileged.
    None,
    /// A runtime with a kernel or namespaces of its own.
    Sandbox,
    /// `hostUsers: false`.
    UserNamespace,
    /// The daemon runs without root.
    Rootless,
    /// It has no privileges.
    Unprivileged,
}

impl Confinement {
    fn of(pod: &Pod<'_>, container: &Container<'_>) -> Self {
        // Sysbox, Kata Containers and gVisor by the usual names of their classes.
        const SANDBOXES: [&str; 4] = ["sysbox", "kata", "gvisor", "runsc"];
        let class = &*pod.spec.runtime_class_name;
        let image = &*container.raw.image;
        if SANDBOXES.iter().any(|name| mentions(class, name)) {
            Self::Sandbox
        } else if pod.spec.host_users.as_ref().is_some_and(|flag| !flag.0) {
            Self::UserNamespace
        } else if mentions(image, "rootless") || container.runs_without_root(pod.spec) {
            Self::Rootless
        } else if container.is_privileged() || container.adds_capability("SYS_ADMIN") {
            Self::None
        } else {
            Self::Unprivileged
        }
    }
}
