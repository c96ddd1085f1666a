//! DKR204 docker-only-tool-image: a tool that only speaks Docker's API.

use super::docker_cli_image::image_finding;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::tables::ImageRole;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR204",
    name: "docker-only-tool-image",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a container runs a tool that can only talk to Docker (docker-gc, logspout, watchtower)",
    reason: "speaks only Docker's API",
    consequence: "it finds no daemon on {nodes}, or one without the cluster's containers",
    short_fix: "remove it or take its successor",
    fix: "Remove it: kubelet collects images and containers itself, log agents read /var/log/pods, GitOps tools replace watchtower.",
    why: "These tools have no CRI mode. Most do what kubelet has done since the beginning, and have no purpose in a cluster.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: gc
    image: spotify/docker-gc:latest
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
"#,
    not_flagged: "Agents that find the runtime by themselves.",
    references: &[
        "helm/charts: stable/spotify-docker-gc",
        "falcosecurity/rules: rules/falco-sandbox_rules.yaml",
    ],
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        if container.image_role() == Some(ImageRole::DockerOnly) {
            findings.push(image_finding(
                &RULE,
                pod,
                container,
                "runs Docker-only tool",
            ));
        }
    }
}
