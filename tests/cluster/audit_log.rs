//! The API server's audit log, as an operator would read it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::control_plane;
use crate::process::eventually;

/// The audit log of the run.
pub(crate) struct AuditLog(PathBuf);

/// One event of it: a write that was answered.
#[derive(Debug)]
pub(crate) struct AuditEvent(Value);

impl AuditLog {
    /// The log of the control plane in this folder.
    pub(crate) fn of(root: &Path) -> Self {
        Self(control_plane::audit_log(root))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The last event of this verb on this object, waiting until it is there.
    #[track_caller]
    pub(crate) fn last(
        &self,
        verb: &str,
        resource: &str,
        namespace: &str,
        name: &str,
    ) -> AuditEvent {
        let what = format!("the audit log has {verb} {resource} {namespace}/{name}");
        eventually(&what, Duration::from_secs(10), || {
            let events = self.events();
            let wanted = |event: &&AuditEvent| {
                event.text("/verb") == verb
                    && event.text("/objectRef/namespace") == namespace
                    && event.text("/objectRef/name") == name
                    && event.resource() == resource
            };
            let last = events
                .iter()
                .rev()
                .find(wanted)
                .map(|event| AuditEvent(event.0.clone()));
            last.ok_or_else(|| format!("{} other events", events.len()))
        })
    }

    /// How many writes of this resource the log holds.
    pub(crate) fn writes_of(&self, resource: &str) -> usize {
        self.events()
            .iter()
            .filter(|event| event.text("/objectRef/resource") == resource)
            .count()
    }

    fn events(&self) -> Vec<AuditEvent> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        // The last line may be half written at this moment.
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .map(AuditEvent)
            .collect()
    }
}

impl AuditEvent {
    /// The annotation with this whole key, or nothing.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.0["annotations"][key].as_str()
    }

    /// All keys and values, for a failure message and for keys that end in a number.
    pub(crate) fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let annotations = self.0["annotations"].as_object().into_iter().flatten();
        annotations.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// Panics unless the annotation has this value.
    #[track_caller]
    pub(crate) fn assert_annotation(&self, key: &str, value: &str) -> &Self {
        assert_eq!(
            self.annotation(key),
            Some(value),
            "{key} in {:#}",
            self.0["annotations"]
        );
        self
    }

    /// What the API server answered, as a `Status`.
    pub(crate) fn response(&self) -> &Value {
        &self.0["responseStatus"]
    }

    fn resource(&self) -> String {
        match self.text("/objectRef/subresource") {
            "" => self.text("/objectRef/resource").to_owned(),
            subresource => format!("{}/{subresource}", self.text("/objectRef/resource")),
        }
    }

    fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}
