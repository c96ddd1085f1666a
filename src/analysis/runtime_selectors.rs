//! Settings of a container that select Docker as the container runtime, or switch on what asks
//! Docker's API: variables and flags.

use std::collections::HashSet;

use super::container::Container;
use super::providers::switched_on;
use crate::workload::catalog;
use crate::workload::pod::TextField;
use crate::workload::search::mentions;

/// A setting that selects Docker as the runtime.
pub(crate) struct RuntimeSelector {
    /// Its field below the container.
    pub(crate) field: String,
    /// `NAME=VALUE`.
    pub(crate) shown: String,
    /// False for a word that means something else in most programs, in one that is not known to use
    /// it so.
    pub(crate) is_certain: bool,
}

/// The settings of `container` that select Docker as the runtime.
pub(crate) fn runtime_selectors(container: &Container<'_>) -> Vec<RuntimeSelector> {
    if !container.mentions_docker() {
        return Vec::new();
    }
    let mut found: Vec<RuntimeSelector> = Vec::new();
    for (i, var) in container.raw.env.iter().enumerate() {
        if catalog::selects_docker(&var.name, &var.value) {
            found.push(RuntimeSelector {
                field: TextField::Env(i).path(),
                shown: format!("{}=docker", var.name),
                is_certain: true,
            });
        }
    }
    found.extend(provider_variables(container));
    found.extend(flags(container));
    found
}

/// Providers that variables switch on.
fn provider_variables(container: &Container<'_>) -> Vec<RuntimeSelector> {
    let variables = container.raw.env.iter().enumerate();
    let settings = variables.filter_map(|(i, var)| {
        let setting = catalog::provider_variable(&var.name)?;
        let field = TextField::Env(i);
        let value = container.text_at(field)?;
        Some((setting, (field, var.name.as_str()), value))
    });
    let found = switched_on(settings).into_iter();
    let found = found.map(|(setting, (field, name), value)| RuntimeSelector {
        field: field.path(),
        // The value of an option can be a secret.
        shown: match setting.option {
            "" => format!("{name}={value}"),
            _ => name.to_owned(),
        },
        is_certain: true,
    });
    found.collect()
}

/// The words of the container itself, then those of the commands in its scripts.
fn flags(container: &Container<'_>) -> Vec<RuntimeSelector> {
    let words = container
        .texts()
        .filter(|(field, _)| !matches!(field, TextField::Env(_)));
    let words: Vec<(TextField, &str)> = words.collect();
    let inner = container.commands().iter().map(|command| {
        let words = command.invocation.arguments().iter();
        words.map(|word| (command.field, word.as_str())).collect()
    });
    let mut found = Vec::new();
    // Looked at once each, however often it is repeated.
    let mut seen = HashSet::new();
    for words in std::iter::once(words).chain(inner) {
        let providers = provider_flags(&words).into_iter();
        found.extend(providers.filter(|selector| seen.insert(selector.shown.clone())));
        found.extend(selecting_flags(container, &words, &mut seen));
    }
    found
}

/// Providers that flags switch on.
fn provider_flags(words: &[(TextField, &str)]) -> Vec<RuntimeSelector> {
    let settings = words.iter().filter_map(|(field, word)| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let setting = catalog::provider_flag(name.strip_prefix("--")?)?;
        Some((setting, (*field, name), value))
    });
    let found = switched_on(settings).into_iter();
    let found = found.map(|(setting, (field, name), _)| RuntimeSelector {
        field: field.path(),
        shown: match setting.option {
            "" => format!("{name}=true"),
            _ => name.to_owned(),
        },
        is_certain: true,
    });
    found.collect()
}

/// Flags whose value selects the runtime, without those that were `seen` before.
fn selecting_flags(
    container: &Container<'_>,
    words: &[(TextField, &str)],
    seen: &mut HashSet<String>,
) -> Vec<RuntimeSelector> {
    let mut found = Vec::new();
    for (at, (field, word)) in words.iter().enumerate() {
        let next = words.get(at + 1).map(|(_, next)| *next);
        let Some((flag, shown)) = selecting_flag(word, next) else {
            continue;
        };
        if !seen.insert(shown.clone()) {
            continue;
        }
        let uses = |name: &&str| {
            let is_named = |text: &str| mentions(text, name);
            is_named(&container.raw.image) || words[..at].iter().any(|(_, word)| is_named(word))
        };
        found.push(RuntimeSelector {
            field: field.path(),
            shown,
            is_certain: flag.programs.is_empty() || flag.programs.iter().any(uses),
        });
    }
    found
}

/// `--FLAG=VALUE`, if `word`, perhaps with the `next`, selects Docker as the runtime.
fn selecting_flag(
    word: &str,
    next: Option<&str>,
) -> Option<(&'static catalog::RuntimeFlag, String)> {
    if !word.starts_with('-') {
        return None;
    }
    let (name, value) = word
        .split_once('=')
        .map_or((word, None), |(name, value)| (name, Some(value)));
    let name = name.trim_start_matches('-');
    let flag = catalog::RUNTIME_FLAGS
        .iter()
        .find(|flag| flag.name == name)?;
    let wanted = flag.value;
    // A switch needs no value.
    let selects = value
        .or(next)
        .is_some_and(|value| value.eq_ignore_ascii_case(wanted))
        || (value.is_none() && wanted == "true");
    selects.then(|| (flag, format!("--{}={wanted}", flag.name)))
}
