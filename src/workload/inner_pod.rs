//! A pod spec that lies somewhere in a custom resource.

use std::borrow::Cow;

use super::object::{Container, Spec};

/// A pod spec and its place.
#[derive(Debug)]
pub struct InnerPod<'a> {
    /// Field path of the spec, such as `spec.templates[2]`.
    pub(crate) path: String,
    pub(crate) spec: Spec<'a>,
    /// Fields that stand elsewhere in the object than in the pod as it is evaluated: the beginnings
    /// of their paths there and here. Volumes of a workflow, defaults of a step.
    pub(crate) moved: Vec<(String, String)>,
}

impl<'a> Spec<'a> {
    /// Adds containers that lie at other places than `containers`, with those places.
    pub(crate) fn add_containers(&mut self, extra: Vec<(Cow<'static, str>, Container<'a>)>) {
        self.places = (0..self.containers.len())
            .map(|at| format!("containers[{at}]"))
            .collect();
        let (places, containers): (Vec<_>, Vec<_>) = extra.into_iter().unzip();
        self.places.extend(places.into_iter().map(Cow::into_owned));
        self.containers.append(containers.into());
    }
}

impl<'a> Container<'a> {
    /// Takes what is not set from `defaults`, as Tekton's `stepTemplate` and Argo's
    /// `templateDefaults` do: lists are merged by name and by mount path, those of the defaults
    /// first. Returns how many variables and mounts came in front.
    pub(crate) fn fill_in(&mut self, mut defaults: Self) -> (usize, usize) {
        if self.image.is_empty() {
            self.image = defaults.image;
        }
        if self.command.is_empty() && self.script.is_empty() {
            self.command = defaults.command;
        }
        if self.args.is_empty() {
            self.args = defaults.args;
        }
        if self.security_context.is_none() {
            self.security_context = defaults.security_context;
        }
        defaults
            .env
            .retain(|variable| self.env.iter().all(|own| own.name != variable.name));
        defaults.volume_mounts.retain(|mount| {
            let mut own = self.volume_mounts.iter();
            own.all(|own| own.mount_path != mount.mount_path)
        });
        let added = (defaults.env.len(), defaults.volume_mounts.len());
        defaults.env.append(std::mem::take(&mut self.env));
        self.env = defaults.env;
        let own = std::mem::take(&mut self.volume_mounts);
        defaults.volume_mounts.append(own);
        self.volume_mounts = defaults.volume_mounts;
        added
    }
}
