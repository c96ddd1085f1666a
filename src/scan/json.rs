//! `scan -o json`: the stable form `undock.scan/v1`; `docs/scan.schema.json` describes it. Fields are only ever added.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::questions::answers;
use super::{ListedExemption, MANUAL, Scanned, ScannedFinding, ScannedOwner, Scope};
use crate::decision::exemption::Terms;
use crate::decision::{Outcome, Policy};
use crate::finding::Action;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    version: &'static str,
    time: String,
    cluster: &'a str,
    mode: &'static str,
    scope: Value,
    summary: Value,
    nodes: Vec<Value>,
    namespaces: Vec<Value>,
    checks: Vec<Value>,
    #[serde(serialize_with = "each_owner")]
    objects: &'a [ScannedOwner],
    exemptions: Vec<Value>,
    parts: Vec<Value>,
    manual: Vec<Value>,
    errors: Vec<Value>,
}

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
/// Where `out` does not take it.
pub fn write(
    out: &mut dyn Write,
    scanned: &Scanned,
    policy: &Policy,
    about: &About<'_>,
) -> io::Result<()> {
    let count = |outcome| scanned.count(outcome);
    let report = Report {
        schema: "undock.scan/v1",
        version: env!("CARGO_PKG_VERSION"),
        time: about.time.clone(),
        cluster: about.cluster,
        mode: policy.mode.as_str(),
        scope: json!({"namespaces": about.scope.namespaces, "selector": about.scope.selector}),
        summary: json!({
            "objects": scanned.owners.len(), "flagged": scanned.flagged(),
            "denied": count(Outcome::Deny), "warned": count(Outcome::Warn), "exempt": count(Outcome::Exempt),
            "recorded": count(Outcome::Record), "clean": count(Outcome::Clean),
            "pods": scanned.pods, "nodes": scanned.nodes.iter().map(|group| group.names.len()).sum::<usize>(),
            "errors": scanned.errors.len(),
        }),
        nodes: scanned.nodes.iter().map(node_group).collect(),
        namespaces: scanned.namespaces.iter().map(|(name, mode)| json!({"name": name, "mode": mode.map(|mode| mode.as_str())})).collect(),
        checks: checks(scanned),
        objects: &scanned.owners,
        exemptions: scanned.exemptions.iter().map(exemption).collect(),
        parts: scanned.parts.iter().map(|read| json!({"part": read.part, "objects": read.objects, "complete": read.complete})).collect(),
        manual: MANUAL.iter().map(|(what, how)| json!({"what": what, "how": how})).collect(),
        errors: scanned
            .errors
            .iter()
            .map(|error| json!({"part": error.part, "namespace": error.namespace, "reason": error.reason, "message": error.message}))
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    out.write_all(b"\n")
}

fn node_group(group: &super::NodeGroup) -> Value {
    let family = group
        .runtime
        .split_once("://")
        .map_or("unknown", |(family, _)| family);
    json!({
        "runtime": group.runtime, "family": family, "count": group.names.len(), "pods": group.pods,
        "kubelets": group.kubelets, "systems": group.systems, "names": group.names,
    })
}

fn checks(scanned: &Scanned) -> Vec<Value> {
    let answers = answers(scanned);
    let checks = answers.iter().map(|answer| {
        let owners = answer.owners.iter().map(|(owner, findings)| {
            let rules: BTreeSet<_> = findings.iter().map(|found| found.judged.finding.rule.code).collect();
            json!({"kind": &*owner.kind, "namespace": &*owner.namespace, "name": &*owner.name, "privileged": owner.privileged, "rules": rules})
        });
        json!({
            "id": answer.question.id, "title": answer.question.title, "owners": answer.owners.len(), "findings": answer.findings(),
            "privileged": answer.privileged(), "byHand": answer.question.by_hand, "objects": owners.collect::<Vec<_>>(),
        })
    });
    checks.collect()
}

/// One owner at a time: a large cluster's never stand as JSON in memory all together.
fn each_owner<S: Serializer>(owners: &&[ScannedOwner], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(owners.len()))?;
    for owner in *owners {
        let mut value = json!({
            "apiVersion": &*owner.api_version, "kind": &*owner.kind, "namespace": &*owner.namespace, "name": &*owner.name,
            "owner": {"group": &*owner.group, "kind": &*owner.kind, "name": &*owner.name}, "decision": owner.outcome.as_str(), "pods": owner.pods, "privileged": owner.privileged,
            "findings": owner.findings.iter().map(finding).collect::<Vec<_>>(), "notes": owner.notes,
        });
        let super::Origin {
            team,
            managed_by,
            release,
            manager,
            schedule,
        } = &owner.origin;
        let told = [
            ("team", team),
            ("managedBy", managed_by),
            ("release", release),
            ("manager", manager),
            ("schedule", schedule),
        ];
        for (name, text) in told.into_iter().filter(|(_, text)| !text.is_empty()) {
            value[name] = text.as_ref().into();
        }
        sequence.serialize_element(&value)?;
    }
    sequence.end()
}

fn finding(found: &ScannedFinding) -> Value {
    let finding = &found.judged.finding;
    let mut value = json!({
        "rule": finding.rule.code, "name": finding.rule.name, "certainty": finding.certainty.as_str(), "impact": finding.impact.as_str(),
        "action": found.judged.action.as_str(), "denies": found.judged.unlimited == Action::Deny, "field": finding.field, "evidence": finding.evidence,
        "message": finding.message(), "fix": finding.fix(), "fingerprint": found.judged.fingerprint,
    });
    let optional = [
        ("container", finding.container.as_deref()),
        ("object", found.object.as_deref()),
    ];
    for (name, text) in optional
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
    {
        value[name] = text.into();
    }
    if let Some(granted) = &found.judged.exempt {
        let Terms {
            until,
            reason,
            reference,
        } = &granted.terms;
        value["exempt"] = json!({"scope": granted.scope.as_str(), "until": until.to_string(), "reason": reason, "ref": reference});
    }
    value
}

fn exemption(listed: &ListedExemption) -> Value {
    let mut value = json!({
        "scope": listed.exemption.scope.as_str(), "namespace": listed.namespace, "holder": listed.holder,
        "rules": listed.exemption.rules.to_string(), "status": listed.status.as_str(), "uses": listed.uses,
    });
    match &listed.exemption.terms {
        Ok(terms) => {
            value["until"] = terms.until.to_string().into();
            value["reason"] = terms.reason.as_str().into();
            value["ref"] = terms.reference.as_str().into();
        }
        Err(error) => value["error"] = error.to_string().into(),
    }
    value
}
