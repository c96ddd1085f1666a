//! The record of a flagged review: one JSON line on stdout, from which the migration report is
//! made.

mod dedupe;
mod fields;
pub mod queue;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Outcome};
use crate::finding::text::clip;
use crate::workload::Workload;

/// Longest line, with its newline: below the 16 KiB at which container log drivers split.
pub const MAX_LINE: usize = 8 * 1024;
/// Most findings in one record.
pub const MAX_FINDINGS: usize = 20;

/// A word of undock's own: costs nothing to write, and a copy to read back.
type Word = Cow<'static, str>;

/// What is known of who sent a review to undock. Anybody who reaches the port can send one; only
/// the API server can have authenticated the user that it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caller {
    /// It showed the certificate or the token of the API server.
    ApiServer,
    /// It showed nothing, because undock was not told what to ask for. Also in records older than
    /// this field.
    #[default]
    Unproven,
}

/// One flagged review. Keys are flat and dotted, with OpenTelemetry's names where it has one.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Record {
    /// When the review was answered; milliseconds, UTC.
    #[serde(rename = "@timestamp")]
    pub timestamp: String,
    /// `error` for a denial, `warn` for a warning, `info` for the rest.
    #[serde(rename = "log.level")]
    pub level: Word,
    /// One line for people, at most 200 bytes.
    pub message: String,
    /// `undock.review.flagged`, `.rollup` or `.error`.
    #[serde(rename = "event.name")]
    pub event: Word,
    /// `1`; fields are only added within it.
    #[serde(rename = "schema.version")]
    pub schema: Word,
    /// `undock`
    #[serde(rename = "service.name")]
    pub service: Word,
    /// Version of undock.
    #[serde(rename = "service.version")]
    pub service_version: Word,
    /// From the configuration.
    #[serde(
        rename = "k8s.cluster.name",
        default,
        skip_serializing_if = "String::is_empty"
    )]
    pub cluster: String,
    /// Joins the audit annotation `review-uid`.
    #[serde(rename = "review.uid")]
    pub review_uid: String,
    /// `CREATE` or `UPDATE`.
    #[serde(rename = "review.operation")]
    pub operation: String,
    /// True for a write that is not stored; never counted.
    #[serde(rename = "review.dry_run")]
    pub dry_run: bool,
    /// Who sent the review: `api-server` or `unproven`.
    #[serde(rename = "review.caller", default)]
    pub caller: Caller,
    /// Time from the whole body to the decision.
    #[serde(rename = "review.duration_us")]
    pub duration_us: u64,
    /// Mode in force.
    pub mode: Word,
    /// `record`, `warn`, `deny`, `error`.
    pub decision: Word,
    /// What `enforce` would have done.
    pub would_deny: bool,
    /// True for what a controller made in mode `freeze` for an owner that was there before.
    #[serde(
        rename = "review.existing",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub existing: bool,
    /// Namespace; empty for cluster-scoped objects.
    #[serde(rename = "k8s.namespace.name")]
    pub namespace: String,
    /// The reviewed object.
    #[serde(flatten)]
    pub object: ObjectFields,
    /// The object that a person edits.
    #[serde(flatten)]
    pub owner: OwnerFields,
    /// User name.
    #[serde(rename = "user.name")]
    pub user: String,
    /// `user`, `serviceaccount`, `node` or `controller`.
    #[serde(rename = "user.kind")]
    pub user_kind: Word,
    /// Number of findings, those that found no room included.
    #[serde(rename = "findings.count")]
    pub findings_count: usize,
    /// Codes of the rules that are off: nothing is told of their findings.
    #[serde(rename = "rules.off", default, skip_serializing_if = "Vec::is_empty")]
    pub rules_off: Vec<String>,
    /// The findings.
    pub findings: Vec<FindingFields>,
    /// How many findings found no room.
    #[serde(
        rename = "findings.truncated",
        default,
        skip_serializing_if = "is_zero"
    )]
    pub findings_truncated: usize,
    /// Why the object could not be evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Identical reviews since the last record.
    #[serde(rename = "dedupe.suppressed", default)]
    pub suppressed: u32,
    /// The first of those that a rollup stands for.
    #[serde(rename = "dedupe.first_seen", skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<String>,
}

