//! A finding as one source tells it, and whether `enforce` refuses it as far as that source tells.

use crate::decision::Judged;
use crate::finding::Action;
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

/// What a review as a whole tells about its findings, where the version that wrote it did not say it of each.
pub(super) struct ReviewTells {
    pub(super) is_create: bool,
    /// `enforce` would have refused the write, or did.
    pub(super) is_refusable: bool,
    /// Findings that no exemption covers.
    pub(super) candidates: usize,
}

impl ReviewTells {
    /// Whether `enforce` refuses a finding of it: nothing was refusable, or this one was the only one that could be.
    /// On an update that nothing was refusable says nothing, as what was there before is not refused.
    fn denies(&self, is_exempt: bool) -> Option<bool> {
        if is_exempt {
            return None;
        }
        if self.is_create && !self.is_refusable {
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
        review: &ReviewTells,
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
            denies: finding.denies.or_else(|| review.denies(exempt.is_some())),
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
            denies: finding.denies.or_else(|| match finding.action.as_ref() {
                "deny" => Some(true),
                // Nothing but the mode makes less of an action.
                "record" if record.mode != "audit" && !is_exempt => Some(false),
                _ => review.denies(is_exempt),
            }),
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
