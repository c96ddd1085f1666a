//! DKR604 npd-docker-monitor: node-problem-detector with its Docker monitors.

use crate::analysis::settings::{Settings, maps, scalars};
use crate::analysis::{Container, Pod, Workload};
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::search::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR604",
    name: "npd-docker-monitor",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Degrades,
    summary: "node-problem-detector is told to watch Docker",
    reason: "no effect or false alarms on {nodes}",
    consequence: "the log that it watches is silent, and the health check reports a dead Docker",
    short_fix: "use the containerd monitors",
    page: include_str!("../../docs/rules/npd-docker-monitor.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

/// Source: kubernetes/node-problem-detector, config.
const MONITORS: [&str; 4] = [
    "docker-monitor.json",
    "docker-monitor-filelog.json",
    "health-checker-docker.json",
    "docker-monitor-counter.json",
];

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for document in &workload.settings {
        check_settings(document, findings);
    }
    if let Some(pod) = &workload.pod {
        let containers = pod.containers.iter();
        for container in containers.filter(|container| container.prefilter().docker) {
            check_container(pod, container, findings);
        }
    }
}

/// The flag that loads a monitor's file.
fn check_container(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let texts = container.texts_with(|found| found.docker);
    for (field, text) in texts.filter(|(field, _)| !field.is_hook()) {
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

/// A monitor's own file: the journal of dockerd, the health check of Docker.
fn check_settings(document: &Settings<'_>, findings: &mut Findings) {
    let finding = |node, what: &str, evidence: &str| {
        Finding::new(&RULE)
            .in_settings(document, node)
            .what(what)
            .evidence(evidence)
    };
    // A monitor among those that a chart's values load.
    for (_, node, text) in scalars(document.root) {
        let monitors = MONITORS.iter();
        let mut loaded = monitors.filter(|monitor| text.rsplit('/').next() == Some(**monitor));
        let loaded = loaded.next();
        findings.extend(loaded.map(|monitor| finding(node, &format!("loads {monitor}"), monitor)));
    }
    for (key, map) in maps(document.root) {
        let source = map.get("source").filter(|_| key == "pluginConfig");
        if let Some(source) = source.filter(|source| source.text() == Some("dockerd")) {
            findings.push(finding(source, "watches the journal of dockerd", "dockerd"));
        }
        let log = map.get("logPath").filter(|log| is_log(log));
        findings.extend(log.map(|log| finding(log, "watches the log of dockerd", "docker.log")));
        let arguments = map.texts_of("args").into_iter();
        for argument in arguments {
            if is_component(argument) {
                let evidence = "--component=docker";
                findings.push(finding(argument, "checks the health of docker", evidence));
            } else if is_journal(argument) {
                findings.push(finding(
                    argument,
                    "counts lines of dockerd's journal",
                    "dockerd",
                ));
            }
        }
    }
}

/// True for the file to which dockerd's messages go where there is no journal.
fn is_log(path: &crate::embedded::Node) -> bool {
    let name = path.text().and_then(|path| path.rsplit('/').next());
    matches!(name, Some("docker.log" | "dockerd.log" | "docker"))
}

fn is_component(argument: &crate::embedded::Node) -> bool {
    let text = argument.text().unwrap_or_default();
    text.trim_start_matches('-') == "component=docker"
}

/// True for the flag of log-counter that names dockerd's journal.
fn is_journal(argument: &crate::embedded::Node) -> bool {
    let text = argument.text().unwrap_or_default();
    text.trim_start_matches('-') == "journald-source=dockerd"
}
