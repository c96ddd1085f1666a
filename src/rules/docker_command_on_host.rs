//! DKR402 docker-command-on-host: the node's own Docker client, called from a Pod.

use super::findings;
use crate::analysis::{Container, Pod, docker_usage, resolve};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR402",
    name: "docker-command-on-host",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a container enters the node with nsenter or chroot and runs docker there",
    reason: "no docker on {nodes}",
    consequence: "the node has neither the client nor the daemon",
    short_fix: "use crictl on the node",
    page: include_str!("../../docs/rules/docker-command-on-host.md"),
    check: Check::Mentioning(|found| found.docker, check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let handles_others = docker_usage::handles_other_runtimes(container);
    let mut seen: Vec<String> = Vec::new();
    for command in container.commands() {
        let invocation = &command.invocation;
        let Some(way) = resolve::way_to_node(pod, container, invocation) else {
            continue;
        };
        // There is no client on the node, whatever it is asked for.
        let verb = docker_usage::docker_verb(invocation);
        if verb.is_none() && invocation.program() != "docker" {
            continue;
        }
        let called = [way, invocation.program()].into_iter().chain(verb);
        let call = called.collect::<Vec<_>>().join(" ");
        if seen.contains(&call) {
            continue;
        }
        let finding = findings::call_finding(&RULE, pod, container, command, &call)
            .what(format!("runs \"{call}\" on the node"));
        findings.push(if handles_others {
            findings::for_several_runtimes(finding)
        } else if way == "nsenter" && !pod.spec.host_pid.0 {
            finding.certainty(Certainty::Likely)
        } else {
            finding
        });
        seen.push(call);
    }
}
