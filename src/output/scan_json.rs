//! `scan -o json`: the stable form `undock.scan/v1` of [`crate::scan::document`].

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::decision::{Outcome, Policy};
use crate::finding::Action;
use crate::scan::document::{
    CheckEntry, CheckedObject, ErrorEntry, ExemptionEntry, FindingEntry, ManualEntry,
    NamespaceEntry, NodeGroupEntry, ObjectEntry, OwnerEntry, SCHEMA, ScanDocument, Summary,
    TermsEntry,
};
use crate::scan::questions::{Answer, answers};
use crate::scan::{
    ExemptionStatus, ListedExemption, MANUAL, NodeGroup, Origin, Scanned, ScannedFinding,
    ScannedOwner, Scope,
};
use crate::workload::text::LenientStr;

/// What the scan was about, for the head of the report.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// Name of the cluster in records; may be empty.
    pub cluster: &'a str,
    /// When the scan began, RFC 3339.
    pub time: String,
    /// What was scanned.
    pub scope: &'a Scope,
}

/// Writes `scanned` as one JSON object.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(
    out: &mut dyn Write,
    scanned: &Scanned,
    policy: &Policy,
    about: &About<'_>,
) -> io::Result<()> {
    let document = ScanDocument {
        schema: SCHEMA.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        time: about.time.as_str().into(),
        cluster: about.cluster.into(),
        mode: policy.mode.as_str().into(),
        rules_off: policy.rules_off(),
        scope: about.scope.clone(),
        summary: summary(scanned),
        nodes: scanned.nodes.iter().map(node_group).collect(),
        namespaces: scanned
            .namespaces
            .iter()
            .map(|(name, mode)| NamespaceEntry {
                mode: mode.map(|mode| mode.as_str().into()),
                name: name.as_str().into(),
                label_flaws: scanned.label_flaws.get(name).cloned().unwrap_or_default(),
            })
            .collect(),
        checks: checks(scanned),
        objects: EachOwner(&scanned.owners),
        exemptions: scanned.exemptions.iter().map(exemption).collect(),
        parts: scanned.parts.clone(),
        manual: MANUAL
            .iter()
            .map(|(what, how)| ManualEntry {
                how: (*how).into(),
                what: (*what).into(),
            })
            .collect(),
        errors: scanned
            .errors
            .iter()
            .map(|error| ErrorEntry {
                message: error.message.as_str().into(),
                namespace: error.namespace.as_str().into(),
                part: error.part.as_str().into(),
                reason: error.reason.into(),
            })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn summary(scanned: &Scanned) -> Summary {
    let count = |outcome| scanned.count(outcome);
    Summary {
        clean: count(Outcome::Clean),
        denied: count(Outcome::Deny),
        errors: scanned.errors.len(),
        exempt: count(Outcome::Exempt),
        flagged: scanned.flagged(),
        nodes: scanned.nodes.iter().map(|group| group.names.len()).sum(),
        objects: scanned.owners.len(),
        pods: scanned.pods,
        recorded: count(Outcome::Record),
        warned: count(Outcome::Warn),
    }
}

fn node_group(group: &NodeGroup) -> NodeGroupEntry<'_> {
    fn texts(set: &BTreeSet<String>) -> Vec<LenientStr<'_>> {
        set.iter().map(|text| text.as_str().into()).collect()
    }
    let family = group
        .runtime
        .split_once("://")
        .map_or("unknown", |(family, _)| family);
    NodeGroupEntry {
        count: group.names.len(),
        family: family.into(),
        kubelets: texts(&group.kubelets),
        names: texts(&group.names),
        pods: group.pods,
        runtime: group.runtime.as_str().into(),
        systems: texts(&group.systems),
    }
}

