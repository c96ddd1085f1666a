//! DKR302 docker-socket-env: a variable or an argument that names a mounted Docker socket.

use std::collections::HashSet;

use super::findings;
use crate::analysis::endpoint::Endpoint;
use crate::analysis::{Container, Pod, resolve, sockets};
use crate::finding::{Certainty, Check, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR302",
    name: "docker-socket-env",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "a variable or argument other than DOCKER_HOST names a Docker socket that is mounted \
        from the node",
    reason: "no such socket on {nodes}",
    consequence: "the tool that reads it finds nothing there",
    short_fix: "name the CRI socket or unset it",
    page: include_str!("../../docs/rules/docker-socket-env.md"),
    check: Check::Mentioning(|found| found.docker, check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let settings = sockets::socket_settings(container);
    let named: HashSet<&str> = settings.iter().map(|(_, path)| path.as_str()).collect();
    let mut in_scripts = sockets::sockets_of_processes(pod, container);
    in_scripts.retain(|(_, path)| !named.contains(path.as_str()));
    for (field, path) in settings.into_iter().chain(in_scripts) {
        let Endpoint::NodeSocket(host_path) = resolve::resolve(pod, container, &path) else {
            continue;
        };
        let finding = findings::setting_finding(&RULE, pod, container, field, &path);
        findings.push(findings::names_node_socket(finding, container, &host_path));
    }
}
