//! DKR604 npd-docker-monitor: node-problem-detector with its Docker monitors.

use super::configuration::{maps, settings};
use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::mentions::mentions;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR604",
    name: "npd-docker-monitor",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "node-problem-detector is told to watch Docker",
    reason: "no effect or false alarms on {nodes}",
    consequence: "the log that it watches is silent, and the health check reports a dead Docker",
    short_fix: "use the containerd monitors",
    page: include_str!("../../docs/rules/npd-docker-monitor.md"),
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    const MONITORS: [&str; 4] = [
        "docker-monitor.json",
        "docker-monitor-filelog.json",
        "health-checker-docker.json",
        "docker-monitor-counter.json",
    ];
    check_configuration(workload, findings);
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions_docker())
    {
        for (field, text) in container.texts() {
            let monitors = MONITORS.iter().filter(|monitor| mentions(text, monitor));
            for monitor in monitors {
                let path = format!("{}.{}", pod.container_path(container), field.path());
                findings.push(Finding::in_container(
                    &RULE,
                    container,
                    format!("loads {monitor}"),
                    path,
                    monitor,
                ));
            }
        }
    }
}

/// A monitor's own file: the journal of dockerd, the health check of Docker.
fn check_configuration(workload: &Workload<'_>, findings: &mut Findings) {
    for document in settings(workload) {
        for (key, map) in maps(document.root) {
            let source = map.get("source").filter(|_| key == "pluginConfig");
            let source =
                source.filter(|source| matches!(source.text(), Some("dockerd" | "docker")));
            if let Some(source) = source {
                let what = "watches the journal of dockerd".to_owned();
                findings.push(document.finding(&RULE, source, what, "dockerd"));
            }
            let component = map.texts_of("args").into_iter().find(|argument| {
                let text = argument.text().unwrap_or_default();
                text.trim_start_matches('-') == "component=docker"
            });
            if let Some(component) = component {
                let what = "checks the health of docker".to_owned();
                findings.push(document.finding(&RULE, component, what, "--component=docker"));
            }
        }
    }
}
