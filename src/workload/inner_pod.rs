//! A pod spec that lies somewhere in a custom resource.

use std::borrow::Cow;

use super::object::{Container, Spec};

/// A pod spec and its place.
#[derive(Debug)]
pub struct InnerPod<'a> {
    /// Field path of the spec, such as `spec.templates[2]`.
    pub(crate) path: String,
    pub(crate) spec: Spec<'a>,
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
