//! How messages call a place inside a container.

use crate::workload::pod::{Container, TextField};

/// `env DOCKER_HOST` or `argument`, as messages call the place of a text.
pub(super) fn describe(container: &Container<'_>, field: TextField) -> String {
    match field {
        TextField::Env(i) => format!("env {}", container.raw.env[i].name),
        TextField::Command(_) => "command".to_owned(),
        TextField::Hook(place, _) => place
            .trim_end_matches(".exec.command")
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned(),
        TextField::Args(_) => "argument".to_owned(),
        TextField::Script | TextField::Source => "script".to_owned(),
    }
}
