//! DKR303 docker-socket-env-unbacked: a variable or an argument that names a Docker socket which nothing mounts.

use super::signals;
use crate::finding::{Action, Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint::{self, Endpoint};
use crate::workload::pod::TextField;

/// The declaration; messages, pages and metrics come from it.
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
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = workload.pod.as_ref().filter(|pod| pod.daemon().is_none()) else {
        return;
    };
    for container in &pod.containers {
        let docker_host = container
            .raw
            .env
            .iter()
            .enumerate()
            .filter(|(_, var)| *var.name == *"DOCKER_HOST");
        let hosts = docker_host.filter_map(|(i, var)| {
            Some((
                TextField::Env(i),
                signals::named_socket(container, &var.value)?,
            ))
        });
        for (field, path) in hosts.chain(signals::socket_settings(container)) {
            if endpoint::resolve(pod, container, &path) == Endpoint::NotMounted {
                findings.push(signals::setting_finding(
                    &RULE, pod, container, field, &path,
                ));
            }
        }
    }
}
