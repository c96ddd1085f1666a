//! DKR604 npd-docker-monitor: node-problem-detector with its Docker monitors.

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
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    const MONITORS: [&str; 4] = [
        "docker-monitor.json",
        "docker-monitor-filelog.json",
        "health-checker-docker.json",
        "docker-monitor-counter.json",
    ];
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
