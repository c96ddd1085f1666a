//! A decision as the AdmissionReview that goes back: always of the version and with the uid that
//! came.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::Version;
use crate::decision::{Decision, Judged, Outcome, message};
use crate::finding::Action;
use crate::finding::text::{clip, is_plain};
use crate::workload::{Owner, OwnerSource};

/// What the answer needs to know of the request.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Version to answer in.
    pub version: Version,
    /// Identity of the review.
    pub uid: &'a str,
    /// API group of the resource.
    pub group: &'a str,
    /// Plural name of the resource.
    pub resource: &'a str,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: &'a str,
    /// Name; empty where the API server makes it.
    pub name: &'a str,
    /// The object that a person edits, where the object could be read.
    pub owner: Option<&'a Owner<'a>>,
    /// True for a write that is not stored.
    pub is_dry_run: bool,
    /// False for a Pod that a controller writes: nobody would read the warnings.
    pub warn: bool,
    /// What an allowed write is told besides.
    pub more_warnings: &'a [String],
}

/// The bytes of the answer.
pub fn respond(answer: &Answer<'_>, decision: &Decision) -> Vec<u8> {
    let allowed = decision.is_allowed();
    let warn = answer.warn && decision.mode.limit() >= Action::Warn;
    let mut warnings = match (warn, allowed) {
        (true, true) => message::warnings(decision),
        // The denial names the findings; why an exemption did not help is said beside it.
        (true, false) => message::notes(decision),
        (false, _) => Vec::new(),
    };
    if allowed {
        warnings.extend_from_slice(answer.more_warnings);
    }
    let review = ReviewOut {
        api_version: answer.version.as_str(),
        kind: "AdmissionReview",
        response: Response {
            uid: answer.uid,
            allowed,
            status: (!allowed).then(|| status(answer, decision)),
            warnings,
            audit_annotations: annotations(answer, decision),
        },
    };
    serde_json::to_vec(&review).expect("strings and maps with string keys always serialise")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewOut<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Status<'a> {
    status: &'static str,
    message: String,
    reason: &'static str,
    details: Details<'a>,
    code: u16,
}

#[derive(Serialize)]
struct Details<'a> {
    name: &'a str,
    group: &'a str,
    kind: &'a str,
    causes: Vec<Cause<'a>>,
}

#[derive(Serialize)]
struct Cause<'a> {
    reason: &'static str,
    message: String,
    field: &'a str,
}

fn status<'a>(answer: &Answer<'a>, decision: &'a Decision) -> Status<'a> {
    let told = decision
        .findings
        .iter()
        .filter(|judged| judged.action >= Action::Warn);
    let causes = told.map(|judged| Cause {
        reason: judged.finding.rule.code,
        message: judged.finding.message(),
        field: &judged.finding.field,
    });
    Status {
        status: "Failure",
        message: message::denial(decision, answer.namespace, answer.owner),
        reason: "Forbidden",
        details: Details {
            name: answer.name,
            group: answer.group,
            kind: answer.resource,
            causes: causes.collect(),
        },
        code: 403,
    }
}

/// Longest value of `findings`; with every other value at its longest the set stays below 2 KiB.
const MAX_FINDINGS: usize = 600;
/// Longest value of `rules`; half of all rules in one object have room.
const MAX_RULES: usize = 300;
/// Longest value of `owner`; namespace and name of the longest kind that Kubernetes has fit.
const MAX_OWNER: usize = 560;
/// Longest value of `exempt`.
const MAX_EXEMPT: usize = 200;
/// Longest value of `review-uid`; a real one has 36 characters.
const MAX_UID: usize = 64;

