//! DKR304 docker-tcp-on-node: Docker's TCP ports on the node.

use super::signals;
use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR304",
    name: "docker-tcp-on-node",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a container addresses port 2375 or 2376 of its node",
    reason: "no daemon on {nodes}",
    consequence: "and today the port gives everyone who reaches it control of the node",
    short_fix: "use the Kubernetes API",
    fix: "Use the Kubernetes API, or a docker:dind in the same Pod; close the port on the nodes.",
    why: "dockerd on TCP is an API without authentication (2375) or with client certificates (2376). On a node without Docker nothing listens there.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    args: ["--endpoint", "http://$(NODE_IP):2375"]
    env:
    - name: NODE_IP
      valueFrom:
        fieldRef:
          fieldPath: status.hostIP
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
"#,
    not_flagged: "The ports on localhost of a Pod without hostNetwork, on a Service, or as containerPort of a Docker-in-Docker daemon.",
    references: &[
        "drone/charts: charts/drone-runner-docker",
        "https://docs.docker.com/engine/security/protect-access/",
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
        .filter(|container| container.mentions().docker_port)
    {
        for (field, text) in container.all_texts() {
            let is_on_node = |host: &str| endpoint::of_host(pod, host).is_node();
            let mut addresses = docker_addresses(text)
                .map(|(host, port)| (endpoint::fill(container, host), port))
                .take(MAX_ADDRESSES);
            let Some((host, port)) = addresses.find(|(host, _)| is_on_node(host)) else {
                continue;
            };
            let evidence = format!("{host}:{port}");
            let field_path = format!("{}.{}", pod.container_path(container), field.path());
            let what = format!(
                "addresses {evidence} in {}",
                signals::describe(container, field)
            );
            findings.push(Finding::in_container(
                &RULE, container, what, field_path, &evidence,
            ));
        }
    }
}

/// Addresses of one text that are looked at; each may ask for variables.
const MAX_ADDRESSES: usize = 64;

/// The hosts in front of `:2375` or `:2376` in `text`, and the port.
fn docker_addresses(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let ports = memchr::memchr_iter(b':', text.as_bytes()).filter(|&at| {
        let rest = &text.as_bytes()[at + 1..];
        (rest.starts_with(b"2375") || rest.starts_with(b"2376"))
            && !rest.get(4).is_some_and(u8::is_ascii_digit)
    });
    ports.filter_map(|at| {
        // As a host holds no colon outside of brackets, each is looked for behind the colon before.
        let front = &text[..at];
        let host = match front.strip_suffix(']') {
            Some(inside) => &inside[inside.rfind('[')? + 1..],
            None => {
                &front[front.rfind(|c: char| !is_of_host(c)).map_or(0, |i| {
                    i + front[i..].chars().next().map_or(1, char::len_utf8)
                })..]
            }
        };
        (!host.is_empty()).then(|| (host, &text[at + 1..at + 5]))
    })
}

fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-$(){}".contains(c)
}
