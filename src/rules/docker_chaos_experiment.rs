//! DKR603 docker-chaos-experiment: a chaos tool that works through Docker.

use super::{docker_cli_image::image_finding, signals};
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::tables;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR603",
    name: "docker-chaos-experiment",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    needs_docker_absent: true,
    summary: "a chaos tool that is set up for the Docker runtime",
    reason: "its experiments fail on {nodes}",
    consequence: "faults are injected through Docker's API, which is not there",
    short_fix: "set its runtime to the new one",
    fix: "Set the tool's runtime and socket to containerd or CRI-O; drop experiments that kill the Docker service.",
    why: "Chaos tools enter containers through the runtime's API. For several of them Docker is the default of old releases.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: gaiaadm/pumba:0.9.0
    volumeMounts:
    - name: sock
      mountPath: /var/run/docker.sock
  volumes:
  - name: sock
    hostPath:
      path: /var/run/docker.sock
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: ghcr.io/alexei-led/pumba:0.11.0
    args: ["--runtime", "containerd"]
    volumeMounts:
    - name: sock
      mountPath: /run/containerd/containerd.sock
  volumes:
  - name: sock
    hostPath:
      path: /run/containerd/containerd.sock
      type: Socket
"#,
    not_flagged: "The same tools set to another runtime.",
    references: &[
        "alexei-led/pumba: README.md",
        "chaos-mesh/chaos-mesh: helm/chaos-mesh/values.yaml",
        "litmuschaos/chaos-charts",
    ],
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| tables::is_chaos_tool(container.image()))
    {
        let reaches_docker = pod
            .mounts_of(container)
            .any(|mount| signals::is_docker_socket(&mount.path));
        if reaches_docker || !signals::runtime_selectors(container).is_empty() {
            findings.push(image_finding(&RULE, pod, container, "runs chaos tool"));
        }
    }
}
