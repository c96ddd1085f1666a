//! What a command or a script for new nodes does with Docker, and the flags of their kubelet.

use crate::workload::search::mentions;
use crate::workload::shell::read_script;

/// Docker's engine in the packages of distributions.
pub(super) const DOCKER_PACKAGES: [&str; 7] = [
    "docker",
    "docker-ce",
    "docker-ee",
    "docker-engine",
    "docker.io",
    "moby",
    "moby-engine",
];

/// Programs that install packages.
const PACKAGERS: [&str; 8] = [
    "amazon-linux-extras",
    "apk",
    "apt",
    "apt-get",
    "dnf",
    "tdnf",
    "yum",
    "zypper",
];

/// What a command or a script for new nodes does with Docker.
pub(in crate::rules) fn installs_docker(text: &str) -> Option<String> {
    if !mentions(text, "docker") || !text.contains([' ', '\n']) {
        return None;
    }
    read_script(text).into_iter().find_map(|call| {
        let words = || call.arguments().iter().map(String::as_str);
        let program = call.program();
        let is_service = matches!(program, "systemctl" | "service")
            && words().any(|word| matches!(word, "docker" | "docker.service" | "docker.socket"));
        let verb = || {
            words()
                .find(|word| !word.starts_with('-'))
                .unwrap_or_default()
        };
        if is_service {
            return Some(format!("{program} {} docker", verb()));
        }
        if program == "docker" || program == "dockerd" {
            return Some(format!("{program} {}", verb()).trim_end().to_owned());
        }
        let installs = matches!(verb(), "install" | "add") && PACKAGERS.contains(&program);
        let package = words().find(|word| {
            let name = word.split('=').next().unwrap_or_default();
            installs && DOCKER_PACKAGES.contains(&name)
        });
        if let Some(package) = package {
            return Some(format!("{program} {} {package}", verb()));
        }
        if program == "k3s" && words().any(|word| word == "--docker") {
            return Some(format!("k3s {} --docker", verb()));
        }
        let flag = selecting_flag(&call.arguments().join(" "))?;
        Some(format!("{program} {flag}"))
    })
}

/// `--container-runtime=docker` in the flags of a kubelet, or the socket of dockershim or
/// cri-dockerd.
pub(super) fn selecting_flag(flags: &str) -> Option<String> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\');
    let at = flags.find("--container-runtime")?;
    let mut words = flags[at..].split(is_end).filter(|word| !word.is_empty());
    let first = words.next()?;
    let (flag, value) = match first.split_once('=') {
        Some(pair) => pair,
        None => (first, words.next()?),
    };
    let is_docker = match flag {
        "--container-runtime" => matches!(value, "docker" | "dockerd"),
        "--container-runtime-endpoint" => is_docker_endpoint(value),
        _ => false,
    };
    if !is_docker {
        // The endpoint usually follows the runtime.
        return selecting_flag(&flags[at + "--container-runtime".len()..]);
    }
    Some(format!("{flag}={value}"))
}

/// True for the socket of Docker behind the CRI.
pub(in crate::rules) fn is_docker_endpoint(endpoint: &str) -> bool {
    let sockets = ["dockershim", "cri-dockerd", "/docker.sock"];
    sockets.iter().any(|name| mentions(endpoint, name))
}
