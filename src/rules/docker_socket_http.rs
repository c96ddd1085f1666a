//! DKR404 docker-socket-http: plain HTTP over the Docker socket.

use super::signals;
use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint;
use crate::workload::host_path::HostPath;
use crate::workload::pod::Container;
use crate::workload::shell::Invocation;

/// The declaration; messages, pages and metrics come from it.
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
    fix: "Ask the Kubernetes API for the same facts, or crictl on the node.",
    why: "curl --unix-socket and its kin are Docker clients without the name. They fail as docker itself does.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    command: ["sh", "-c", "curl --unix-socket /var/run/docker.sock http://docker/containers/json"]
    volumeMounts:
    - name: sock
      mountPath: /var/run/docker.sock
  volumes:
  - name: sock
    hostPath:
      path: /var/run/docker.sock
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.k8s.io/kubectl:v1.34.0
    command: ["kubectl", "get", "pods", "-o", "json"]
"#,
    not_flagged: "The same against a socket in a volume of the Pod; file tests such as ls -S on the socket.",
    references: &[
        "jenkinsci/kubernetes-plugin: examples/dind.groovy",
        "https://docs.docker.com/reference/api/engine/",
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
            let call = format!("{} {socket}", invocation.program());
            let field = format!("{}.{}", pod.container_path(container), command.field);
            let mut finding = Finding::in_container(
                &RULE,
                container,
                format!("calls {socket} with {}", invocation.program()),
                field,
                &call,
            );
            if !endpoint.is_node() && !on_host {
                finding.certainty = Certainty::Possible;
                finding.reason = "no such socket is mounted".to_owned();
            }
            findings.push(finding);
        }
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
