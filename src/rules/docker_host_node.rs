//! DKR301 docker-host-node: a Docker endpoint that leads to the node.

use super::{host_paths, signals};
use crate::finding::{Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint::{self, Endpoint};
use crate::workload::pod::{Container, TextField};
use crate::workload::text::Text;

/// The declaration; messages, pages and metrics come from it.
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
    fix: "Unset it and use the Kubernetes API, or point it to a builder that is not the node: BuildKit, or a docker:dind in the same Pod.",
    why: "The endpoint is resolved as the container would: a socket path through the volume mounted there, an address through the network that it lies in. It ends at the node's dockerd.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    env:
    - name: DOCKER_HOST
      value: unix:///host/run/docker.sock
    volumeMounts:
    - name: run
      mountPath: /host/run
  volumes:
  - name: run
    hostPath:
      path: /var/run
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    env:
    - name: DOCKER_HOST
      value: tcp://localhost:2376
  - name: dind
    image: docker:27-dind
    securityContext:
      privileged: true
"#,
    not_flagged: "A socket in an emptyDir, localhost without hostNetwork, a Service, ssh://, and a path where nothing is mounted (DKR303). A value from a ConfigMap or Secret is a warning at most.",
    references: &[
        "actions/actions-runner-controller: charts/gha-runner-scale-set",
        "google/cadvisor: docs/runtime_options.md",
    ],
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions_docker() || container.env("DOCKER_HOST").is_some())
    {
        for Given {
            field,
            name,
            value,
            expanded,
        } in endpoints(container)
        {
            let endpoint = match expanded {
                Some(value) => endpoint::resolve(pod, container, value),
                None => container.endpoint(pod).clone(),
            };
            let is_unresolved =
                value.is_none() && endpoint == Endpoint::Unknown && pod.daemon().is_none();
            if !endpoint.is_node() && !is_unresolved {
                continue;
            }
            let source = if is_unresolved {
                "a source outside the object"
            } else {
                "the node's address"
            };
            let shown = value.map_or_else(
                || format!("{name} from {source}"),
                |value| format!("{name}={}", without_secrets(value)),
            );
            let field = format!("{}.{field}", pod.container_path(container));
            let mut finding =
                Finding::in_container(&RULE, container, format!("sets {shown}"), field, &shown);
            match endpoint {
                Endpoint::NodeSocket(path) => {
                    // However the socket is called inside, it is the same one.
                    finding.identity = format!("{name}={path}");
                    finding.certainty = Certainty::Certain;
                    finding.consequence = format!("it is the node's {}", host_paths::shown(&path));
                    if signals::is_agent(container) && signals::names_cri_socket(container) {
                        finding.certainty = Certainty::Possible;
                        finding.impact = Impact::Advisory;
                        finding.reason = "one of several runtimes' sockets".to_owned();
                        finding.consequence =
                            "the agent also names a CRI socket; drop this one".to_owned();
                    }
                }
                Endpoint::NodeAddress { certain: true } => finding.certainty = Certainty::Certain,
                Endpoint::Unknown => {
                    finding.certainty = Certainty::Possible;
                    finding.reason = "a ConfigMap or Secret decides".to_owned();
                    finding.consequence =
                        "if it names the node's Docker, every call through it fails".to_owned();
                }
                _ => {}
            }
            findings.push(finding);
        }
    }
}

/// Flags that name a Docker endpoint. Sources: cAdvisor (`--docker`), node agents (`--docker-endpoint`), Traefik.
/// Go's flags take one hyphen or two, so there is none here.
const FLAGS: [&str; 4] = [
    "docker",
    "docker-endpoint",
    "docker-host",
    "providers.docker.endpoint",
];

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
    for (i, var) in container
        .raw
        .env
        .iter()
        .enumerate()
        .filter(|(_, var)| *var.name == *"DOCKER_HOST")
    {
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
        .collect();
    for (at, (field, text)) in texts.iter().enumerate() {
        let expanded = |(field, text): &(TextField, &'c Text<'c>)| {
            container.expanded_text(*field, text.as_str())
        };
        let next = texts.get(at + 1);
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text.as_str(), next.map(|(_, next)| next.as_str())),
        };
        let seen = expanded(&texts[at]);
        let seen = match seen.split_once('=') {
            Some((_, value)) => Some(value),
            None => next.map(expanded),
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

/// `value` without user information, path and query: `tcp://user:secret@host/token?token=…` must not reach a log. The path of a socket stays.
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
