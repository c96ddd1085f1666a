//! DKR302 docker-socket-env: a variable or an argument that names a mounted Docker socket.

use super::{host_paths, signals};
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint::{self, Endpoint};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR302",
    name: "docker-socket-env",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a variable or argument other than DOCKER_HOST names a Docker socket that is mounted \
        from the node",
    reason: "no such socket on {nodes}",
    consequence: "the tool that reads it finds nothing there",
    short_fix: "name the CRI socket or unset it",
    page: include_str!("../../docs/rules/docker-socket-env.md"),
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in &pod.containers {
        for (field, path) in signals::socket_settings(container) {
            let Endpoint::NodeSocket(host_path) = endpoint::resolve(pod, container, &path) else {
                continue;
            };
            let mut finding = signals::setting_finding(&RULE, pod, container, field, &path);
            finding.consequence = format!("it is the node's {}", host_paths::shown(&host_path));
            if signals::names_cri_socket(container) {
                finding.certainty = Certainty::Possible;
                finding.impact = Impact::Advisory;
                finding.reason = "one of several runtimes' sockets".to_owned();
                finding.consequence =
                    "the container also names a CRI socket; drop this one".to_owned();
            }
            findings.push(finding);
        }
    }
}
