//! DKR401 docker-command: a call of the Docker client.

use super::findings;
use crate::analysis::endpoint;
use crate::analysis::scripts::Script;
use crate::analysis::{Container, Pod, Workload, docker_usage, resolve};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};
use crate::workload::shell::Invocation;

pub(super) static RULE: Rule = Rule {
    code: "DKR401",
    name: "docker-command",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a container runs docker or docker-compose against the node's daemon",
    reason: "no daemon to answer on {nodes}",
    consequence: "the call fails with \"Cannot connect to the Docker daemon\"",
    short_fix: "use kubectl, crictl or BuildKit",
    page: include_str!("../../docs/rules/docker-command.md"),
    check: Check::Commands(check, check_script),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let handles_others = docker_usage::handles_other_runtimes(container);
    let builds_elsewhere = docker_usage::has_remote_builder(container);
    let mut seen: Vec<String> = Vec::new();
    for command in container.commands() {
        let invocation = &command.invocation;
        if resolve::way_to_node(pod, container, invocation).is_some() {
            continue;
        }
        let Some(verb) = docker_usage::docker_verb(invocation) else {
            continue;
        };
        if docker_usage::asks_no_daemon(invocation, builds_elsewhere) {
            continue;
        }
        let call = shown(invocation, verb);
        let endpoint = resolve::of_invocation(pod, container, invocation);
        if endpoint.is_elsewhere() || seen.contains(&call) {
            continue;
        }
        let mut finding = findings::call_finding(&RULE, pod, container, command, &call)
            .what(format!("runs \"{call}\""));
        finding.short_fix = replacement(verb);
        findings.push(if handles_others {
            findings::for_several_runtimes(finding)
        } else if !endpoint.is_node() {
            finding
                .certainty(Certainty::Possible)
                .action(Action::Warn)
                .reason("no Docker endpoint is visible")
        } else {
            finding
        });
        seen.push(call);
    }
}

/// `docker VERB`, as messages show a call.
fn shown(invocation: &Invocation, verb: &str) -> String {
    match invocation.program() {
        "docker-compose" => "docker-compose".to_owned(),
        _ => format!("docker {verb}"),
    }
}

/// A script or a unit in a text.
fn check_script(workload: &Workload<'_>, script: &Script<'_>, findings: &mut Findings) {
    if script.starts_daemon() {
        return;
    }
    let builds_elsewhere = script.calls().any(docker_usage::creates_remote_builder);
    let mut seen: Vec<String> = Vec::new();
    for command in &script.commands {
        let invocation = &command.invocation;
        let Some(verb) = docker_usage::docker_verb(invocation) else {
            continue;
        };
        let call = shown(invocation, verb);
        let is_elsewhere = docker_usage::asks_no_daemon(invocation, builds_elsewhere);
        if is_elsewhere || endpoint::leads_elsewhere(invocation) || seen.contains(&call) {
            continue;
        }
        let mut finding = findings::script_finding(&RULE, workload, script, command, &call);
        finding.short_fix = replacement(verb);
        findings.push(finding);
        seen.push(call);
    }
}

/// What does the work of `docker VERB` in Kubernetes, or on a node without Docker.
fn replacement(verb: &str) -> &'static str {
    match verb {
        "build" | "builder" | "buildx" | "commit" | "import" | "load" | "push" | "save" | "tag" => {
            "build with BuildKit/Buildah"
        }
        "attach" | "exec" => "use kubectl exec",
        "compose" | "service" | "stack" | "swarm" => "write Deployments and Services",
        "container" | "node" | "ps" => "use kubectl get",
        "cp" | "export" => "use kubectl cp",
        "create" | "run" | "start" => "create a Pod or a Job",
        "events" => "use kubectl events",
        "inspect" | "port" => "use kubectl describe",
        "kill" | "restart" | "rm" | "stop" => "use kubectl delete pod",
        "login" | "logout" | "search" => "use crane or skopeo",
        "logs" => "use kubectl logs",
        "stats" | "top" => "use kubectl top",
        "network" | "plugin" | "system" | "volume" => "leave it to kubelet",
        _ => "use crictl on the node",
    }
}
