//! Series: objects that one maker makes again and again under generated names, such as the build
//! Pods of a CI runner. All of them have one owner, which names what a person edits.
//!
//! Proof is `generateName`, or what a maker is known to write ([`makers`]). What a person named is
//! never joined.

mod makers;
mod naming;

pub(crate) use makers::GITLAB_RUNNER;
pub(crate) use naming::gitlab_project;

use super::object::{Object, OwnerReference};
use super::owner::{Owner, OwnerSource, group_of};
use makers::{MAKERS, Maker, NO_CONTROLLER};

/// Controllers whose objects are told by the controller's name alone, which the most common Pods
/// have.
const PLAIN: [&str; 4] = [
    "ReplicaSet",
    "DaemonSet",
    "Deployment",
    "ReplicationController",
];
/// Controllers that persons name, though their names may look generated.
const NAMED: [&str; 2] = ["StatefulSet", "CronJob"];
/// Kinds of the table that are runs: with a name that somebody typed, there is only the one.
const RUNS: [&str; 2] = ["Workflow", "PipelineRun"];
/// What to edit where only the name tells of a series.
const EDIT_GENERATED: &str =
    "what creates objects of this generateName: a script, a pipeline or a controller";

/// An object as its maker made it.
#[derive(Debug)]
struct Made<'m> {
    name: &'m str,
    controller_name: &'m str,
    object: &'m Object<'m>,
}

impl<'m> Made<'m> {
    /// The label or annotation `key`, if it says something.
    fn value(&self, key: &str) -> Option<&'m str> {
        let metadata = &self.object.metadata;
        let value = metadata
            .labels
            .get(key)
            .or_else(|| metadata.annotations.get(key));
        value.filter(|value| !value.is_empty())
    }
}

/// The owner of the series that `object` is one of, if it is; `controller` is the reference to its
/// controller.
pub(super) fn of<'a>(
    object: &'a Object<'a>,
    controller: Option<&'a OwnerReference<'a>>,
) -> Option<Owner<'a>> {
    let controller_kind = controller.map_or(NO_CONTROLLER, |reference| reference.kind.as_str());
    if PLAIN.contains(&controller_kind) {
        return None;
    }
    let (kind, metadata) = (object.kind.as_str(), &object.metadata);
    let made = Made {
        name: &metadata.name,
        controller_name: controller.map_or("", |reference| reference.name.as_str()),
        object,
    };
    let is_made_by = |maker: &&Maker| maker.controllers.contains(&controller_kind);
    if matches!(kind, "Pod" | "Job") {
        let mut makers = MAKERS.iter().filter(is_made_by);
        let found = makers.find_map(|maker| Some((maker, maker.name_of(&made)?)));
        if let Some((maker, name)) = found {
            return Some(Owner {
                group: maker.group.into(),
                kind: maker.kind.into(),
                name: name.into(),
                source: OwnerSource::Series,
            });
        }
    }
    if controller.is_some() {
        return None;
    }
    let name = if naming::is_generated(made.name, &metadata.generate_name) {
        Some(format!("{}*", metadata.generate_name.as_str()))
    } else {
        // Its Pods know nothing but this name.
        Some(made.name)
            .filter(|_| kind == "Job")
            .and_then(naming::without_random)
    };
    Some(Owner {
        group: group_of(&object.api_version).into(),
        kind: kind.into(),
        name: name?.into(),
        source: OwnerSource::Series,
    })
}

/// The name of the series that a controller of this kind and name is one of, if its name is
/// generated.
pub(super) fn of_controller(kind: &str, name: &str) -> Option<String> {
    let is_named = PLAIN.contains(&kind) || NAMED.contains(&kind);
    if is_named {
        None
    } else {
        naming::without_random(name)
    }
}

impl Owner<'_> {
    /// What to edit to change the objects of a series; nothing where the owner itself is to be
    /// edited.
    pub fn edit(&self) -> &'static str {
        match self.source {
            OwnerSource::Series => edit(&self.kind, &self.name),
            OwnerSource::Own | OwnerSource::Derived => "",
        }
    }
}

impl Maker {
    /// The name of the owner of `made`, if this maker made it.
    fn name_of(&self, made: &Made<'_>) -> Option<String> {
        let has = |(key, values): &(&str, &[&str])| {
            let value = made.value(key);
            value.is_some_and(|value| values.is_empty() || values.contains(&value))
        };
        if !self.labels.iter().all(has) {
            return None;
        }
        self.names.iter().find_map(|naming| naming.find(made))
    }
}

/// True if the owner of this kind and name is a series: its objects come and go under other names,
/// and it may be no object of the API itself.
pub(crate) fn is_series(kind: &str, name: &str) -> bool {
    // No name of an object holds an asterisk.
    name.contains('*') || !RUNS.contains(&kind) && MAKERS.iter().any(|maker| maker.kind == kind)
}

/// What to edit to change a series; nothing for other owners.
pub(crate) fn edit(kind: &str, name: &str) -> &'static str {
    let maker = MAKERS.iter().find(|maker| maker.kind == kind);
    match maker {
        Some(maker) => maker.edit,
        None if name.contains('*') => EDIT_GENERATED,
        None => "",
    }
}

#[cfg(test)]
mod tests;