fn checks<'s>(scanned: &'s Scanned) -> Vec<CheckEntry<'s>> {
    let answers = answers(scanned);
    let check = |answer: &Answer<'s>| CheckEntry {
        by_hand: answer.question.by_hand.into(),
        findings: answer.findings(),
        id: answer.question.id.into(),
        objects: answer
            .owners
            .iter()
            .map(|(owner, findings)| CheckedObject {
                kind: (*owner.kind).into(),
                name: (*owner.name).into(),
                namespace: (*owner.namespace).into(),
                privileged: owner.privileged,
                rules: codes(findings),
            })
            .collect(),
        owners: answer.owners.len(),
        privileged: answer.privileged(),
        title: answer.question.title.into(),
    };
    answers.iter().map(check).collect()
}

/// The codes of `findings`, each once.
fn codes<'s>(findings: &[&'s ScannedFinding]) -> Vec<LenientStr<'s>> {
    let codes: BTreeSet<_> = findings
        .iter()
        .map(|found| found.judged.finding.rule.code)
        .collect();
    codes.into_iter().map(Into::into).collect()
}

/// Writes one owner at a time: those of a large cluster never stand in memory in this form
/// together.
struct EachOwner<'s>(&'s [ScannedOwner]);

impl Serialize for EachOwner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        for owner in self.0 {
            sequence.serialize_element(&object(owner))?;
        }
        sequence.end()
    }
}

fn object(owner: &ScannedOwner) -> ObjectEntry<'_> {
    let Origin {
        team,
        managed_by,
        release,
        manager,
        schedule,
    } = &owner.origin;
    ObjectEntry {
        api_version: (*owner.api_version).into(),
        decision: owner.outcome.as_str().into(),
        edit: owner.edit().into(),
        findings: owner.findings.iter().map(finding).collect(),
        kind: (*owner.kind).into(),
        managed_by: (**managed_by).into(),
        manager: (**manager).into(),
        name: (*owner.name).into(),
        namespace: (*owner.namespace).into(),
        notes: owner
            .notes
            .iter()
            .map(|note| note.as_str().into())
            .collect(),
        owner: OwnerEntry {
            group: (*owner.group).into(),
            kind: (*owner.kind).into(),
            name: (*owner.name).into(),
        },
        pods: owner.pods,
        privileged: owner.privileged,
        release: (**release).into(),
        schedule: (**schedule).into(),
        team: (**team).into(),
    }
}

fn finding(found: &ScannedFinding) -> FindingEntry<'_> {
    let judged = &found.judged;
    let finding = &judged.finding;
    FindingEntry {
        action: judged.action.as_str().into(),
        certainty: finding.certainty.as_str().into(),
        container: finding.container.as_deref().unwrap_or_default().into(),
        denies: Some(judged.enforce_action == Action::Deny),
        evidence: (*finding.evidence).into(),
        exempt: judged.exempt.as_ref().map(|granted| TermsEntry {
            reason: granted.terms.reason.as_str().into(),
            reference: granted.terms.reference.as_str().into(),
            scope: granted.scope.as_str().into(),
            until: granted.terms.until.to_string().into(),
        }),
        field: (*finding.field).into(),
        fingerprint: (*judged.fingerprint).into(),
        fix: finding.fix().to_string().into(),
        impact: finding.impact.as_str().into(),
        message: finding.message().to_string().into(),
        name: finding.rule.name.into(),
        object: found.object.as_deref().unwrap_or_default().into(),
        rule: finding.rule.code.into(),
    }
}

fn exemption(listed: &ListedExemption) -> ExemptionEntry<'_> {
    let mut entry = ExemptionEntry {
        holder: listed.holder.as_str().into(),
        namespace: listed.namespace.as_str().into(),
        rules: listed.exemption.rules.to_string().into(),
        scope: listed.exemption.scope.as_str().into(),
        status: listed.status.as_str().into(),
        uses: listed.uses,
        ..ExemptionEntry::default()
    };
    if let Ok(terms) = &listed.exemption.terms {
        entry.until = Some(terms.until.to_string().into());
        entry.reason = Some(terms.reason.as_str().into());
        entry.reference = Some(terms.reference.as_str().into());
    }
    if let ExemptionStatus::Malformed(error) = &listed.status {
        entry.error = Some(error.as_str().into());
    }
    entry
}
