//! DKR403 docker-service-control: control of the node's Docker service.

use super::findings;
use crate::analysis::scripts::Script;
use crate::analysis::service_control::{
    asks_for_dockerd, configuration_named, configuration_written, service_act,
};
use crate::analysis::{Container, Pod, Workload, docker_usage};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR403",
    name: "docker-service-control",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a command starts, stops or configures the node's Docker service",
    reason: "no Docker service on {nodes}",
    consequence: "the unit and its configuration do not exist there",
    short_fix: "control the new runtime",
    page: include_str!("../../docs/rules/docker-service-control.md"),
    check: Check::Commands(check, check_script),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let handles_others = docker_usage::handles_other_runtimes(container);
    let finds_dockerd = container
        .commands()
        .iter()
        .any(|command| asks_for_dockerd(&command.invocation));
    for command in container.commands() {
        let invocation = &command.invocation;
        let kills = finds_dockerd && invocation.program() == "kill";
        let act = service_act(invocation).or(kills.then(|| "kill dockerd".to_owned()));
        let written = || configuration_written(pod, container, invocation);
        let (act, is_minor) = match act.map(|act| (act, false)).or_else(written) {
            Some(act) => act,
            None => continue,
        };
        let on_host = invocation.on_host.is_some();
        // The service of a container in its own namespaces is Docker-in-Docker.
        let is_own = act.ends_with(" start") || pod.is_daemon(container);
        if is_own && !on_host && !pod.spec.host_pid.0 {
            continue;
        }
        let finding = findings::call_finding(&RULE, pod, container, command, &act)
            .what(format!("runs \"{act}\""));
        findings.push(if handles_others {
            findings::for_several_runtimes(finding)
        } else if is_minor {
            finding
                .action(Action::Warn)
                .reason("has no effect on {nodes}")
                .consequence("nothing reads it there; containerd has /etc/containerd/certs.d")
        } else if on_host {
            finding.certainty(Certainty::Certain)
        } else {
            finding
        });
    }
}

/// A script or a unit in a text.
fn check_script(workload: &Workload<'_>, script: &Script<'_>, findings: &mut Findings) {
    if script.starts_daemon() {
        return;
    }
    for command in &script.commands {
        let invocation = &command.invocation;
        if let Some(act) = service_act(invocation).or_else(|| configuration_named(invocation)) {
            findings.push(findings::script_finding(
                &RULE, workload, script, command, &act,
            ));
        }
    }
}
