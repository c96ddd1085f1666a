//! What commands do to the Docker service of a node: start, stop and configure it.

use super::container::Container;
use super::docker_usage;
use super::pod::Pod;
use crate::workload::catalog;
use crate::workload::host_path::HostPath;
use crate::workload::shell::Invocation;

/// What PowerShell controls services with.
const POWERSHELL: [&str; 4] = [
    "Restart-Service",
    "Set-Service",
    "Start-Service",
    "Stop-Service",
];

/// True for a call that looks up dockerd's process.
pub(crate) fn asks_for_dockerd(invocation: &Invocation) -> bool {
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
pub(crate) fn service_act(invocation: &Invocation) -> Option<String> {
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

/// The files that `invocation` writes, and what writes each.
fn written_files(invocation: &Invocation) -> impl Iterator<Item = (&str, &String)> {
    let program = invocation.program();
    let words = invocation.arguments().iter();
    let words = words.filter(move |_| WRITERS.contains(&program));
    let words = words.map(move |word| (program, word));
    words.chain(invocation.written.iter().map(|word| (">", word)))
}

/// What `invocation`, in a script that nothing shows the place of, writes of dockerd's
/// configuration.
pub(crate) fn configuration_named(invocation: &Invocation) -> Option<String> {
    let mut files = written_files(invocation);
    let (program, file) = files.find(|(_, file)| {
        file.starts_with('/') && catalog::is_docker_configuration(&HostPath::new(file))
    })?;
    Some(format!("{program} {file}"))
}

/// What `invocation` writes of dockerd's configuration on the node, and whether that is less than
/// the daemon's own: certificates of a registry.
pub(crate) fn configuration_written(
    pod: &Pod<'_>,
    container: &Container<'_>,
    invocation: &Invocation,
) -> Option<(String, bool)> {
    written_files(invocation).find_map(|(program, word)| {
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
pub(crate) fn writes_beside(pod: &Pod<'_>, container: &Container<'_>, path: &HostPath) -> bool {
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
