//! A finding as one source tells it, and whether `enforce` refuses it as far as that source tells.

use crate::decision::Judged;
use crate::finding::{Action, Certainty};
use crate::record::{FindingFields, Record};
use crate::report::audit::{AnnotatedFinding, Annotations};
use crate::report::evidence::ExemptTerms;
use crate::rules::RULES;
use crate::scan::document::FindingEntry;

/// A finding as any source tells it.
pub(super) struct Seen<'s> {
    pub(super) rule: &'s str,
    pub(super) fingerprint: &'s str,
    pub(super) severity: &'s str,
    pub(super) certainty: &'s str,
    pub(super) container: &'s str,
    pub(super) field: &'s str,
    pub(super) evidence: &'s str,
    /// By what it is exempt, if by anything; `None` if the source does not know.
    pub(super) exempt: Option<Option<ExemptTerms>>,
    /// Whether `enforce` refuses it; `None` if the source does not tell.
    pub(super) denies: Option<bool>,
}

/// What the review as a whole tells about its findings.
pub(super) struct ReviewTells<'r> {
    pub(super) mode: &'r str,
    pub(super) is_create: bool,
    /// `enforce` would have refused the write, or did.
    pub(super) is_refusable: bool,
    /// Findings that no exemption covers.
    pub(super) candidates: usize,
}

impl ReviewTells<'_> {
    /// Whether `enforce` refuses a finding on which the review took `action` (empty if the source does not tell).
    ///
    /// The action of a review is limited by the mode, so `warn` under `warn` can be either: then the review as a
    /// whole decides. On an update it does not, as what was there before is never refused.
    fn denies(&self, action: &str, is_exempt: bool) -> Option<bool> {
        if action == Action::Deny.as_str() {
            return Some(true);
        }
        if is_exempt {
            return None;
        }
        let is_limited_to_record = self.mode == "audit";
        let is_weak = action == Action::Record.as_str() || action == Action::Off.as_str();
        if is_weak && !is_limited_to_record || self.is_create && !self.is_refusable {
            return Some(false);
        }
        (self.is_refusable && self.candidates == 1).then_some(true)
    }
}

impl<'s> Seen<'s> {
    /// From an audit annotation.
    pub(super) fn annotated(
        own: &Annotations<'s>,
        finding: &AnnotatedFinding<'s>,
        review: &ReviewTells<'_>,
    ) -> Self {
        let rule = RULES.iter().find(|rule| rule.code == finding.rule);
        let (severity, certainty) = rule.map_or(("", ""), |rule| {
            (rule.impact.as_str(), rule.certainty.as_str())
        });
        let exempt = own.exemption(finding.rule);
        Self {
            rule: finding.rule,
            fingerprint: finding.fingerprint,
            severity,
            certainty,
            container: "",
            field: finding.field,
            evidence: "",
            denies: review.denies(finding.action, exempt.is_some()),
            exempt: Some(exempt),
        }
    }

    /// From a record.
    pub(super) fn recorded(finding: &'s FindingFields, record: &Record) -> Self {
        fn text(text: &Option<String>) -> &str {
            text.as_deref().unwrap_or_default()
        }
        let is_exempt = finding.status == "exempt";
        let review = ReviewTells {
            mode: &record.mode,
            is_create: record.operation == "CREATE",
            is_refusable: record.would_deny || record.decision == "deny",
            candidates: record
                .findings
                .iter()
                .filter(|finding| finding.status != "exempt")
                .count()
                + record.findings_truncated,
        };
        Self {
            rule: &finding.rule,
            fingerprint: &finding.fingerprint,
            severity: &finding.severity,
            certainty: &finding.certainty,
            container: text(&finding.container),
            field: &finding.field,
            evidence: &finding.evidence,
            exempt: Some(is_exempt.then(|| {
                ExemptTerms::new(
                    text(&finding.exempt_until),
                    text(&finding.exempt_ref),
                    text(&finding.exempt_scope),
                )
            })),
            denies: review.denies(&finding.action, is_exempt),
        }
    }

    /// From a scan; `knows_exemptions` is false where the scan could not read the Namespaces.
    pub(super) fn scanned(finding: &'s FindingEntry<'_>, knows_exemptions: bool) -> Self {
        Self {
            rule: &finding.rule,
            fingerprint: &finding.fingerprint,
            severity: &finding.impact,
            certainty: &finding.certainty,
            container: &finding.container,
            field: &finding.field,
            evidence: &finding.evidence,
            exempt: match &finding.exempt {
                Some(terms) => Some(Some(ExemptTerms::new(
                    &terms.until,
                    &terms.reference,
                    &terms.scope,
                ))),
                None => knows_exemptions.then_some(None),
            },
            denies: finding.denies,
        }
    }
}

impl<'s> From<&'s Judged> for Seen<'s> {
    fn from(judged: &'s Judged) -> Self {
        let finding = &judged.finding;
        Self {
            rule: finding.rule.code,
            fingerprint: &judged.fingerprint,
            severity: finding.impact.as_str(),
            certainty: finding.certainty.as_str(),
            container: finding.container.as_deref().unwrap_or_default(),
            field: &finding.field,
            evidence: &finding.evidence,
            exempt: Some(judged.exempt.as_ref().map(|granted| {
                ExemptTerms::new(
                    &granted.terms.until.to_string(),
                    &granted.terms.reference,
                    granted.scope.as_str(),
                )
            })),
            denies: Some(judged.unlimited == Action::Deny),
        }
    }
}

/// Whether `enforce` refuses a finding of `rule` of which no source tells it: the catalogue's default.
pub(in crate::report) fn denies_by_default(rule: &str, severity: &str, certainty: &str) -> bool {
    // A rule that this version does not know was refused by one that did.
    let Some(rule) = RULES.iter().find(|known| known.code == rule) else {
        return true;
    };
    let is_certain_enough = severity.is_empty() || certainty != Certainty::Possible.as_str();
    is_certain_enough && rule.default_action(Certainty::Likely) == Action::Deny
}
