//! DKR604 npd-docker-monitor: node-problem-detector with its Docker monitors.

use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::mentions::mentions;
use crate::workload::pod::{Container, Pod};

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
    target: None,
    check: Check::Mentioning(|found| found.docker, check),
};

/// Source: kubernetes/node-problem-detector, config.
const MONITORS: [&str; 4] = [
    "docker-monitor.json",
    "docker-monitor-filelog.json",
    "health-checker-docker.json",
    "docker-monitor-counter.json",
];

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    for (field, text) in container.texts() {
        for monitor in MONITORS.iter().filter(|monitor| mentions(text, monitor)) {
            findings.push(
                Finding::new(&RULE)
                    .in_container(pod, container, field.path())
                    .what(format!("loads {monitor}"))
                    .evidence(monitor)
                    .within(text),
            );
        }
    }
}