/// The reviewed object.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ObjectFields {
    /// API group; empty for the core group.
    #[serde(rename = "k8s.object.group")]
    pub group: String,
    /// API version without the group.
    #[serde(rename = "k8s.object.version")]
    pub version: String,
    /// Kind.
    #[serde(rename = "k8s.object.kind")]
    pub kind: String,
    /// Name; empty where the API server has yet to make it.
    #[serde(
        rename = "k8s.object.name",
        default,
        skip_serializing_if = "String::is_empty"
    )]
    pub name: String,
    /// Prefix of a name to be made.
    #[serde(
        rename = "k8s.object.generate_name",
        default,
        skip_serializing_if = "String::is_empty"
    )]
    pub generate_name: String,
    /// Identity of the object.
    #[serde(
        rename = "k8s.object.uid",
        default,
        skip_serializing_if = "String::is_empty"
    )]
    pub uid: String,
}

/// The object that a person edits, and what is known about who that is.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct OwnerFields {
    /// API group; empty for the core group.
    #[serde(rename = "owner.group")]
    pub group: String,
    /// Kind.
    #[serde(rename = "owner.kind")]
    pub kind: String,
    /// Name.
    #[serde(rename = "owner.name")]
    pub name: String,
    /// `self`, `derived` or `series`.
    #[serde(rename = "owner.source")]
    pub source: Word,
    /// Value of the label `team`.
    #[serde(rename = "owner.team", skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// `helm`, `flux` or the value of `app.kubernetes.io/managed-by`.
    #[serde(rename = "owner.managed_by", skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Name of the release.
    #[serde(rename = "owner.release", skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

/// One finding of a record.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct FindingFields {
    /// `DKRnnn`
    #[serde(rename = "rule.id")]
    pub rule: Word,
    /// Kebab name.
    #[serde(rename = "rule.name")]
    pub rule_name: Word,
    /// `breaks`, `degrades`, `security`, `advisory`.
    #[serde(rename = "severity")]
    pub impact: Word,
    /// `certain`, `likely`, `possible`.
    pub certainty: Word,
    /// What it did.
    pub action: Word,
    /// True if `enforce` refuses writes that hold it, exemptions aside; absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denies: Option<bool>,
    /// Container.
    #[serde(rename = "container.name", skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Field path.
    pub field: String,
    /// The matched token.
    pub evidence: String,
    /// Identity across all outputs.
    pub fingerprint: String,
    /// `open` or `exempt`
    pub status: Word,
    /// Last day of the exemption.
    #[serde(rename = "exempt.until", skip_serializing_if = "Option::is_none")]
    pub exempt_until: Option<String>,
    /// Its ticket or page.
    #[serde(rename = "exempt.ref", skip_serializing_if = "Option::is_none")]
    pub exempt_ref: Option<String>,
    /// Where it is written: `namespace`, `workload` or `configuration`.
    #[serde(rename = "exempt.scope", skip_serializing_if = "Option::is_none")]
    pub exempt_scope: Option<String>,
}

/// What a record needs of the request.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) review_uid: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) dry_run: bool,
    pub(crate) user: &'a str,
}

impl Record {
    /// The record of `decision`; time and duration are stamped by the caller.
    pub(crate) fn new(
        source: &Source<'_>,
        workload: Option<&Workload<'_>>,
        decision: &Decision,
    ) -> Self {
        let findings: Vec<_> = decision
            .findings
            .iter()
            .take(MAX_FINDINGS)
            .map(FindingFields::from)
            .collect();
        let codes = codes(decision);
        let place = workload.map_or_else(
            || source.namespace.to_owned(),
            |w| [&w.owner.kind, " ", w.namespace, "/", &w.owner.name].concat(),
        );
        let told = decision.error.as_deref().unwrap_or(&codes);
        Self {
            timestamp: String::new(),
            level: match decision.outcome {
                Outcome::Deny | Outcome::Error => "error",
                Outcome::Warn => "warn",
                _ => "info",
            }
            .into(),
            message: clip(
                &[decision.outcome.as_str(), " ", &place, ": ", told].concat(),
                200,
            ),
            event: match decision.outcome {
                Outcome::Error => "undock.review.error",
                Outcome::Exempt => "undock.review.exempted",
                _ => "undock.review.flagged",
            }
            .into(),
            schema: "1".into(),
            service: "undock".into(),
            service_version: env!("CARGO_PKG_VERSION").into(),
            cluster: String::new(),
            review_uid: source.review_uid.to_owned(),
            operation: source.operation.to_owned(),
            dry_run: source.dry_run,
            caller: Caller::Unproven,
            duration_us: 0,
            mode: decision.mode.as_str().into(),
            decision: decision.outcome.as_str().into(),
            would_deny: decision.would_deny(),
            existing: decision.is_existing && !decision.findings.is_empty(),
            namespace: source.namespace.to_owned(),
            object: workload.map(ObjectFields::from).unwrap_or_default(),
            owner: workload.map(OwnerFields::from).unwrap_or_default(),
            user: source.user.to_owned(),
            user_kind: user_kind(source.user).into(),
            findings_count: decision.findings.len(),
            rules_off: decision.rules_off.clone(),
            findings_truncated: decision.findings.len() - findings.len(),
            findings,
            error: decision.error.clone(),
            suppressed: 0,
            first_seen: None,
        }
    }

