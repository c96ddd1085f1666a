//! The settings of a container that name a Docker endpoint: `DOCKER_HOST` and flags.

use super::container::Container;
use crate::workload::budget::{keep, spend};
use crate::workload::pod::TextField;

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
pub(crate) struct EndpointSetting<'c> {
    pub(crate) field: String,
    pub(crate) name: &'c str,
    /// As written; `None` where the value comes from another place.
    pub(crate) value: Option<&'c str>,
    /// As the container sees it.
    pub(crate) expanded: Option<&'c str>,
}

/// Everything in `container` that names a Docker endpoint.
pub(crate) fn endpoint_settings<'c>(container: &'c Container<'_>) -> Vec<EndpointSetting<'c>> {
    let mut found = Vec::new();
    let variables = container.raw.env.iter().enumerate();
    for (i, var) in variables.filter(|(_, var)| *var.name == *"DOCKER_HOST") {
        let value = var.value_from.is_none().then_some(var.value.as_str());
        let field = if value.is_some() {
            "value"
        } else {
            "valueFrom"
        };
        found.push(EndpointSetting {
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
            found.push(EndpointSetting {
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
pub(crate) fn without_secrets(value: &str) -> String {
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
