//! DKR403 docker-service-control: control of the node's Docker service.

use super::configuration::scripts;
use super::findings;
use crate::analysis::scripts::Script;
use crate::analysis::{Container, Pod, Workload, docker_usage};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};
use crate::workload::catalog;
use crate::workload::host_path::HostPath;
use crate::workload::shell::Invocation;

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
    page: include_str!("../../docs/rules/docker-service-control.md"),
    host_path: None,
    target: None,
    check: Check::Commands(check, check_script),
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
        if let Some(act) = service_act(&command.invocation) {
            findings.push(scripts::finding(&RULE, workload, script, command, &act));
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

/// What a call does to the Docker service: `systemctl docker restart`, `pkill dockerd`,
/// `writes /etc/docker/daemon.json`.
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
        _ => None,
    }
}

/// Programs that write the files that they name.
const WRITERS: [&str; 13] = [
    "cp", "curl", "dd", "install", "ln", "mv", "perl", "rsync", "sed", "sponge", "tee", "wget",
    "yq",
];

/// What `invocation` writes of dockerd's configuration on the node, and whether that is less than
/// the daemon's own: certificates of a registry.
fn configuration_written(
    pod: &Pod<'_>,
    container: &Container<'_>,
    invocation: &Invocation,
) -> Option<(String, bool)> {
    let program = invocation.program();
    let words = invocation.arguments().iter();
    let words = words.filter(|_| WRITERS.contains(&program));
    let words = words.map(|word| (program, word));
    let written = invocation.written.iter().map(|word| (">", word));
    words.chain(written).find_map(|(program, word)| {
        let path = docker_usage::path_on_node(pod, container, invocation, word)?;
        let is_minor = path.is_within("/etc/docker/certs.d");
        let shown = match is_minor {
            true => "/etc/docker/certs.d",
            // A file that is put into the directory is the daemon's.
            false => path.as_str(),
        };
        catalog::is_docker_configuration(&path).then(|| (format!("{program} {shown}"), is_minor))
    })
}

/// True if a command of `container` writes below the directory of `path`, which is a file of
/// dockerd's configuration.
pub(super) fn writes_beside(pod: &Pod<'_>, container: &Container<'_>, path: &HostPath) -> bool {
    let directory = if path.is_within("/etc/docker") {
        "/etc/docker"
    } else {
        path.as_str()
    };
    container.commands().iter().any(|command| {
        let written = configuration_written(pod, container, &command.invocation);
        written.is_some_and(|(act, _)| {
            let (_, file) = act.split_once(' ').unwrap_or_default();
            HostPath::new(file).is_within(directory)
        })
    })
}
