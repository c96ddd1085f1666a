//! DKR404 docker-socket-http: plain HTTP over the Docker socket.

use super::signals;
use crate::finding::{Certainty, Check, Findings, Impact, Rule};
use crate::workload::endpoint;
use crate::workload::host_path::HostPath;
use crate::workload::pod::{Container, Pod};
use crate::workload::shell::Invocation;

pub(super) static RULE: Rule = Rule {
    code: "DKR404",
    name: "docker-socket-http",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a command speaks to docker.sock with curl, nc or socat",
    reason: "no socket to answer on {nodes}",
    consequence: "the call fails",
    short_fix: "use the Kubernetes API",
    page: include_str!("../../docs/rules/docker-socket-http.md"),
    host_path: None,
    target: None,
    check: Check::Mentioning(|found| found.docker, check),
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    for command in container.commands() {
        let invocation = &command.invocation;
        let Some(socket) = socket_of(container, invocation) else {
            continue;
        };
        let endpoint = endpoint::resolve(pod, container, &socket);
        let on_host = signals::way_to_node(pod, container, invocation).is_some();
        if endpoint.is_elsewhere() && !on_host {
            continue;
        }
        let program = invocation.program();
        let finding = signals::call_finding(
            &RULE,
            pod,
            container,
            command,
            &format!("{program} {socket}"),
        )
        .what(format!("calls {socket} with {program}"));
        findings.push(if endpoint.is_node() || on_host {
            finding
        } else {
            finding
                .certainty(Certainty::Possible)
                .reason("no such socket is mounted")
        });
    }
}

/// The Docker socket that a call of curl, nc or socat opens.
fn socket_of(container: &Container<'_>, invocation: &Invocation) -> Option<String> {
    let words = || invocation.arguments().iter().map(String::as_str);
    let is_nc_client = || {
        words().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('U'))
    };
    let candidates: Vec<&str> = match invocation.program() {
        "curl" => {
            let separate = words()
                .zip(words().skip(1))
                .filter(|(flag, _)| matches!(*flag, "--unix-socket" | "--abstract-unix-socket"));
            separate
                .map(|(_, path)| path)
                .chain(words().filter_map(|word| word.strip_prefix("--unix-socket=")))
                .collect()
        }
        "nc" | "ncat" | "netcat" if is_nc_client() || words().any(|word| word == "--unixsock") => {
            words().collect()
        }
        "socat" => words().filter_map(socat_client).collect(),
        _ => return None,
    };
    let sockets = candidates
        .into_iter()
        .map(|path| endpoint::fill(container, path));
    sockets
        .into_iter()
        .find(|path| HostPath::new(path).file_name() == "docker.sock")
}

/// The path of an address with which socat connects to a socket.
fn socat_client(word: &str) -> Option<&str> {
    const KINDS: [&str; 3] = ["unix", "unix-client", "unix-connect"];
    let (kind, path) = word.split_once(':')?;
    KINDS
        .contains(&kind.to_ascii_lowercase().as_str())
        .then(|| path.split(',').next().unwrap_or_default())
}
