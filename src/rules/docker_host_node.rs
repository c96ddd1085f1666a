//! DKR301 docker-host-node: a Docker endpoint that leads to the node.

use super::{docker_tcp_on_node, host_paths};
use crate::analysis::endpoint::Endpoint;
use crate::analysis::{Container, Pod, resolve, sockets};
use crate::finding::{Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::budget::{keep, spend};
use crate::workload::pod::TextField;

pub(super) static RULE: Rule = Rule {
    code: "DKR301",
    name: "docker-host-node",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "DOCKER_HOST or an endpoint flag resolves to the node's Docker",
    reason: "no daemon on {nodes}",
    consequence: "every call through it fails",
    short_fix: "unset it or use BuildKit",
    page: include_str!("../../docs/rules/docker-host-node.md"),
    host_path: None,
    target: None,
    check: Check::Container(check),
};

fn check(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    if !container.mentions_docker() && container.env("DOCKER_HOST").is_none() {
        return;
    }
    for given in endpoints(container) {
        let Given {
            field, name, value, ..
        } = given;
        let endpoint = match given.expanded {
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
                .certainty(Certainty::Certain)
                .consequence(format!("it is the node's {}", host_paths::shown(&path)));
            if sockets::is_agent(container) && sockets::names_cri_socket(container) {
                finding
                    .advisory("one of several runtimes' sockets")
                    .consequence("the agent also names a CRI socket; drop this one")
            } else {
                finding
            }
        }
        Endpoint::NodeAddress { certain: true } => finding.certainty(Certainty::Certain),
        Endpoint::NodeOrPod => docker_tcp_on_node::shared_port(finding),
        Endpoint::Unknown => finding
            .certainty(Certainty::Possible)
            .reason("a ConfigMap or Secret decides")
            .consequence("if it names the node's Docker, every call through it fails"),
        _ => finding,
    }
}

/// Flags that name a Docker endpoint. Sources: cAdvisor (`--docker`), node agents
/// (`--docker-endpoint`), Traefik.
/// Go's flags take one hyphen or two, so there is none here.
const FLAGS: [&str; 4] = [
    "docker",
    "docker-endpoint",
    "docker-host",
    "providers.docker.endpoint",
];

/// What it costs to look at a text for such a flag.
const TEXT_STEPS: usize = 16;

/// Something that names a Docker endpoint.
struct Given<'c> {
    field: String,
    name: &'c str,
    /// As written; `None` where the value comes from another place.
    value: Option<&'c str>,
    /// As the container sees it.
    expanded: Option<&'c str>,
}

/// Everything in `container` that names a Docker endpoint.
fn endpoints<'c>(container: &'c Container<'_>) -> Vec<Given<'c>> {
    let mut found = Vec::new();
    let variables = container.raw.env.iter().enumerate();
    for (i, var) in variables.filter(|(_, var)| *var.name == *"DOCKER_HOST") {
        let value = var.value_from.is_none().then_some(var.value.as_str());
        let field = if value.is_some() {
            "value"
        } else {
            "valueFrom"
        };
        found.push(Given {
            field: format!("env[{i}].{field}"),
            name: var.name.as_str(),
            value,
            expanded: value.map(|value| container.expanded_text(TextField::Env(i), value)),
        });
    }
    let texts: Vec<_> = container
        .raw_texts()
        .filter(|(field, _)| !matches!(field, TextField::Env(_) | TextField::Hook(..)))
        .map(|(field, text)| (field, text.as_str()))
        .take_while(|text| spend(TEXT_STEPS) && keep(size_of_val(text)))
        .collect();
    let expanded = |at: usize| {
        let (field, text) = texts.get(at)?;
        Some(container.expanded_text(*field, text))
    };
    for (at, (field, text)) in texts.iter().enumerate() {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (*text, texts.get(at + 1).map(|(_, next)| *next)),
        };
        let seen = match expanded(at).and_then(|text| text.split_once('=')) {
            Some((_, value)) => Some(value),
            None => expanded(at + 1),
        };
        let flag = name
            .strip_prefix('-')
            .map(|rest| rest.strip_prefix('-').unwrap_or(rest));
        if flag.is_some_and(|flag| FLAGS.contains(&flag))
            && seen.is_some_and(|value| value.contains("://") || value.starts_with('/'))
        {
            found.push(Given {
                field: field.path(),
                name,
                value,
                expanded: seen,
            });
        }
    }
    found
}

/// `value` without user information, path and query: `tcp://user:secret@host/token?token=…` must
/// not reach a log. The path of a socket stays.
fn without_secrets(value: &str) -> String {
    let value = value.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match value.find("://") {
        Some(at) => value.split_at(at + 3),
        None => ("", value),
    };
    let is_path = ["unix://", "npipe://", "fd://"].contains(&scheme.to_ascii_lowercase().as_str());
    if is_path || scheme.is_empty() && (rest.starts_with('/') || rest.starts_with("npipe:")) {
        return value.to_owned();
    }
    // A password may hold a slash.
    let behind_user = rest.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let host = behind_user.split('/').next().unwrap_or_default();
    format!("{scheme}{host}")
}
