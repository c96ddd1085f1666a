//! How rules put a finding together: `Finding::new(&RULE)`, where it is, what is there, and, where
//! it differs from the rule's own, how sure and how bad it is.

use std::borrow::Cow;
use std::fmt::Display;

use super::text::clip;
use super::{Action, Certainty, Finding, Impact, Rule};
use crate::analysis::settings::Settings;
use crate::embedded::Node;
use crate::workload::pod::{Container, Pod};

/// Longest evidence, in bytes.
const MAX_EVIDENCE: usize = 160;

impl Finding {
    /// A finding with the certainty, the impact and the texts of `rule`; where it is comes next.
    pub(crate) fn new(rule: &'static Rule) -> Self {
        Self {
            rule,
            certainty: rule.certainty,
            impact: rule.impact,
            action: rule.action,
            container: None,
            field: String::new(),
            offset: None,
            evidence: String::new(),
            identity: String::new(),
            noun: "object",
            name: String::new(),
            what: String::new(),
            reason: rule.reason.into(),
            short_fix: rule.short_fix,
            consequence: rule.consequence.into(),
            uses: 1,
        }
    }

    /// About the `noun` of this name, such as a volume.
    pub(crate) fn on(mut self, noun: &'static str, name: &str) -> Self {
        self.noun = noun;
        name.clone_into(&mut self.name);
        self
    }

    /// At `field` of `container`, such as `image`.
    pub(crate) fn in_container(
        self,
        pod: &Pod<'_>,
        container: &Container<'_>,
        field: impl Display,
    ) -> Self {
        let mut finding = self.on("container", container.name());
        finding.container = Some(container.name().to_owned());
        finding.field(format!("{}.{field}", pod.container_path(container)))
    }

    /// At `node`, a value of `settings`.
    pub(crate) fn in_settings(self, settings: &Settings<'_>, node: &Node) -> Self {
        let (field, offset) = settings.place_of(node);
        let mut finding = self.on("object", settings.object_name()).field(field);
        finding.offset = offset;
        finding
    }

    /// At this field of the object.
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    /// What it does there: `mounts /var/run/docker.sock`.
    pub(crate) fn what(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    /// The matched token, which is also the identity of the finding.
    pub(crate) fn evidence(mut self, evidence: &str) -> Self {
        self.evidence = clip(evidence, MAX_EVIDENCE);
        self.identity(evidence)
    }

    /// The evidence stands somewhere in `text`, which is the whole text of the field.
    pub(crate) fn within(mut self, text: &str) -> Self {
        self.offset = text.find(&self.evidence);
        self
    }

    /// The evidence stands at this byte of the field's text, as far as that is known.
    pub(crate) fn offset(mut self, offset: Option<usize>) -> Self {
        self.offset = offset.or(self.offset);
        self
    }

    /// What the evidence is reduced to in the fingerprint.
    pub(crate) fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = identity.into();
        self
    }

    /// How sure it is.
    pub(crate) fn certainty(mut self, certainty: Certainty) -> Self {
        self.certainty = certainty;
        self
    }

    /// The action that the contract fixes for it.
    pub(crate) fn action(mut self, action: Action) -> Self {
        self.action = Some(action);
        self
    }

    /// Why that fails, in a few words.
    pub(crate) fn reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// What will happen, in full.
    pub(crate) fn consequence(mut self, consequence: impl Into<Cow<'static, str>>) -> Self {
        self.consequence = consequence.into();
        self
    }

    /// Reason and consequence as the rule has them.
    pub(crate) fn rule_texts(self) -> Self {
        let rule = self.rule;
        self.reason(rule.reason).consequence(rule.consequence)
    }

    /// Nothing breaks, as far as it shows, for this `reason`: it is only recorded.
    pub(crate) fn advisory(mut self, reason: &'static str) -> Self {
        self.impact = Impact::Advisory;
        self.certainty(Certainty::Possible)
            .action(Action::Record)
            .reason(reason)
    }
}
