//! DKR111 socket-parent-mount-bare: a directory above the Docker socket, without a sign of Docker.

use super::{host_paths, signals};
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;
use crate::workload::pod::{HostMount, MountUser};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR111",
    name: "socket-parent-mount-bare",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "a hostPath volume on /, /var, /run or /var/run, with no sign of Docker",
    reason: "reaches the Docker socket",
    consequence: "nothing in the object shows that Docker is used; check the image once",
    short_fix: "mount only what is needed",
    fix: "Mount the narrowest path that the container needs.",
    why: "Reboot daemons, CNI and CSI plug-ins, node exporters and debug Pods mount these directories for reasons of their own. The mount reaches Docker's socket, so it is worth one look, and no more.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: run
      mountPath: /host/run
  volumes:
  - name: run
    hostPath:
      path: /var/run
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: run
      mountPath: /run/udev
  volumes:
  - name: run
    hostPath:
      path: /run/udev
"#,
    not_flagged: "Anything narrower: /run/xtables.lock, /run/flannel, /var/run/netns, /var/lib.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/migrating-telemetry-and-security-agents/",
        "kubereboot/kured: kured-ds.yaml",
    ],
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let is_bare =
        |mount: &HostMount<'_>| host_paths::is_socket_parent(mount) && !is_used(workload, mount);
    for mount in host_paths::first_uses(workload, is_bare) {
        let mut finding = host_paths::finding(&RULE, Thing::Directory, workload, mount);
        // The directory is on every node, whatever its runtime: no hostPath type fails.
        if mount.user != MountUser::Nobody {
            finding.impact = RULE.impact;
            finding.reason = RULE.reason.to_owned();
            finding.consequence = RULE.consequence.to_owned();
        }
        if mount.open_below {
            finding.action = Some(Action::Warn);
            finding.reason = "a variable decides what is mounted".to_owned();
        } else if is_at_default_path(workload, mount) {
            finding.action = Some(Action::Warn);
            finding.reason = "Docker's default socket path is the node's".to_owned();
        }
        findings.push(finding);
    }
}

/// True if a client in the container that has `mount` finds the node's socket without any setting.
fn is_at_default_path(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    let (Some(pod), MountUser::Container(index)) = (&workload.pod, mount.user) else {
        return false;
    };
    let socket = HostPath::new("/var/run/docker.sock");
    mount.path.as_str() == "/run"
        && mount.mount_path == "/run"
        && pod.host_path_at(&pod.containers[index], &socket).as_ref() == Some(&socket)
}

fn is_used(workload: &Workload<'_>, mount: &HostMount<'_>) -> bool {
    match (&workload.pod, mount.user) {
        (Some(pod), MountUser::Container(index)) => {
            signals::docker_user(pod, &pod.containers[index], mount).is_some()
        }
        _ => false,
    }
}
