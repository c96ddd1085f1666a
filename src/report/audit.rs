//! An event of the API server's audit log, with what undock's annotations in it say.

use serde::Deserialize;

use super::evidence::ExemptTerms;
use crate::finding::Action;
use crate::kinds::KINDS;
use crate::record::user_kind;
use crate::registration::WEBHOOKS;
use crate::workload::text::{LenientStr, TextMap};

/// What the API server writes where a webhook with `failurePolicy: Ignore` did not answer; the
/// value is the webhook's name.
pub(super) const FAILED_OPEN: &str = "failed-open.validating.webhook.admission.k8s.io";

/// An audit event, borrowed from its line.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) id: LenientStr<'a>,
    pub(super) is_complete: bool,
    pub(super) time: LenientStr<'a>,
    pub(super) verb: LenientStr<'a>,
    pub(super) user: LenientStr<'a>,
    pub(super) object: ObjectRef<'a>,
    /// HTTP status; 0 if it is not told.
    pub(super) code: i64,
    pub(super) is_dry_run: bool,
    /// True if only some objects of a collection may be meant, or it is not told.
    pub(super) has_selector: bool,
    pub(super) annotations: TextMap<'a>,
    pub(super) request: Option<&'a str>,
    pub(super) response: Option<&'a str>,
    /// Where the wrapper names it.
    pub(super) cluster: LenientStr<'a>,
}

impl Event<'_> {
    /// True if a controller of Kubernetes wrote.
    pub(super) fn is_by_controller(&self) -> bool {
        user_kind(&self.user) == "controller"
    }
}

/// The object of an audit event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ObjectRef<'a> {
    #[serde(borrow)]
    pub(super) resource: LenientStr<'a>,
    pub(super) namespace: LenientStr<'a>,
    pub(super) name: LenientStr<'a>,
    pub(super) subresource: LenientStr<'a>,
}

impl<'a> ObjectRef<'a> {
    /// From `apps/v1/namespaces/ci/deployments/runner/scale`, as Cloud Logging names it.
    pub(super) fn from_path(path: &'a str) -> Self {
        let mut parts = path.split('/').skip(2).peekable();
        let mut namespace = "";
        if parts.peek() == Some(&"namespaces") {
            let all: Vec<&str> = parts.clone().collect();
            if all.len() > 2 {
                namespace = all[1];
                parts.nth(1);
            }
        }
        let mut next = || LenientStr::from(parts.next().unwrap_or_default());
        Self {
            resource: next(),
            name: next(),
            subresource: next(),
            namespace: namespace.into(),
        }
    }

    /// True if undock reviews writes of it; status, scale, binding and the like hold no Pod.
    pub(super) fn is_reviewed(&self) -> bool {
        let Self {
            resource,
            subresource,
            ..
        } = self;
        let mut kinds = KINDS.iter().filter(|kind| kind.plural == resource.as_str());
        kinds.any(|kind| kind.is_reviewed(subresource))
    }

    /// The kind of the resource, for workloads and volumes.
    pub(super) fn kind(&self) -> Option<&'static str> {
        let mut workloads = KINDS.iter().filter(|kind| kind.is_workload());
        workloads
            .find(|kind| *kind.plural == *self.resource)
            .map(|kind| kind.name)
    }
}

/// What a finding can do.
const ACTIONS: [&str; 4] = ["deny", "warn", "record", "off"];

/// What one of undock's webhooks wrote into an event.
#[derive(Debug, Default)]
pub(super) struct Annotations<'e> {
    pub(super) decision: &'e str,
    pub(super) mode: &'e str,
    pub(super) would_deny: bool,
    pub(super) is_dry_run: bool,
    pub(super) findings: Vec<AnnotatedFinding<'e>>,
    /// Kind, name, and whether it is the object itself.
    pub(super) owner: Option<(&'e str, &'e str, bool)>,
    pub(super) review_uid: &'e str,
    /// Codes of the rules that the configuration switches off.
    pub(super) rules_off: Vec<&'e str>,
    exempt: &'e str,
    is_partial: bool,
}

