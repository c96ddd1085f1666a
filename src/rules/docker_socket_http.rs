//! DKR404 docker-socket-http: plain HTTP over the Docker socket.

use super::findings;
use crate::analysis::scripts::Script;
use crate::analysis::{Container, Pod, Workload, resolve};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};
use crate::workload::host_path::HostPath;
use crate::workload::shell::Invocation;

pub(super) static RULE: Rule = Rule {
    code: "DKR404",
    name: "docker-socket-http",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a command speaks to docker.sock with curl, nc or socat",
    reason: "no socket to answer on {nodes}",
    consequence: "the call fails",
    short_fix: "use the Kubernetes API",
    page: include_str!("../../docs/rules/docker-socket-http.md"),
    check: Check::Commands(check, check_script),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    for command in container.commands() {
        let invocation = &command.invocation;
        let fill = |path: &str| container.fill(path);
        let Some(socket) = socket_of(invocation, fill) else {
            continue;
        };
        let endpoint = resolve::resolve(pod, container, &socket);
        let on_host = resolve::way_to_node(pod, container, invocation).is_some();
        if endpoint.is_elsewhere() && !on_host {
            continue;
        }
        let program = invocation.program();
        let finding = findings::call_finding(
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

/// A script or a unit in a text.
fn check_script(workload: &Workload<'_>, script: &Script<'_>, findings: &mut Findings) {
    for command in &script.commands {
        if let Some(socket) = socket_of(&command.invocation, str::to_owned) {
            let shown = format!("{} {socket}", command.invocation.program());
            findings.push(findings::script_finding(
                &RULE, workload, script, command, &shown,
            ));
        }
    }
}

/// The Docker socket that a call of curl, nc or socat opens; `fill` puts in the values of
/// variables.
fn socket_of(invocation: &Invocation, fill: impl Fn(&str) -> String) -> Option<String> {
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
    let sockets = candidates.into_iter().map(fill);
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
