//! DKR403 docker-service-control: control of the node's Docker service.

use super::signals;
use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::shell::Invocation;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR403",
    name: "docker-service-control",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a command starts, stops or configures the node's Docker service",
    reason: "no Docker service on {nodes}",
    consequence: "the unit and its configuration do not exist there",
    short_fix: "control the new runtime",
    fix: "Restart containerd or CRI-O instead, and configure them in /etc/containerd or /etc/crio.",
    why: "Restarting Docker and editing its files from privileged Pods is the first thing that the Kubernetes migration guide asks to look for. Neither has any effect on the new runtime.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  hostPID: true
  containers:
  - name: app
    image: registry.example/debian:12
    command: ["nsenter", "-t", "1", "-m", "--", "systemctl", "restart", "docker"]
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  hostPID: true
  containers:
  - name: app
    image: registry.example/debian:12
    command: ["nsenter", "-t", "1", "-m", "--", "systemctl", "restart", "containerd"]
"#,
    not_flagged: "Questions (systemctl status, is-active), and a container that starts a Docker daemon of its own. Scripts that also handle another runtime are only recorded.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/check-if-dockershim-removal-affects-you/",
        "litmuschaos/chaos-charts: faults/kubernetes/docker-service-kill",
    ],
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions_docker())
    {
        let handles_others =
            signals::is_agent(container) && signals::handles_other_runtimes(container);
        let finds_dockerd = container
            .commands()
            .iter()
            .any(|command| asks_for_dockerd(&command.invocation));
        for command in container.commands() {
            let invocation = &command.invocation;
            let kills = || {
                (finds_dockerd && invocation.program() == "kill").then(|| "kill dockerd".to_owned())
            };
            let Some(act) = service_act(invocation).or_else(kills) else {
                continue;
            };
            let on_host = invocation.on_host.is_some();
            // The service of a container in its own namespaces is Docker-in-Docker.
            if !on_host
                && !pod.spec.host_pid.0
                && (act.ends_with(" start") || pod.is_daemon(container))
            {
                continue;
            }
            let field = format!("{}.{}", pod.container_path(container), command.field);
            let mut finding =
                Finding::in_container(&RULE, container, format!("runs \"{act}\""), field, &act);
            if handles_others {
                signals::soften_for_other_runtimes(&mut finding);
            } else if on_host {
                finding.certainty = Certainty::Certain;
            }
            findings.push(finding);
        }
    }
}

/// What PowerShell controls services with.
const POWERSHELL: [&str; 4] = [
    "Restart-Service",
    "Set-Service",
    "Start-Service",
    "Stop-Service",
];

/// True for a call that looks up dockerd's process.
fn asks_for_dockerd(invocation: &Invocation) -> bool {
    let names = |name: &str| {
        invocation
            .arguments()
            .iter()
            .any(|word| word.ends_with(name))
    };
    match invocation.program() {
        "pidof" | "pgrep" => names("dockerd"),
        "cat" => names("/docker.pid"),
        _ => false,
    }
}

/// What a call does to the Docker service: `systemctl docker restart`, `pkill dockerd`, `writes /etc/docker/daemon.json`.
fn service_act(invocation: &Invocation) -> Option<String> {
    const VERBS: [&str; 10] = [
        "start",
        "stop",
        "restart",
        "reload",
        "try-restart",
        "reload-or-restart",
        "enable",
        "disable",
        "mask",
        "kill",
    ];
    let words = invocation.arguments();
    let is_docker = |word: &String| {
        matches!(
            word.as_str(),
            "docker" | "docker.service" | "docker.socket" | "dockerd"
        )
    };
    let verb = || words.iter().find(|word| VERBS.contains(&word.as_str()));
    let is_configuration = |word: &String| {
        word == "/etc/docker/daemon.json" || word.ends_with("/etc/docker/daemon.json")
    };
    let writes = |files: &[String]| files.iter().any(is_configuration);
    match invocation.program() {
        "systemctl" | "service" | "rc-service" | "snap" | "initctl"
            if words.iter().any(is_docker) =>
        {
            Some(format!("{} docker {}", invocation.program(), verb()?))
        }
        "docker" if invocation.words[0].contains("/init.d/") => {
            Some(format!("init.d/docker {}", verb()?))
        }
        "net" | "sc" if words.iter().any(is_docker) => {
            Some(format!("{} docker {}", invocation.program(), verb()?))
        }
        program
            if POWERSHELL
                .iter()
                .any(|name| name.eq_ignore_ascii_case(program))
                && words.iter().any(is_docker) =>
        {
            Some(format!("{program} docker"))
        }
        "pkill" | "killall" if words.iter().any(is_docker) => {
            Some(format!("{} dockerd", invocation.program()))
        }
        "tee" | "cp" | "mv" | "sed" | "install" if writes(words) => {
            Some(format!("{} /etc/docker/daemon.json", invocation.program()))
        }
        _ if writes(&invocation.written) => Some("> /etc/docker/daemon.json".to_owned()),
        _ => None,
    }
}