    /// Sets the moment, the time that the review took, the cluster's name, and who sent the review.
    pub(crate) fn stamp(
        &mut self,
        now: Timestamp,
        duration: std::time::Duration,
        cluster: &str,
        caller: Caller,
    ) {
        self.timestamp = format!("{now:.3}");
        self.duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.cluster = cluster.to_owned();
        self.caller = caller;
    }

    /// The record as one line with its newline, at most [`MAX_LINE`] bytes.
    pub(crate) fn line(&mut self) -> Vec<u8> {
        // No name in the API is longer than the first; the second fits even if every byte of every
        // text is escaped.
        let mut limits = [LONG_TEXT, SHORT_TEXT].into_iter();
        loop {
            let mut line = Vec::with_capacity(USUAL_LINE);
            serde_json::to_writer(&mut line, self)
                .expect("strings, numbers and lists always serialise");
            if line.len() < MAX_LINE || !self.shorten(&mut limits) {
                line.push(b'\n');
                return line;
            }
        }
    }

    /// Cuts texts that are too long, then findings, which are counted, then texts once more. False
    /// if nothing is left to cut.
    fn shorten(&mut self, limits: &mut impl Iterator<Item = usize>) -> bool {
        let is_long = self.texts().any(|text| text.len() > LONG_TEXT);
        if !is_long && self.findings.pop().is_some() {
            self.findings_truncated += 1;
            return true;
        }
        let Some(limit) = limits.next() else {
            return false;
        };
        self.texts().for_each(|text| *text = clip(text, limit));
        true
    }

    /// The texts whose length somebody else decides.
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self {
            cluster,
            review_uid,
            namespace,
            object,
            owner,
            user,
            error,
            operation,
            ..
        } = self;
        let ObjectFields {
            group,
            version,
            kind,
            name,
            generate_name,
            uid,
        } = object;
        let OwnerFields {
            group: owner_group,
            kind: owner_kind,
            name: owner_name,
            source: _,
            team,
            managed_by,
            release,
        } = owner;
        let always = [
            cluster,
            review_uid,
            namespace,
            user,
            operation,
            group,
            version,
            kind,
            name,
            generate_name,
            uid,
        ];
        let of_owner = [owner_group, owner_kind, owner_name];
        always
            .into_iter()
            .chain(of_owner)
            .chain([team, managed_by, release, error].into_iter().flatten())
    }
}

/// Room for a record with one finding or two.
const USUAL_LINE: usize = 2048;
/// Longest text in a record that would otherwise be too long.
const LONG_TEXT: usize = 256;
/// The same where that is not enough.
const SHORT_TEXT: usize = 48;

/// What kind of identity a user name is. Names of system components are those of Kubernetes' own
/// bootstrap policy.
pub(crate) fn user_kind(user: &str) -> &'static str {
    if user.starts_with("system:serviceaccount:kube-system:")
        || user == "system:kube-controller-manager"
    {
        "controller"
    } else if user.starts_with("system:serviceaccount:") {
        "serviceaccount"
    } else if user.starts_with("system:node:") {
        "node"
    } else {
        "user"
    }
}

fn codes(decision: &Decision) -> String {
    let mut codes: Vec<_> = decision
        .findings
        .iter()
        .map(|judged| judged.finding.rule.code)
        .collect();
    codes.dedup();
    codes.join(",")
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