/// `DKR101 9f31c0d27be4a610 warn/deny spec.volumes[0].hostPath.path`; older versions wrote no
/// action.
#[derive(Debug)]
pub(super) struct AnnotatedFinding<'e> {
    pub(super) rule: &'e str,
    pub(super) fingerprint: &'e str,
    /// True if `enforce` refuses it, exemptions aside; `None` if that is not told.
    pub(super) denies: Option<bool>,
    pub(super) field: &'e str,
}

impl<'e> Annotations<'e> {
    /// Those of the event's webhook of ours; `None` if it was not reviewed.
    pub(super) fn of(event: &'e Event<'_>) -> Option<Self> {
        let mut all = Self::default();
        for (key, value) in event.annotations.iter() {
            // Tables have a column for each key that any row has.
            let Some(key) = own_key(key).filter(|_| !value.is_empty()) else {
                continue;
            };
            match key {
                "decision" => all.decision = value,
                "mode" => all.mode = value.split('@').next().unwrap_or_default(),
                "dry-run" | "dry_run" => all.is_dry_run = value == "true",
                "would-deny" | "would_deny" => all.would_deny = value == "true",
                "findings" => {
                    all.findings = value
                        .split("; ")
                        .filter_map(AnnotatedFinding::parse)
                        .collect();
                    all.is_partial = value
                        .rsplit("; ")
                        .next()
                        .is_some_and(|last| last.starts_with('+'));
                }
                "rules" => {
                    let rules = value.split(',');
                    all.rules_off = rules.filter_map(|rule| rule.strip_suffix("=off")).collect();
                }
                "owner" => all.owner = owner(value),
                "review-uid" | "review_uid" => all.review_uid = value,
                "exempt" => all.exempt = value,
                _ => {}
            }
        }
        (!all.decision.is_empty()).then_some(all)
    }

    /// True if the list of findings was cut.
    pub(super) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// How many findings no exemption covers, those that found no room included.
    pub(super) fn unexempt(&self) -> usize {
        let listed = self.findings.iter();
        listed
            .filter(|finding| self.exemption(finding.rule).is_none())
            .count()
            + usize::from(self.is_partial)
    }

    /// The exemption of `rule`: `DKR101 by=namespace until=2026-12-01 ref=PLAT-412; …`.
    pub(super) fn exemption(&self, rule: &str) -> Option<ExemptTerms> {
        let entry = self
            .exempt
            .split("; ")
            .find_map(|entry| entry.strip_prefix(rule)?.strip_prefix(' '))?;
        let part = |name: &str| {
            entry
                .split(' ')
                .find_map(|part| part.strip_prefix(name))
                .unwrap_or_default()
        };
        Some(ExemptTerms::new(
            part("until="),
            part("ref=").trim_start_matches('-'),
            part("by="),
        ))
    }
}

impl<'e> AnnotatedFinding<'e> {
    fn parse(entry: &'e str) -> Option<Self> {
        let mut words = entry.splitn(3, ' ');
        let (rule, fingerprint) = (words.next()?, words.next()?);
        let rest = words.next().unwrap_or_default();
        // What it did, and behind a slash what it does in mode `enforce`, where that is more.
        let action = rest.split_once(' ').and_then(|(word, field)| {
            let (action, enforced) = word.split_once('/').unwrap_or((word, word));
            let is_known = ACTIONS.contains(&action) && ACTIONS.contains(&enforced);
            is_known.then_some((Some(enforced == Action::Deny.as_str()), field))
        });
        let (denies, field) = action.unwrap_or((None, rest));
        let found = Self {
            rule,
            fingerprint,
            denies,
            field,
        };
        (found.rule.starts_with("DKR") && found.fingerprint.len() == 16).then_some(found)
    }
}

