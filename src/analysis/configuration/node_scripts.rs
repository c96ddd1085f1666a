//! What a command or a script for new nodes does with Docker, and the flags of their kubelet.

use crate::analysis::scripts::{code_lines, place_of};
use crate::workload::search::mentions;
use crate::workload::shell::{Invocation, read_script};

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
pub(super) const PACKAGERS: [&str; 8] = [
    "amazon-linux-extras",
    "apk",
    "apt",
    "apt-get",
    "dnf",
    "tdnf",
    "yum",
    "zypper",
];

/// Something that a script does, and where in its text it stands, as far as that is known.
pub(crate) type Act = (String, Option<usize>);

/// What a command or a script for new nodes does with Docker, in order.
pub(crate) fn installs_docker(text: &str) -> Vec<Act> {
    if !mentions(text, "docker") || !text.contains([' ', '\n']) {
        return Vec::new();
    }
    acts(text, |call| {
        brings_docker(call).or_else(|| selects_docker(call, text))
    })
}

/// Where a script makes Docker the runtime of Kubernetes, whoever runs it.
pub(crate) fn selections(text: &str) -> Vec<Act> {
    acts(text, |call| selects_docker(call, text))
}

fn acts(text: &str, act: impl Fn(&Invocation) -> Option<String>) -> Vec<Act> {
    let calls = read_script(text).into_iter();
    let of_calls = calls.filter_map(|call| Some((act(&call)?, place_of(&call, text))));
    of_calls.chain(k3s_variables(text)).collect()
}

/// A call that installs Docker on its machine, starts it or uses it.
fn brings_docker(call: &Invocation) -> Option<String> {
    let words = || call.arguments().iter().map(String::as_str);
    let program = call.program();
    // Who switches Docker off, or asks for it, brings none.
    const OTHER_VERBS: [&str; 7] = [
        "disable",
        "is-active",
        "is-enabled",
        "mask",
        "show",
        "status",
        "stop",
    ];
    let is_service = matches!(program, "systemctl" | "service")
        && words().any(|word| matches!(word, "docker" | "docker.service" | "docker.socket"))
        && !words().any(|word| OTHER_VERBS.contains(&word));
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
    // Docker's own script of installation.
    if words().any(|word| mentions(word, "get.docker.com")) {
        return Some(format!("{program} get.docker.com"));
    }
    let installs = matches!(verb(), "install" | "add") && PACKAGERS.contains(&program);
    let package = words().find(|word| {
        let name = word.split('=').next().unwrap_or_default();
        installs && DOCKER_PACKAGES.contains(&name)
    });
    package.map(|package| format!("{program} {} {package}", verb()))
}

/// A call in `script` that makes Docker the runtime of a node. Sources: docs.k3s.io
/// (`--docker` of its server, agent and installation), kubernetes.io (kubeadm's `--cri-socket`).
fn selects_docker(call: &Invocation, script: &str) -> Option<String> {
    let words = || call.arguments().iter().map(String::as_str);
    let program = call.program();
    let role = words().find(|word| matches!(*word, "server" | "agent"));
    // The installation is a script from the standard input: `curl … | sh -s - server --docker`.
    let is_installation = || {
        let reads_input = words().any(|word| word == "-s");
        program.ends_with("sh") && reads_input && role.is_some() && mentions(script, "k3s")
    };
    if words().any(is_k3s_flag) && (program == "k3s" || is_installation()) {
        return Some(format!("k3s {} --docker", role.unwrap_or_default()).replace("  ", " "));
    }
    if program == "kubeadm" {
        let flag = "--cri-socket";
        let mut pairs = call.arguments().windows(2).filter(|pair| pair[0] == flag);
        let separate = pairs.next().map(|pair| pair[1].as_str());
        let joined = || words().find_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
        let socket = separate.or_else(joined);
        let socket = socket.filter(|socket| is_docker_endpoint(socket))?;
        return Some(format!("kubeadm {flag}={socket}"));
    }
    let flag = selecting_flag(&call.arguments().join(" "))?;
    Some(format!("{program} {flag}"))
}

fn is_k3s_flag(word: &str) -> bool {
    matches!(word, "--docker" | "--docker=true")
}

/// The variable with the flags of k3s for its installation.
pub(super) const K3S_VARIABLE: &str = "INSTALL_K3S_EXEC";

/// True for a value of it that selects Docker.
pub(super) fn selects_docker_for_k3s(value: &str) -> bool {
    value.split([' ', '\t', '"', '\'']).any(is_k3s_flag)
}

/// Assignments of that variable in a script.
fn k3s_variables(script: &str) -> impl Iterator<Item = Act> {
    let lines = code_lines(script).filter(|(_, line)| mentions(line, K3S_VARIABLE));
    lines.filter_map(|(start, line)| {
        let at = line.find(K3S_VARIABLE)?;
        let value = line[at..].strip_prefix(K3S_VARIABLE)?.strip_prefix('=')?;
        let value = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split(quote).next()?,
            _ => value.split_whitespace().next()?,
        };
        selects_docker_for_k3s(value).then(|| (format!("{K3S_VARIABLE}={value}"), Some(start + at)))
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
pub(crate) fn is_docker_endpoint(endpoint: &str) -> bool {
    let sockets = ["dockershim", "cri-dockerd", "/docker.sock"];
    sockets.iter().any(|name| mentions(endpoint, name))
}
