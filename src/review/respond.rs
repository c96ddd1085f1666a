//! A decision as the AdmissionReview that goes back: always of the version and with the uid that
//! came.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::Version;
use crate::decision::{Decision, Judged, Outcome, message};
use crate::finding::Action;
use crate::finding::text::{clip, is_plain};
use crate::record::Source;
use crate::workload::{Owner, OwnerSource};

/// What the answer needs to know of the request.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Version to answer in.
    pub version: Version,
    /// Identity of the review, namespace, and whether the write is stored.
    pub(crate) source: &'a Source<'a>,
    /// API group of the resource.
    pub group: &'a str,
    /// Plural name of the resource.
    pub resource: &'a str,
    /// Name; empty where the API server makes it.
    pub name: &'a str,
    /// The object that a person edits, where the object could be read.
    pub owner: Option<&'a Owner<'a>>,
    /// False for a Pod that a controller writes: nobody would read the warnings.
    pub warn: bool,
    /// What an allowed write is told besides.
    pub more_warnings: &'a [String],
}

/// Longer than almost all answers, in bytes.
const USUAL_LENGTH: usize = 512;

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
            uid: answer.source.review_uid,
            allowed,
            status: (!allowed).then(|| status(answer, decision)),
            warnings,
            audit_annotations: annotations(answer, decision),
        },
    };
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    serde_json::to_writer(&mut bytes, &review)
        .expect("strings and maps with string keys always serialise");
    bytes
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
    #[serde(serialize_with = "as_map")]
    audit_annotations: Vec<Annotation>,
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
        message: message::denial(decision, answer.source.namespace, answer.owner),
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
/// Longest value of `error`.
const MAX_ERROR: usize = 160;
/// Longest value of `exempt`.
const MAX_EXEMPT: usize = 200;
/// Longest value of `review-uid`; a real one has 36 characters.
const MAX_UID: usize = 64;

/// A key and its value. Keys hold no slash: the API server puts the webhook's name in front.
type Annotation = (&'static str, Cow<'static, str>);

fn as_map<S: Serializer>(annotations: &[Annotation], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(annotations.iter().map(|(key, value)| (key, value)))
}

/// `decision` and `mode` always, `dry-run` on every dry run, the rest where it applies; in the
/// order of the alphabet, as the API server logs them.
fn annotations(answer: &Answer<'_>, decision: &Decision) -> Vec<Annotation> {
    let has_findings = !decision.findings.is_empty();
    let note = decision.doubts.first().or(decision.notes.first());
    let error = note.or(decision.error.as_ref());
    // A clean Pod of a series is evidence about the series, which its own name does not tell.
    let is_told = |owner: &&Owner<'_>| {
        let is_clean_of_series =
            owner.source == OwnerSource::Series && decision.outcome == Outcome::Clean;
        has_findings || is_clean_of_series
    };
    let owner = answer.owner.filter(is_told);
    let identifies = has_findings || decision.error.is_some();
    let has_rules = has_findings || !decision.rules_off.is_empty();
    let word = |key, word: &'static str| (key, Cow::Borrowed(word));
    let text = |key, text: String| (key, Cow::Owned(text));
    let all = [
        Some(word("decision", decision.outcome.as_str())),
        answer.source.dry_run.then(|| word("dry-run", "true")),
        error.map(|error| text("error", ascii(error, MAX_ERROR))),
        exempt(&decision.findings).map(|exempt| text("exempt", exempt)),
        has_findings.then(|| text("findings", findings(&decision.findings))),
        Some(word("mode", decision.mode.as_str())),
        owner.map(|owner| text("owner", owner_path(owner, answer.source.namespace))),
        identifies.then(|| text("review-uid", ascii(answer.source.review_uid, MAX_UID))),
        has_rules.then(|| text("rules", rules(decision))),
        decision.would_deny().then(|| word("would-deny", "true")),
    ];
    all.into_iter().flatten().collect()
}

/// `apps/Deployment/ci/runner derived`
fn owner_path(owner: &Owner<'_>, namespace: &str) -> String {
    let group = if owner.group.is_empty() {
        "core"
    } else {
        &owner.group
    };
    let (kind, name, source) = (&owner.kind, &owner.name, owner.source.as_str());
    let path = [group, "/", kind, "/", namespace, "/", name, " ", source].concat();
    ascii(&path, MAX_OWNER)
}

/// `DKR101 by=namespace until=2026-12-01 ref=PLAT-412; …`, each rule once; nothing without an
/// exemption.
fn exempt(findings: &[Judged]) -> Option<String> {
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
    (!entries.is_empty()).then(|| ascii(&entries.join("; "), MAX_EXEMPT))
}

/// `DKR101=1,DKR201=2`, and `DKR203=off` for a rule that the configuration switches off.
fn rules(decision: &Decision) -> String {
    // Findings stand in the order of codes.
    let code = |judged: &Judged| judged.finding.rule.code;
    let of_rules = decision.findings.chunk_by(|a, b| code(a) == code(b));
    let counted = of_rules.map(|found| [code(&found[0]), "=", &found.len().to_string()].concat());
    let off = decision.rules_off.iter().map(|code| format!("{code}=off"));
    let pairs: Vec<String> = counted.chain(off).collect();
    clip(&pairs.join(","), MAX_RULES)
}

/// `CODE FINGERPRINT ACTION FIELD; …`, then `+N` for those that found no room.
fn findings(findings: &[Judged]) -> String {
    let mut text = String::with_capacity(MAX_FINDINGS);
    for (at, judged) in findings.iter().enumerate() {
        let finding = &judged.finding;
        let whole = text.len();
        if at > 0 {
            text.push_str("; ");
        }
        let (code, action, field) = (
            finding.rule.code,
            action(judged),
            ascii(&finding.field, MAX_FINDINGS),
        );
        for part in [code, " ", &judged.fingerprint, " ", &action, " ", &field] {
            text.push_str(part);
        }
        if text.len() > MAX_FINDINGS {
            text.truncate(whole);
            let separator = if at == 0 { "" } else { "; " };
            text.push_str(&format!("{separator}+{}", findings.len() - at));
            break;
        }
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
        [action, "/", enforced].concat().into()
    }
}

/// `text` cut to `limit` bytes, without what a header or a log cannot hold.
fn ascii(text: &str, limit: usize) -> String {
    let text = clip(text, limit);
    if is_plain(&text) {
        return text;
    }
    let is_shown = |c: &char| c.is_ascii() && !c.is_ascii_control();
    let shown = text
        .chars()
        .map(|c| Some(c).filter(is_shown).unwrap_or('?'));
    shown.collect()
}