/// `apps/Deployment/ci/runner self`
fn owner(value: &str) -> Option<(&str, &str, bool)> {
    let (path, source) = value.rsplit_once(' ')?;
    let mut parts = path.splitn(4, '/');
    let (_, kind, _, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some((kind, name, source == "self"))
}

/// The webhooks of ours that did not answer about `event`.
pub(super) fn missed<'e>(event: &'e Event<'_>) -> impl Iterator<Item = &'e str> {
    let failed = event
        .annotations
        .iter()
        .filter(|(key, _)| after_name(key, FAILED_OPEN).is_some());
    failed
        .map(|(_, webhook)| webhook)
        .filter(|webhook| WEBHOOKS.contains(webhook))
}

/// What stands behind the name of one of our webhooks: `pods.undock.dev/decision`.
fn own_key(key: &str) -> Option<&str> {
    WEBHOOKS.iter().find_map(|webhook| after_name(key, webhook))
}

/// What stands behind `name` and a slash in `key`, also where a log store wrote underscores or dots
/// instead.
fn after_name<'k>(key: &'k str, name: &str) -> Option<&'k str> {
    // Of labels in a table, `labels.` may stand in front.
    let key = key.strip_prefix("labels.").unwrap_or(key);
    let is_same = |(key, name): (u8, u8)| key == name || key == b'_' && matches!(name, b'.' | b'-');
    let (front, rest) = key.split_at_checked(name.len())?;
    let is_ours = front.bytes().zip(name.bytes()).all(is_same);
    rest.strip_prefix(['/', '_', '.']).filter(|_| is_ours)
}

/// The object that the event is about, whole, as JSON; `None` at level Metadata, and for a patch of
/// which only the patch is logged.
pub(super) fn whole_object<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let kind = event.object.kind()?;
    let is_whole = |text: &&str| {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Kind<'a> {
            #[serde(borrow)]
            kind: LenientStr<'a>,
        }
        serde_json::from_str::<Kind<'_>>(text).is_ok_and(|object| object.kind.as_str() == kind)
    };
    let request = event.request.filter(|_| event.verb.as_str() != "patch");
    [event.response, request]
        .into_iter()
        .flatten()
        .find(is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_cloud_logging_name_objects() {
        for (path, expected) in [
            (
                "core/v1/namespaces/ci/pods/builder",
                ["pods", "ci", "builder", ""],
            ),
            (
                "apps/v1/namespaces/ci/deployments",
                ["deployments", "ci", "", ""],
            ),
            (
                "core/v1/namespaces/ci/pods/web/ephemeralcontainers",
                ["pods", "ci", "web", "ephemeralcontainers"],
            ),
            ("core/v1/namespaces/ci", ["namespaces", "", "ci", ""]),
            (
                "core/v1/persistentvolumes/pv",
                ["persistentvolumes", "", "pv", ""],
            ),
            ("", ["", "", "", ""]),
        ] {
            let ObjectRef {
                resource,
                namespace,
                name,
                subresource,
            } = ObjectRef::from_path(path);
            assert_eq!(
                [resource, namespace, name, subresource].map(|text| text.to_string()),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn owners_and_exemptions_are_read() {
        assert_eq!(
            owner("apps/Deployment/ci/runner derived"),
            Some(("Deployment", "runner", false))
        );
        assert_eq!(
            owner("core/PersistentVolume//pv self"),
            Some(("PersistentVolume", "pv", true))
        );
        let all = Annotations {
            exempt: "DKR101 by=namespace until=2026-12-01 ref=P-1; DKR201 by=workload \
                until=2027-01-01 ref=-",
            ..Default::default()
        };
        assert_eq!(
            all.exemption("DKR101"),
            Some(ExemptTerms::new("2026-12-01", "P-1", "namespace"))
        );
        assert_eq!(
            all.exemption("DKR201"),
            Some(ExemptTerms::new("2027-01-01", "", "workload"))
        );
        assert_eq!(all.exemption("DKR10"), None);
    }
}