/// `decision` and `mode` always, `dry-run` on every dry run, the rest where it applies. Keys hold
/// no slash: the API server puts the webhook's name in front.
fn annotations(answer: &Answer<'_>, decision: &Decision) -> BTreeMap<&'static str, String> {
    let mut all = BTreeMap::from([
        ("decision", decision.outcome.as_str().to_owned()),
        ("mode", decision.mode.as_str().to_owned()),
    ]);
    if answer.is_dry_run {
        all.insert("dry-run", "true".to_owned());
    }
    if let Some(error) = &decision.error {
        all.insert("error", ascii(&clip(error, 160)));
        all.insert("review-uid", ascii(&clip(answer.uid, MAX_UID)));
    }
    if let Some(note) = decision.doubts.first().or(decision.notes.first()) {
        all.insert("error", ascii(&clip(note, 160)));
    }
    if !(decision.findings.is_empty() && decision.rules_off.is_empty()) {
        all.insert("rules", rules(decision));
    }
    if decision.findings.is_empty() {
        // A clean Pod of a series is evidence about the series, which its own name does not tell.
        let is_series = |owner: &&Owner<'_>| owner.source == OwnerSource::Series;
        let is_clean = decision.outcome == Outcome::Clean;
        let series = answer.owner.filter(is_series).filter(|_| is_clean);
        all.extend(series.map(|owner| ("owner", owner_path(owner, answer.namespace))));
        return all;
    }
    let exempt = exempt(&decision.findings);
    if !exempt.is_empty() {
        all.insert("exempt", exempt);
    }
    if decision.would_deny() {
        all.insert("would-deny", "true".to_owned());
    }
    all.insert("findings", findings(&decision.findings));
    all.insert("review-uid", ascii(&clip(answer.uid, MAX_UID)));
    let owner = answer.owner;
    all.extend(owner.map(|owner| ("owner", owner_path(owner, answer.namespace))));
    all
}

/// `apps/Deployment/ci/runner derived`
fn owner_path(owner: &Owner<'_>, namespace: &str) -> String {
    let group = if owner.group.is_empty() {
        "core"
    } else {
        &owner.group
    };
    let (kind, name, source) = (&owner.kind, &owner.name, owner.source.as_str());
    let path = format!("{group}/{kind}/{namespace}/{name} {source}");
    ascii(&clip(&path, MAX_OWNER))
}

/// `DKR101 by=namespace until=2026-12-01 ref=PLAT-412; …`, each rule once.
fn exempt(findings: &[Judged]) -> String {
    let granted = findings
        .iter()
        .filter_map(|judged| Some((judged.finding.rule.code, judged.exempt.as_ref()?)));
    let mut entries: Vec<String> = granted
        .map(|(code, granted)| {
            let reference = if granted.terms.reference.is_empty() {
                "-"
            } else {
                &granted.terms.reference
            };
            format!(
                "{code} by={} until={} ref={reference}",
                granted.scope.as_str(),
                granted.terms.until
            )
        })
        .collect();
    entries.dedup();
    ascii(&clip(&entries.join("; "), MAX_EXEMPT))
}

/// `DKR101=1,DKR201=2`, and `DKR203=off` for a rule that the configuration switches off.
fn rules(decision: &Decision) -> String {
    let mut counts = BTreeMap::new();
    for judged in &decision.findings {
        *counts.entry(judged.finding.rule.code).or_insert(0) += 1;
    }
    let off = decision.rules_off.iter().map(|code| format!("{code}=off"));
    let counted = counts.iter().map(|(code, count)| format!("{code}={count}"));
    let pairs: Vec<String> = counted.chain(off).collect();
    clip(&pairs.join(","), MAX_RULES)
}

/// `CODE FINGERPRINT ACTION FIELD; …`, then `+N` for those that found no room.
fn findings(findings: &[Judged]) -> String {
    let mut text = String::new();
    for (at, judged) in findings.iter().enumerate() {
        let entry = [
            judged.finding.rule.code,
            " ",
            &judged.fingerprint,
            " ",
            &action(judged),
            " ",
            &ascii(&judged.finding.field),
        ]
        .concat();
        let separator = if at == 0 { "" } else { "; " };
        if text.len() + separator.len() + entry.len() > MAX_FINDINGS {
            text.push_str(&format!("{separator}+{}", findings.len() - at));
            break;
        }
        text.push_str(separator);
        text.push_str(&entry);
    }
    text
}

/// What a finding did: `deny`; and behind a slash what it does in mode `enforce` without an
/// exemption, where that is more: `warn/deny`.
fn action(judged: &Judged) -> Cow<'static, str> {
    let (action, enforced) = (judged.action.as_str(), judged.enforce_action.as_str());
    if action == enforced {
        action.into()
    } else {
        format!("{action}/{enforced}").into()
    }
}

fn ascii(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if c.is_ascii() && !c.is_ascii_control() {
                c
            } else {
                '?'
            }
        })
        .collect()
}
