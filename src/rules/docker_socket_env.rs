//! DKR302 docker-socket-env: a variable or an argument that names a mounted Docker socket.

use super::{host_paths, signals};
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint::{self, Endpoint};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR302",
    name: "docker-socket-env",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a variable or argument other than DOCKER_HOST names a Docker socket that is mounted from the node",
    reason: "no such socket on {nodes}",
    consequence: "the tool that reads it finds nothing there",
    short_fix: "name the CRI socket or unset it",
    fix: "Give the tool the CRI socket of the new runtime, or its setting for no Docker at all.",
    why: "Agents and installers take the path of Docker's socket under many names. Whatever the name, a path that ends in docker.sock and lies in a mount of the node's means the node's Docker.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    env:
    - name: DOCKER_SOCKET_PATH
      value: /host/run/docker.sock
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
    env:
    - name: CRI_SOCKET_PATH
      value: /host/run/containerd/containerd.sock
    volumeMounts:
    - name: run
      mountPath: /host/run/containerd
  volumes:
  - name: run
    hostPath:
      path: /run/containerd
"#,
    not_flagged: "DOCKER_CONFIG, DOCKER_BUILDKIT and other variables that name no socket; sockets in a volume of the Pod.",
    references: &[
        "sysdiglabs/charts: charts/node-analyzer/values.yaml",
        "NVIDIA/gpu-operator: controllers/object_controls.go",
    ],
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        let settings = signals::socket_settings(container);
        let in_scripts = signals::sockets_of_processes(pod, container);
        for (field, path) in settings.into_iter().chain(in_scripts) {
            let Endpoint::NodeSocket(host_path) = endpoint::resolve(pod, container, &path) else {
                continue;
            };
            let mut finding = signals::setting_finding(&RULE, pod, container, field, &path);
            finding.consequence = format!("it is the node's {}", host_paths::shown(&host_path));
            if signals::is_agent(container) && signals::names_cri_socket(container) {
                finding.certainty = Certainty::Possible;
                finding.impact = Impact::Advisory;
                finding.reason = "one of several runtimes' sockets".to_owned();
                finding.consequence = "the agent also names a CRI socket; drop this one".to_owned();
            }
            findings.push(finding);
        }
    }
}
