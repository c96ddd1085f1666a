//! DKR301 docker-host-node: a Docker endpoint that leads to the node.

use super::findings;
use crate::analysis::endpoint::Endpoint;
use crate::analysis::endpoint_settings::{EndpointSetting, endpoint_settings, without_secrets};
use crate::analysis::{Container, Pod, resolve};
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR301",
    name: "docker-host-node",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    summary: "DOCKER_HOST or an endpoint flag resolves to the node's Docker",
    reason: "no daemon on {nodes}",
    consequence: "every call through it fails",
    short_fix: "unset it or use BuildKit",
    page: include_str!("../../docs/rules/docker-host-node.md"),
    check: Check::Container(check),
    ..Rule::BASE
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if !container.mentions_docker() && container.env("DOCKER_HOST").is_none() {
        return;
    }
    for setting in endpoint_settings(container) {
        let EndpointSetting {
            field,
            name,
            value,
            expanded,
        } = setting;
        let endpoint = match expanded {
            // Clients take an empty one for none.
            Some(value) if value.trim().is_empty() => continue,
            Some(value) => resolve::resolve(pod, container, value),
            None => container.endpoint(pod).clone(),
        };
        let is_unresolved =
            value.is_none() && endpoint == Endpoint::Unknown && pod.daemon().is_none();
        let is_shared = endpoint == Endpoint::NodeOrPod;
        if !endpoint.is_node() && !is_unresolved && !is_shared {
            continue;
        }
        let shown = match value {
            Some(value) => format!("{name}={}", without_secrets(value)),
            None if is_unresolved => format!("{name} from a source outside the object"),
            None => format!("{name} from the node's address"),
        };
        let finding = Finding::new(&RULE)
            .in_container(pod, container, field)
            .what(format!("sets {shown}"))
            .evidence(&shown);
        findings.push(judged(finding, container, name, endpoint));
    }
}

/// `finding` for the setting `name` of `container`, which leads to `endpoint`.
fn judged(finding: Finding, container: &Container<'_>, name: &str, endpoint: Endpoint) -> Finding {
    match endpoint {
        Endpoint::NodeSocket(path) => {
            // However the socket is called inside, it is the same one.
            let finding = finding
                .identity(format!("{name}={path}"))
                .certainty(Certainty::Certain);
            findings::names_node_socket(finding, container, &path)
        }
        Endpoint::NodeAddress { certain: true } => finding.certainty(Certainty::Certain),
        Endpoint::NodeOrPod => findings::shared_port(finding),
        Endpoint::Unknown => finding
            .certainty(Certainty::Possible)
            .reason("a ConfigMap or Secret decides")
            .consequence("if it names the node's Docker, every call through it fails"),
        _ => finding,
    }
}
