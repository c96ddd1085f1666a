//! A pod spec with what is derived from it.

use std::cell::OnceCell;
use std::ops::Deref;

use super::container::Container;
use crate::workload::pod;

/// The Pod of the workload, its containers with what is derived from each.
#[derive(Debug)]
pub(crate) struct Pod<'w> {
    pod: &'w pod::Pod<'w>,
    pub(crate) containers: Vec<Container<'w>>,
    pub(super) daemons: OnceCell<Vec<usize>>,
    pub(super) has_new_logs: OnceCell<bool>,
}

impl<'w> Deref for Pod<'w> {
    type Target = pod::Pod<'w>;

    fn deref(&self) -> &Self::Target {
        self.pod
    }
}

impl<'w> Pod<'w> {
    /// `pod`, with nothing derived yet.
    pub(super) fn new(pod: &'w pod::Pod<'w>) -> Self {
        // Their room was taken with the Pod's: mounts name them by their places in it.
        const { assert!(size_of::<Container<'_>>() <= pod::DERIVED_BYTES) };
        let containers = pod.containers.iter();
        Self {
            pod,
            containers: containers.map(|raw| Container::new(pod, raw)).collect(),
            daemons: OnceCell::new(),
            has_new_logs: OnceCell::new(),
        }
    }
}
