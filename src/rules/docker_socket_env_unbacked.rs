//! DKR303 docker-socket-env-unbacked: a variable or an argument that names a Docker socket which
//! nothing mounts.

use super::findings;
use crate::analysis::endpoint::Endpoint;
use crate::analysis::{Container, Pod, resolve, sockets};
use crate::finding::{Action, Certainty, Check, Findings, Impact, Rule};
use crate::workload::pod::TextField;

pub(super) static RULE: Rule = Rule {
    code: "DKR303",
    name: "docker-socket-env-unbacked",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    action: Some(Action::Warn),
    needs_docker_absent: false,
    summary: "a variable or argument names a Docker socket, and nothing is mounted there",
    reason: "nothing is mounted there",
    consequence: "it has no effect today, or something else mounts the socket",
    short_fix: "unset it",
    page: include_str!("../../docs/rules/docker-socket-env-unbacked.md"),
    check: Check::Mentioning(|found| found.docker, check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if pod.daemon().is_some() {
        return;
    }
    let variables = container.raw.env.iter().enumerate();
    let hosts = variables
        .filter(|(_, var)| *var.name == *"DOCKER_HOST")
        .filter_map(|(i, var)| {
            let path = sockets::named_socket(container, &var.value)?;
            Some((TextField::Env(i), path))
        });
    for (field, path) in hosts.chain(sockets::socket_settings(container)) {
        if resolve::resolve(pod, container, &path) == Endpoint::NotMounted {
            let finding = findings::setting_finding(&RULE, pod, container, field, &path);
            findings.push(finding);
        }
    }
}
